"""Predictions to label, chosen window by window from what collectors put aside, by whoever holds the lease."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, insert, select, update

from service.configuration import Configuration, ModelVersion
from service.feedback import choose_feedback
from service.messages import Candidate, Partition
from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, FeedbackPolicy, Monitor, Task, WindowSpec
from service.reference.profile import profile_to_bytes
from service.sketches.grids import Grid
from service.store.configuration import StoredReference, apply_monitors, load_configuration
from service.store.engine import connect, transaction
from service.store.feedback_candidates import EACH_PART, add_candidates
from service.store.migrate import migrate
from service.store.results import LeaseLost, lease
from service.store.tables import evaluation, feedback, feedback_candidate, waiting_prediction
from tests.reference.tables import built, write_csv

pytestmark = pytest.mark.postgres

T = 20_000 * DAY_MS + 12 * HOUR_MS
PLACE = Partition("events", 0)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = connect(database)
    migrate(made)
    yield made
    made.dispose()


def configured(per_day: int = 240, *, before: int = 0, **changes: Any) -> Configuration:
    """A monitor of hourly windows that asks for so many rows a day; its version before asked for others."""
    versions = [
        ModelVersion(
            Monitor("churn", task=Task.BINARY, windows=(WindowSpec.tumbling(HOUR_MS),),
                    feedback=FeedbackPolicy(asked, **changes)), Grid(), number=number,
        )
        for number, asked in ((1, before or per_day), (2, per_day))
    ]  # fmt: skip
    return Configuration({"churn": tuple(versions)}, 1)


def candidate(number: int, minute: float, score: float = 0.5, **changes: Any) -> Candidate:
    start = T + int(minute) * MINUTE_MS
    usual = {
        "model": "churn", "version": "7", "start_ms": start, "ts_ms": start + 1, "offset": number,
        "priority": (number * 0x9E37_79B9_7F4A_7C15) % 2**64, "inference_id": f"p-{number}",
        "features": {"amount": 1e5 + number, "country": "DE", "note": None}, "answer": {"label": "yes", "score": score},
    }  # fmt: skip
    return Candidate(**usual | changes)


def leave(engine: Engine, *candidates: Candidate, partition: Partition = PLACE) -> None:
    with transaction(engine) as connection:
        add_candidates(connection, partition, candidates)


def advance(engine: Engine, minute: int, configuration: Configuration | None = None) -> int:
    """Choose until nothing is left to do; how many windows were chosen from."""
    turns = 0
    with lease(engine, "churn", "me") as held:
        assert held is not None
        while choose_feedback(engine, held, configuration or configured(), T + minute * MINUTE_MS):
            turns += 1
            assert turns < 20
    return turns


def chosen(engine: Engine) -> list[Any]:
    with transaction(engine) as connection:
        return list(connection.execute(select(feedback).order_by(feedback.c.id)))


def waiting(engine: Engine) -> list[str]:
    c = feedback_candidate.c
    with transaction(engine) as connection:
        return list(connection.execute(select(c.inference_id).order_by(c.offset)).scalars())


def test_a_window_is_chosen_from_once_it_has_ended_and_what_is_left_of_it_is_gone(engine: Engine) -> None:
    # minute       0 ... 59 | 60 ...
    # candidates   400      | 1
    leave(engine, *(candidate(i, i % 60, i / 400) for i in range(400)), candidate(400, 60))
    assert advance(engine, 59) == 0
    assert len(waiting(engine)) == 401
    assert advance(engine, 60) == 1
    kinds = [row.kind for row in chosen(engine)]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "random": 37,
        "uncertain": 92,
    }  # half a day's, and an hour's
    assert waiting(engine) == ["p-400"]
    nearest = [row.answer["score"] for row in chosen(engine) if row.kind == "uncertain"]
    assert max(abs(score - 0.5) for score in nearest) < 0.2
    (row, *_) = chosen(engine)
    number = int(row.inference_id.removeprefix("p-"))
    assert row.features == {"amount": 1e5 + number, "country": "DE", "note": None}
    assert (row.model, row.version, row.window, row.end_ms) == ("churn", "7", "1h", T + HOUR_MS)
    assert (row.ts_ms, row.value, row.sent_at) == (candidate(number, number % 60).ts_ms, None, None)


def test_the_same_window_chosen_from_again_gives_the_same(engine: Engine) -> None:
    rows = [candidate(i, i % 60, i / 300) for i in range(300)]
    leave(engine, *rows)
    advance(engine, 60)
    first = [(row.kind, row.inference_id, row.value, row.why) for row in chosen(engine)]
    with transaction(engine) as connection:
        connection.exec_driver_sql("DELETE FROM feedback")
        connection.exec_driver_sql("DELETE FROM feedback_course")
    leave(engine, *reversed(rows))
    advance(engine, 60)
    assert [(row.kind, row.inference_id, row.value, row.why) for row in chosen(engine)] == first


def test_of_a_part_of_a_pane_no_more_than_a_collector_keeps_are_looked_at(engine: Engine) -> None:
    """After a restart more are written: which ones that are must not change the choice."""
    rows = sorted((candidate(i, 0, 0.5) for i in range(3 * EACH_PART)), key=lambda one: one.priority)
    leave(engine, *rows)
    advance(engine, 60, configured(10_000, uncertain=0.0, surprising=0.0, random=1.0))
    assert [row.inference_id for row in chosen(engine)] == [one.inference_id for one in rows[:EACH_PART]]


def test_a_row_says_that_its_features_were_left_out(engine: Engine) -> None:
    leave(engine, candidate(1, 0, features={}, features_left_out=True), candidate(2, 0))
    advance(engine, 60)
    assert {row.inference_id: row.features_left_out for row in chosen(engine)} == {"p-1": True, "p-2": False}


def test_hashes_are_compared_as_whole_numbers_without_a_sign(engine: Engine) -> None:
    priorities = {"low": 5, "half": 2**63 - 1, "high": 2**63, "highest": 2**64 - 1}
    leave(
        engine,
        *(candidate(i, 0, inference_id=name, priority=p) for i, (name, p) in enumerate(priorities.items())),
    )
    advance(engine, 60, configured(240, uncertain=0.0, surprising=0.0, random=1.0))
    assert [row.inference_id for row in chosen(engine)] == ["low", "half", "high", "highest"]


def test_a_day_has_its_budget_however_many_rows_come(engine: Engine) -> None:
    configuration = configured(50)
    for hour in range(24):
        leave(engine, *(candidate(100 * hour + i, 60 * hour + i % 60, i / 100) for i in range(100)))
        advance(engine, 60 * (hour + 1), configuration)
    ends: dict[int, int] = {}
    for row in chosen(engine):
        day = (row.end_ms - 1) // DAY_MS
        ends[day] = ends.get(day, 0) + 1
    assert max(ends.values()) <= 50
    assert len(ends) == 2
    assert 45 <= ends[min(ends)] <= 50


def test_windows_without_candidates_are_passed_by(engine: Engine) -> None:
    leave(engine, candidate(1, 0), candidate(2, 600))
    assert advance(engine, 10_000) == 2
    assert [row.inference_id for row in chosen(engine)] == ["p-1", "p-2"]


def test_what_is_left_of_a_window_is_forgotten_piece_by_piece(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.feedback_candidates._ROWS_AT_ONCE", 2)
    leave(engine, *(candidate(i, i) for i in range(6)), candidate(6, 60))
    assert advance(engine, 60) == 4, "once chosen, and thrice forgotten"
    assert waiting(engine) == ["p-6"]


def test_rows_that_come_for_a_window_that_was_chosen_from_are_forgotten(engine: Engine) -> None:
    leave(engine, candidate(1, 0))
    advance(engine, 60)
    leave(engine, candidate(2, 1))
    assert advance(engine, 120) == 0
    leave(engine, candidate(3, 61))
    advance(engine, 120)
    assert [row.inference_id for row in chosen(engine)] == ["p-1", "p-3"]
    assert waiting(engine) == []


def test_what_has_a_label_already_or_was_asked_for_is_not_asked_for(engine: Engine) -> None:
    rows = [candidate(1, 0), candidate(2, 0), candidate(3, 0)]
    with transaction(engine) as connection:
        for one, label_ms in ((rows[0], None), (rows[1], T)):
            values = {
                "model": "churn", "id": int(np.uint64(one.priority).view(np.int64)), "start_ms": T, "slices": 1,
                "class": 1, "score": 0.5, "value": float("nan"), "label_ms": label_ms,
            }  # fmt: skip
            connection.execute(insert(waiting_prediction).values(values))
    leave(engine, *rows)
    advance(engine, 60)
    assert sorted(row.inference_id for row in chosen(engine)) == ["p-1", "p-3"]
    leave(engine, candidate(1, 60))
    advance(engine, 120)
    assert sorted(row.inference_id for row in chosen(engine)) == ["p-1", "p-3"]


def test_rows_that_nobody_could_label_are_never_chosen(engine: Engine) -> None:
    leave(engine, candidate(1, 0, inference_id="", features={}, answer={}))
    assert advance(engine, 60) == 1
    assert (chosen(engine), waiting(engine)) == ([], [])


def test_a_monitor_that_asks_for_none_any_more_forgets_them_and_one_that_never_did_costs_nothing(
    engine: Engine,
) -> None:
    leave(engine, candidate(1, 0))
    advance(engine, 60, configured(0))
    assert waiting(engine) == ["p-1"], "nobody has looked"
    advance(engine, 60, configured(0, before=10))
    assert (waiting(engine), chosen(engine)) == ([], [])


def test_who_has_lost_the_lease_chooses_nothing(engine: Engine) -> None:
    leave(engine, candidate(1, 0))
    with lease(engine, "churn", "me") as held:
        assert held is not None
        with transaction(engine) as connection:
            connection.execute(update(evaluation).values(token=None))
        with pytest.raises(LeaseLost):
            choose_feedback(engine, held, configured(), T + HOUR_MS)
    assert (chosen(engine), waiting(engine)) == ([], ["p-1"])


def test_the_most_surprising_are_those_that_are_unlike_the_reference(engine: Engine, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    path = write_csv(tmp_path / "rows.csv", {"amount": random.normal(100, 10, 1_000).tolist()})
    profile = built(path)
    reference = StoredReference(profile.name, "churn", profile.grid, profile.rows, profile_to_bytes(profile))
    monitor = Monitor(
        "churn", task=Task.BINARY, reference=profile.name, windows=(WindowSpec.tumbling(HOUR_MS),),
        feedback=FeedbackPolicy(240, 0.0, 0.5, 0.5),
    )  # fmt: skip
    apply_monitors(engine, [monitor], [reference], 0)
    odd = {7: 900.0, 23: 30.0}
    leave(engine, *(candidate(i, i % 60, features={"amount": odd.get(i, 100.0)}) for i in range(1, 400)))
    leave(engine, candidate(400, 0, features={}, features_left_out=True))
    advance(engine, 60, load_configuration(engine))
    surprising = [row for row in chosen(engine) if row.kind == "surprising"]
    assert {surprising[0].inference_id, surprising[1].inference_id} == {"p-7", "p-23"}
    assert "p-400" not in {row.inference_id for row in surprising}, "nothing is known of its features"
    assert "amount 900 (0.1 % of the reference is as far out)" in {row.why for row in surprising}
