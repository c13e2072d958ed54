"""What evaluators have really stored is what a model's score rests on, and nothing older or other than that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from service.messages import WindowKey
from service.monitor import DAY_MS, MINUTE_MS, Monitor, Task, WindowSpec
from service.promises import Contract, RowRule
from service.readiness.freshness import stale_ms, told_ms
from service.readiness.grading import score_of
from service.readiness.notification import Outbox
from service.readiness.readiness import Known, Notification, Seen
from service.store.engine import transaction
from service.store.partitions import ensure_partitions
from service.store.readiness import known_of, outbox_of
from service.store.tables import alertmanager, label_delay, outbox, performance_finding, reference_acceptance
from tests.backtest.past import collect, evaluate
from tests.replaying import MINUTE, MONITOR, START_MS, reference_of, steady
from tests.web.seeding import (
    NOW_MS,
    WINDOW_MS,
    add_finding,
    add_grid,
    add_model,
    add_pane,
    add_performance,
    add_window,
)

pytestmark = pytest.mark.postgres

TOLD = Notification(reaches=True, sentences=())
LABELLED = Monitor(
    "churn", task=Task.BINARY, reference="churn-ref", windows=(WindowSpec.tumbling(WINDOW_MS),)
)
Add = Callable[..., None]


@pytest.fixture
def add(engine: Engine) -> Add:
    """Calls a seeding function in its own transaction."""
    ensure_partitions(engine, NOW_MS - 30 * DAY_MS, NOW_MS + DAY_MS)

    def call(seed: Callable[..., None], *values: Any, **changes: Any) -> None:
        with transaction(engine) as connection:
            seed(connection, *values, **changes)

    return call


def known(engine: Engine, now_ms: int = NOW_MS) -> Known:
    with transaction(engine) as connection:
        found = known_of(connection, "churn", now_ms)
    assert found is not None
    return found


def points(engine: Engine, now_ms: int = NOW_MS) -> list[float]:
    return [grade.points for grade in score_of(known(engine, now_ms), TOLD).tests]


def missing(engine: Engine, number: int, now_ms: int = NOW_MS) -> str:
    return " ".join(score_of(known(engine, now_ms), TOLD).tests[number - 1].missing)


# ---------------------------------------------------------------- a model that was really watched
@pytest.fixture
def watched(engine: Engine, tmp_path: Path) -> Engine:
    """An hour that collectors counted and an evaluator judged, with latencies and a rule about them."""
    slow = Contract(rules=(RowRule("slow", "latency_ms <= 500", 0.01),), unknown_features=0.01)
    monitor = replace(MONITOR, contract=slow, nonfinite="missing")
    events = [{**one, "latency_ms": 12.5} for one in steady(range(60))]
    collect(engine, [(monitor, events)], [reference_of(tmp_path)])
    evaluate(engine)
    return engine


def test_an_evaluator_leaves_the_evidence_for_all_but_labels_and_age(watched: Engine) -> None:
    now_ms = START_MS + 60 * MINUTE
    assert points(watched, now_ms) == [0.5, 1, 1, 0, 1, 0.5, 0]
    (drift,) = score_of(known(watched, now_ms), TOLD).tests[2].evidence
    assert (drift.methods, drift.window, drift.columns, drift.fresh) == (("evidence",), "5m", 2, True)
    assert (drift.end_ms, drift.n) == (START_MS + 55 * MINUTE, 100)
    assert "names no task" in missing(watched, 7, now_ms)
    assert known(watched, now_ms).versions == (Seen("1", START_MS),)


def test_its_points_are_gone_three_windows_and_the_lateness_after_its_last_window(watched: Engine) -> None:
    last_ms = START_MS + 55 * MINUTE + stale_ms(MONITOR.windows[0], MONITOR)
    assert sum(points(watched, last_ms)) > 0
    assert points(watched, last_ms + 1) == [0] * 7
    assert "has not run since" in missing(watched, 3, last_ms + 1)


def test_what_stopped_is_told_for_a_week_and_then_counts_as_never_done(watched: Engine) -> None:
    last_ms = START_MS + 55 * MINUTE + told_ms(MONITOR)
    assert "has not run since" in missing(watched, 3, last_ms - 1)
    assert known(watched, last_ms - 1).versions
    forgotten = known(watched, last_ms)
    assert (forgotten.findings, forgotten.versions) == ((), ())


# ---------------------------------------------------------------- less, and other, than that
def test_there_is_no_score_of_a_model_that_nobody_has_applied(engine: Engine) -> None:
    with transaction(engine) as connection:
        assert known_of(connection, "churn", NOW_MS) is None


def test_a_model_with_a_monitor_and_nothing_else_has_no_point(engine: Engine, add: Add) -> None:
    add(add_grid)
    add(add_model, "churn", reference_name=None)
    assert points(engine) == [0] * 7
    assert "`driftbell reference build --model churn --data training.csv`" in missing(engine, 3)


def test_segments_and_windows_with_too_little_data_are_no_evidence(engine: Engine, add: Add) -> None:
    add(add_grid)
    add(add_model, "churn", monitor=LABELLED)
    add(add_window, "churn", NOW_MS)
    add(add_finding, "churn", NOW_MS, method="evidence", segment="country=DE")
    add(add_finding, "churn", NOW_MS, method="evidence", verdict="too_little_data", value=None)
    assert known(engine).findings == ()
    add(add_finding, "churn", NOW_MS, method="evidence", version="2")
    assert points(engine)[2] == 1


def test_another_model_lends_no_evidence(engine: Engine, add: Add) -> None:
    add(add_grid)
    add(add_model, "churn", monitor=LABELLED)
    add(add_model, "fraud")
    add(add_window, "fraud", NOW_MS)
    add(add_finding, "fraud", NOW_MS, method="evidence")
    add(add_performance, "fraud", NOW_MS)
    add(add_judgement, model="fraud")
    assert points(engine) == [0] * 7


def test_the_newest_of_several_windows_and_versions_is_told(engine: Engine, add: Add) -> None:
    add(add_grid)
    add(add_model, "churn", monitor=LABELLED)
    for windows_ago, version, n in ((2, "1", 900), (1, "1", 100), (1, "2", 300)):
        end_ms = NOW_MS - windows_ago * WINDOW_MS
        add(add_window, "churn", end_ms, version=version)
        add(add_finding, "churn", end_ms, version=version, method="evidence", n=n)
    (drift,) = score_of(known(engine), TOLD).tests[2].evidence
    assert (drift.end_ms, drift.n, drift.columns) == (NOW_MS - WINDOW_MS, 300, 1)
    add(add_window, "churn", NOW_MS - 4 * WINDOW_MS, version="", inferences=0)  # nothing came then
    assert known(engine).versions == (Seen("1", NOW_MS - 3 * WINDOW_MS), Seen("2", NOW_MS - 2 * WINDOW_MS))


def test_a_reference_that_was_accepted_from_served_rows_is_known_as_such(engine: Engine, add: Add) -> None:
    add(add_grid)
    add(add_model, "churn", monitor=LABELLED)
    add(add_window, "churn", NOW_MS)
    add(add_finding, "churn", NOW_MS, method="evidence")
    values = {"name": "churn-ref", "model": "churn", "rows": 100, "who": "anna", "why": "new prices"}
    add(
        lambda connection: connection.execute(
            insert(reference_acceptance).values(**values, from_ms=0, to_ms=1)
        )
    )
    assert points(engine)[2] == 0.5


# ---------------------------------------------------------------- labels
def add_judgement(connection: Any, end_ms: int = NOW_MS, model: str = "churn", **changes: Any) -> None:
    """A finding about the labelled predictions of a window."""
    key = WindowKey(model, "1", "", "5m", end_ms - WINDOW_MS, end_ms)._asdict()
    usual = {"method": "evidence_wrong", "value": 1.0, "limit": 9.0, "n": 60, "m": 1_000, "verdict": "ok"}
    connection.execute(insert(performance_finding).values(**key, **usual | changes))


@pytest.fixture
def labelled(engine: Engine, add: Add) -> Engine:
    """A model whose labels have come."""
    add(add_grid)
    add(add_model, "churn", monitor=LABELLED)
    add(add_window, "churn", NOW_MS)
    add(add_pane, "churn", NOW_MS - MINUTE_MS, labels=10)
    return engine


def test_concept_drift_that_is_configured_and_never_saw_a_label_has_no_point(
    engine: Engine, add: Add
) -> None:
    add(add_grid)
    add(add_model, "churn", monitor=LABELLED)
    add(add_window, "churn", NOW_MS)
    add(add_pane, "churn", NOW_MS - MINUTE_MS)
    assert points(engine)[6] == 0
    assert "no label has ever come" in missing(engine, 7)


def test_measured_performance_is_half_and_what_rings_by_labels_all(labelled: Engine, add: Add) -> None:
    assert points(labelled)[6] == 0
    add(add_performance, "churn", NOW_MS, basis="estimated")
    add(add_performance, "churn", NOW_MS, metric="f1", value=None, reason="no_rows")
    assert points(labelled)[6] == 0
    add(add_performance, "churn", NOW_MS)
    assert points(labelled)[6] == 0.5
    add(add_judgement, verdict="too_little_data", method="evidence_unexplained")
    assert points(labelled)[6] == 0.5
    add(add_judgement)
    assert points(labelled)[6] == 1


def test_evidence_of_errors_in_a_sample_counts_too_and_may_be_a_day_old(labelled: Engine, add: Add) -> None:
    error = {"role": "", "feature": "", "method": "evidence_error", "n": 40}
    add(add_window, "churn", NOW_MS - DAY_MS)
    add(add_finding, "churn", NOW_MS - DAY_MS + WINDOW_MS, **error)
    assert points(labelled)[6] == 1
    assert points(labelled, NOW_MS + WINDOW_MS + 1)[6] == 0


def test_performance_that_is_older_than_anything_that_counts_is_not_read(labelled: Engine, add: Add) -> None:
    bound_ms = told_ms(LABELLED)
    add(add_judgement, NOW_MS - bound_ms + 1)
    add(add_performance, "churn", NOW_MS - bound_ms + 1)
    assert (len(known(labelled).judged), known(labelled).measured is None) == (1, False)
    assert (known(labelled, NOW_MS + 1).judged, known(labelled, NOW_MS + 1).measured) == ((), None)


def test_performance_may_be_as_old_as_its_labels_are_slow(labelled: Engine, add: Add) -> None:
    add(add_judgement, NOW_MS - 9 * DAY_MS)
    assert points(labelled)[6] == 0
    ten_days = {"model": "churn", "bin": 158, "n": 1_000}  # 2 ** (158 / 8) seconds and more
    add(lambda connection: connection.execute(insert(label_delay).values(**ten_days)))
    assert points(labelled)[6] == 1


# ---------------------------------------------------------------- what has left
def test_the_outbox_says_when_an_alert_left_and_how_many_are_stuck(engine: Engine, add: Add) -> None:
    def read() -> Outbox:
        with transaction(engine) as connection:
            return outbox_of(connection)

    def put(connection: Any, at_s: int, **changes: Any) -> None:
        at = datetime.fromtimestamp(at_s, UTC)
        values = {"alert_id": "a", "state": "firing", "message": {}, "created_at": at, **changes}
        connection.execute(insert(outbox).values(**values))

    assert read() == Outbox(None, 0, None)
    add(put, 10, delivered_at=datetime.fromtimestamp(12, UTC), attempts=1)
    add(put, 20, attempts=0)
    assert read() == Outbox(12_000, 0, None)
    add(put, 30, attempts=4)
    add(put, 40, attempts=1)
    assert read() == Outbox(12_000, 2, 30_000)


def test_what_silences_keep_back_or_drop_has_neither_failed_nor_left(engine: Engine, add: Add) -> None:
    def put(connection: Any, **changes: Any) -> None:
        values = {"alert_id": "a", "state": "firing", "message": {}, **changes}
        connection.execute(insert(outbox).values(**values))

    now = datetime.now(UTC)
    add(put, attempts=3, held_at=now)
    add(put, attempts=0, held_at=now, delivered_at=now)
    with transaction(engine) as connection:
        assert outbox_of(connection) == Outbox(None, 0, None)


def test_an_alertmanager_takes_incidents_while_it_was_reached_lately(engine: Engine, add: Add) -> None:
    def put(connection: Any, name: str, **at: Any) -> None:
        connection.execute(insert(alertmanager).values(name=name, **at))

    lately, long_ago = datetime.now(UTC), datetime.now(UTC) - timedelta(minutes=6)
    add(put, "answers", reached_at=lately)
    add(put, "fails", reached_at=lately, failing_since=lately, trouble="refused")
    add(put, "forgotten", reached_at=long_ago)
    add(put, "never")
    with transaction(engine) as connection:
        pushed = outbox_of(connection).pushed
    assert [(one.name, one.takes) for one in pushed] == [
        ("answers", True), ("fails", False), ("forgotten", False), ("never", False)
    ]  # fmt: skip
