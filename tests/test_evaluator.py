"""The evaluator on a real PostgreSQL: every model once, whoever evaluates, whatever goes wrong with another one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, event, select, text

from service.alerting.delivery import Delivery
from service.errors import TooSlow, Unavailable
from service.estimated import Estimator
from service.evaluation.evaluation import Evaluation
from service.evaluator import Evaluator
from service.judged import PerformanceJudge
from service.messages import Evaluated, Partition
from service.metrics import PipelineMetrics
from service.monitor import Task
from service.replay import MemoryResults
from service.store import checkpoint as store
from service.store import label_join
from service.store.configuration import load_configuration
from service.store.engine import transaction
from service.store.outbox import Outbox
from service.store.results import Lease, PostgresResults, lease
from service.store.retention import Retention
from service.store.tables import (
    evaluation,
    join_inbox,
    outbox,
    pane,
    performance,
    waiting_prediction,
    window_result,
)
from tests.fakes.collecting import Bench, stored
from tests.fakes.events import MONITOR, T0_MS, stream
from tests.fakes.source import FakeLog
from tests.store.test_results import alert_of, known

pytestmark = pytest.mark.postgres

MODELS = ("churn", "fraud", "spam")
KEPT = Retention(10**12, 10**12, 10**12, every_ms=10**12)


@dataclass
class Evaluating:
    """An evaluator, its clock and what it sent."""

    engine: Engine
    owner: str = "one"
    now_ms: int = T0_MS + 300_000
    sent: list[Mapping[str, Any]] = field(default_factory=list)
    made: Evaluator = field(init=False)

    def __post_init__(self) -> None:
        delivery = Delivery(Outbox(self.engine), self.sent.append)
        metrics = PipelineMetrics(CollectorRegistry())
        self.made = Evaluator(self.engine, self.owner, metrics, lambda: self.now_ms, delivery, KEPT)

    def turn(self, times: int = 1, seconds: float = 1.0) -> None:
        for _ in range(times):
            self.now_ms += round(1000 * seconds)
            self.made.step()


def collected(
    engine: Engine, records: int = 300, models: tuple[str, ...] = MODELS, task: Task = Task.NONE
) -> Bench:
    """Panes of these models in two partitions."""
    bench = Bench(engine, FakeLog(partitions=2))
    bench.apply(*(replace(MONITOR, model=model, task=task) for model in models))
    for number in range(2):
        made = stream(records, seed=number, models=models)
        bench.log.append(made.values, made.ts_ms, number)
    bench.collector(assigned=(0, 1)).read_all()
    return bench


def results(engine: Engine) -> set[tuple[Any, ...]]:
    names = (
        "model",
        "version",
        "segment",
        "window",
        "end_ms",
        "inferences",
        "labels",
        "revision",
        "incomplete",
    )
    with transaction(engine) as connection:
        return {tuple(row) for row in connection.execute(select(*(window_result.c[n] for n in names)))}


def position(engine: Engine, model: str = "churn") -> int | None:
    with transaction(engine) as connection:
        return connection.execute(
            select(evaluation.c.position_ms).where(evaluation.c.model == model)
        ).scalar()


def test_all_windows_that_event_time_has_passed_are_evaluated_once(engine: Engine) -> None:
    collected(engine)
    evaluating = Evaluating(engine)
    evaluating.turn(3)
    made = results(engine)
    assert {row[0] for row in made} == set(MODELS)
    highest = min(p[1] for p in stored(engine)["partitions"].values())
    assert max(row[4] for row in made) == (highest - MONITOR.disorder_ms) // 20_000 * 20_000
    evaluating.turn(30)
    assert results(engine) == made


def test_two_evaluators_share_the_work_and_write_the_same(engine: Engine) -> None:
    collected(engine)
    Evaluating(engine).turn(3)
    alone = results(engine)
    with transaction(engine) as connection:
        connection.execute(text("TRUNCATE window_result, finding, evaluation, fold_state"))
    both = [Evaluating(engine, owner) for owner in ("one", "two")]
    for _ in range(4):
        for one in both:
            one.turn()
    assert results(engine) == alone


def test_it_comes_to_what_a_replay_in_memory_comes_to(engine: Engine) -> None:
    """Late rows restate windows in between."""
    bench = collected(engine, models=("churn",))
    evaluating = Evaluating(engine)
    evaluating.turn(2)
    memory = in_memory(engine)
    late = stream(330, seed=0)
    for number in range(2):
        bench.log.append(late.values[300:], late.ts_ms[300:], number)
    bench.collector(assigned=(0, 1)).read_all()
    evaluating.turn(20)
    in_memory(engine, memory)
    with lease(engine, "churn", "test") as held:
        assert held is not None
        assert known(PostgresResults(engine, held)) == known(memory)
        assert PostgresResults(engine, held).state_before(10**14) == memory.state_before(10**14)
        assert PostgresResults(engine, held).window_totals(0) == memory.window_totals(0)


def in_memory(engine: Engine, memory: MemoryResults | None = None) -> MemoryResults:
    """The same panes, evaluated in memory up to the same time."""
    memory = memory or MemoryResults()
    configuration = load_configuration(engine)
    grid = configuration.models["churn"][0].grid
    with transaction(engine) as connection:
        for row in connection.execute(select(pane)).mappings():
            memory.put(Partition(row["topic"], row["partition"]), store.pane_row(row))
    highest = min(p[1] for p in stored(engine)["partitions"].values())
    made = Evaluation(configuration, {}.get, {grid.id: grid}.__getitem__)
    while (step := made.advance("churn", memory, highest - MONITOR.disorder_ms)) is not None:
        memory.save(step)
    return memory


# Leases


def test_a_model_in_other_hands_is_left_to_them_and_taken_up_later(engine: Engine) -> None:
    collected(engine)
    evaluating = Evaluating(engine)
    with lease(engine, "churn", "other"):
        evaluating.turn(2)
        assert {row[0] for row in results(engine)} == {"fraud", "spam"}
    evaluating.turn()
    assert {row[0] for row in results(engine)} == set(MODELS)


def test_who_loses_a_model_in_the_middle_writes_nothing_of_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    collected(engine)
    advance = Evaluation.advance

    def slowly(self: Evaluation, model: str, *args: Any, **more: Any) -> Evaluated | None:
        if model == "churn":
            with transaction(engine) as connection:
                connection.execute(
                    text(
                        "UPDATE evaluation SET token = gen_random_uuid(), owner = 'two' WHERE model = 'churn'"
                    )
                )
        return advance(self, model, *args, **more)

    monkeypatch.setattr(Evaluation, "advance", slowly)
    Evaluating(engine).turn()
    assert {row[0] for row in results(engine)} == {"fraud", "spam"}
    assert "model churn: another evaluator took over" in caplog.text


# Trouble


def broken(monkeypatch: pytest.MonkeyPatch, trouble: list[Exception | None]) -> None:
    """Evaluating `churn` raises these, one after the other."""
    advance = Evaluation.advance

    def fail(self: Evaluation, model: str, *args: Any, **more: Any) -> Evaluated | None:
        if model == "churn" and (why := trouble.pop(0)) is not None:
            raise why
        return advance(self, model, *args, **more)

    monkeypatch.setattr(Evaluation, "advance", fail)


def test_a_model_that_cannot_be_evaluated_stops_no_other_and_is_told_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    collected(engine)
    broken(monkeypatch, [ZeroDivisionError("x")] * 3 + [KeyError("y"), None, None, None])  # type: ignore[list-item]
    evaluating = Evaluating(engine)
    evaluating.turn(50)
    assert {row[0] for row in results(engine)} == {"fraud", "spam"}
    evaluating.turn(100)
    errors = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert [r.getMessage() for r in errors] == [
        "model churn is not evaluated, and tried again every minute: ZeroDivisionError: x"
    ]
    assert errors[0].exc_info is not None
    evaluating.turn(61)
    assert "KeyError" in caplog.text
    evaluating.turn(61)
    assert "model churn is evaluated again" in caplog.text
    assert {row[0] for row in results(engine)} == set(MODELS)
    with lease(engine, "churn", "test") as held:
        assert held is not None


def test_what_the_database_refuses_of_one_model_stops_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    collected(engine)
    save = PostgresResults.save

    def refuse(self: PostgresResults, made: Evaluated) -> None:
        if self._model == "churn":
            with transaction(engine) as connection:
                connection.execute(text("SELECT 1/0"))
        save(self, made)

    monkeypatch.setattr(PostgresResults, "save", refuse)
    Evaluating(engine).turn(3)
    assert {row[0] for row in results(engine)} == {"fraud", "spam"}
    assert "division by zero" in caplog.text


def test_a_database_that_is_away_ends_the_turn(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    collected(engine)
    broken(monkeypatch, [Unavailable("away"), None, None])
    evaluating = Evaluating(engine)
    with pytest.raises(Unavailable):
        evaluating.turn()
    evaluating.turn()
    assert {row[0] for row in results(engine)} == set(MODELS)


@pytest.mark.parametrize("why", [TooSlow("it took too long"), ValueError("a blob")])
def test_a_step_that_fails_for_one_model_stops_neither_its_other_steps_nor_other_models(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, why: Exception
) -> None:
    collected(engine, task=Task.BINARY)
    asked: list[str] = []

    def estimate(_self: Estimator, held: Lease, _position_ms: int | None) -> bool:
        if held.model == "churn":
            raise why
        return False

    def judge(_self: PerformanceJudge, held: Lease, _position_ms: int | None) -> bool:
        asked.append(held.model)
        return False

    monkeypatch.setattr(Estimator, "estimate", estimate)
    monkeypatch.setattr(PerformanceJudge, "judge", judge)
    Evaluating(engine).turn()
    assert set(asked) == set(MODELS)
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
        f"model churn is not evaluated, and tried again every minute: {type(why).__name__}: {why}"
    ]


def test_a_partition_that_nobody_reads_is_named_once(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    collected(engine)
    with transaction(engine) as connection:
        connection.execute(
            text("UPDATE source_partition SET updated_at = now() - interval '10 minutes' WHERE partition = 1")
        )
    Evaluating(engine).turn(5)
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(told) == 1
    assert "partition events 1, last held by one, has not been read for 600 s" in told[0]


# Alerts and load


def test_one_evaluator_at_a_time_sends_and_each_alert_goes_once(engine: Engine) -> None:
    with lease(engine, "churn", "test") as held:
        assert held is not None
        PostgresResults(engine, held).save(Evaluated(1, alerts=[alert_of(id=f"a-{n}") for n in range(25)]))
    one, two = Evaluating(engine, "one"), Evaluating(engine, "two")
    with lease(engine, "", "other"):
        one.turn()
        assert one.sent == []
    for _ in range(3):
        one.turn()
        two.turn()
    assert sorted(m["id"] for m in one.sent + two.sent) == sorted(f"a-{n}" for n in range(25))
    with transaction(engine) as connection:
        assert connection.execute(select(outbox.c.id).where(outbox.c.delivered_at.is_(None))).all() == []


def test_labels_are_joined_in_one_turn_however_many_batches_they_take(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_join, "ROWS_AT_ONCE", 20)
    collected(engine, task=Task.BINARY)
    with transaction(engine) as connection:
        assert len(connection.execute(select(join_inbox)).all()) > 3
    Evaluating(engine).turn()
    with transaction(engine) as connection:
        assert connection.execute(select(join_inbox)).all() == []
        realized = (performance.c.metric == "accuracy", performance.c.basis == "realized")
        told = connection.execute(select(performance).where(*realized)).all()
        labelled = select(waiting_prediction.c.model, waiting_prediction.c.start_ms).where(
            waiting_prediction.c.label_ms.is_not(None)
        )
        joined = connection.execute(labelled).all()
        reached = dict(connection.execute(select(evaluation.c.model, evaluation.c.position_ms)).all())
    ended = [row for row in joined if row.start_ms // 20_000 * 20_000 + 20_000 <= reached[row.model]]
    assert sum(row.n for row in told if not row.segment) == len(ended) > 5


def test_models_without_news_cost_nothing_until_they_are_looked_at_again(engine: Engine) -> None:
    collected(engine)
    evaluating = Evaluating(engine)
    evaluating.turn(3)
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    evaluating.turn(5)
    assert not [s for s in statements if "FROM pane" in s or "FROM window_result" in s]
    evaluating.turn(6)
    assert len([s for s in statements if "FROM pane" in s and "FROM gap" not in s]) == len(MODELS)


def test_a_long_turn_is_alive_all_the_while(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    collected(engine)
    evaluating = Evaluating(engine)
    ticks = []
    advance = Evaluation.advance

    def slow(self: Evaluation, *args: Any, **more: Any) -> Evaluated | None:
        ticks.append(evaluating.made.ticked_at_ms)
        evaluating.now_ms += 40_000
        return advance(self, *args, **more)

    monkeypatch.setattr(Evaluation, "advance", slow)
    evaluating.turn()
    assert ticks[2] - ticks[1] == 40_000


def test_a_model_without_news_costs_a_look_for_labels_and_no_more(engine: Engine) -> None:
    collected(engine, models=("churn",), task=Task.BINARY)
    evaluating = Evaluating(engine)
    evaluating.turn(10)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    evaluating.turn(3, seconds=15)
    assert any("join_inbox" in statement for statement in asked)
    assert not any("performance_course" in statement or "label_delay" in statement for statement in asked)


def test_alerts_are_left_to_the_evaluator_that_has_taken_them_over(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    collected(engine)
    evaluating = Evaluating(engine)
    with transaction(engine) as connection:
        for number in range(2):
            row = {"alert_id": f"a-{number}", "state": "firing", "message": {**_MESSAGE, "n": number}}
            connection.execute(outbox.insert().values(row))

    def send(message: Mapping[str, Any]) -> None:
        evaluating.sent.append(message)
        with transaction(engine) as connection:  # so long that the lease was over, and somebody else took it
            connection.execute(text("UPDATE evaluation SET token = gen_random_uuid() WHERE model = ''"))

    evaluating.made.delivery = Delivery(Outbox(engine), send)
    evaluating.made.step()
    assert [one["n"] for one in evaluating.sent] == [0]
    assert "another evaluator sends alerts now" in caplog.text


def test_receivers_that_are_slow_one_after_the_other_make_no_silence(engine: Engine) -> None:
    collected(engine)
    evaluating = Evaluating(engine)
    with transaction(engine) as connection:
        for number in range(10):
            row = {"alert_id": f"a-{number}", "state": "firing", "message": _MESSAGE}
            connection.execute(outbox.insert().values(row))
    silent_ms: list[tuple[int, int]] = []

    def send(_: Mapping[str, Any]) -> None:
        evaluating.now_ms += 6_000
        made = evaluating.made
        silent_ms.append((evaluating.now_ms - made.stored_at_ms, evaluating.now_ms - made.ticked_at_ms))

    evaluating.made.delivery = Delivery(Outbox(engine), send)
    evaluating.made.step()
    assert silent_ms == [(6_000, 6_000)] * 10


_MESSAGE = {"state": "firing", "severity": "page", "cause": "missing", "summary": "weight is null"}
