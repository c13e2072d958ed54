"""What may be asked to be labelled is written with the offset, and read again as it was sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select

from service.checkpoints import Claimant
from service.errors import PartitionLost
from service.messages import Candidate, Checkpoint, Counts, Partition
from service.monitor import DAY_MS
from service.store.checkpoint import PostgresCheckpoints
from service.store.engine import connect, transaction
from service.store.feedback_candidates import (
    EACH_PART,
    add_candidates,
    first_candidate_ms,
    forget_candidates,
    pool,
)
from service.store.migrate import migrate
from service.store.partition_rows import reset_partitions
from service.store.retention import Retention, apply_retention
from service.store.tables import feedback, feedback_candidate, retraining

pytestmark = pytest.mark.postgres

PLACE = Partition("events", 0)
ONE = Candidate(
    "churn", "7", 60_000, 61_000, 5, 2**64 - 3, "p-1",
    {"amount": 1e300, "few": 100000.0, "note": None, "country": "DE"}, {"label": "yes", "score": 1.0},
)  # fmt: skip
NOW_MS = 30_000 * DAY_MS


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = connect(database)
    migrate(made)
    yield made
    made.dispose()


def read(engine: Engine, **changes: Any) -> list[Candidate]:
    with transaction(engine) as connection:
        return pool(connection, "churn", (0, 2**62), **{"most": 1_000} | changes)


def count(engine: Engine, table: Any) -> int:
    with transaction(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def step(expected: int, next_offset: int, *candidates: Candidate) -> Checkpoint:
    return Checkpoint(
        PLACE, expected, next_offset, 0, Counts(accepted=next_offset - expected), candidates=candidates
    )


def test_a_candidate_comes_back_as_it_was_left(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_candidates(connection, PLACE, [ONE])
    (found,) = read(engine)
    assert found == ONE
    assert {type(value) for value in found.features.values()} == {float, str, type(None)}
    bare = replace(ONE, features={}, features_left_out=True)
    with transaction(engine) as connection:
        add_candidates(connection, PLACE, [bare])
    assert read(engine) == [bare]


def test_candidates_are_written_with_the_offset_once_or_not_at_all(engine: Engine) -> None:
    checkpoints = PostgresCheckpoints(engine)
    held = checkpoints.claim(PLACE, Claimant("one", 60_000), "id", 0)
    made = step(0, 10, ONE)
    checkpoints.commit(held, made, 0)
    checkpoints.commit(held, made, 0)
    assert read(engine) == [ONE]
    checkpoints.claim(PLACE, Claimant("two", 60_000), "id", 0)
    with pytest.raises(PartitionLost):
        checkpoints.commit(held, step(10, 20, replace(ONE, offset=12, inference_id="p-2")), 0)
    assert read(engine) == [ONE]


def test_a_log_that_was_cut_off_has_another_row_at_an_offset(engine: Engine) -> None:
    other = replace(ONE, inference_id="p-9", model="churn", start_ms=120_000)
    for one in (ONE, other):
        with transaction(engine) as connection:
            add_candidates(connection, PLACE, [one])
    assert read(engine) == [other]


def test_candidates_of_a_topic_that_is_reset_go_with_its_offsets(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_candidates(connection, PLACE, [ONE])
        add_candidates(connection, Partition("others", 0), [replace(ONE, inference_id="p-2")])
    reset_partitions(engine, PLACE.topic)
    assert [one.inference_id for one in read(engine)] == ["p-2"]


def test_hostile_texts_are_stored(engine: Engine) -> None:
    hostile = replace(ONE, inference_id="<b>\u202e'; --", features={'a"\0b': "x\0y", "\ud800": "lone"})
    with transaction(engine) as connection:
        add_candidates(connection, PLACE, [hostile])
    (found,) = read(engine)
    assert found.inference_id == "<b>\u202e'; --"
    assert found.features == {'a"\ufffdb': "x\ufffdy", "?": "lone"}


def test_where_there_are_too_many_the_smallest_hashes_of_all_panes_are_read(engine: Engine) -> None:
    hashes = [2**64 - 1, 3, 2**63, 2**62]
    rows = [
        replace(ONE, offset=i, priority=one, start_ms=i * 60_000, inference_id=str(one))
        for i, one in enumerate(hashes)
    ]
    with transaction(engine) as connection:
        add_candidates(connection, PLACE, rows)
    assert [one.priority for one in read(engine, most=3)] == [3, 2**62, 2**63]


def test_of_a_pane_and_partition_no_more_are_kept_than_count_however_often_they_are_written(
    engine: Engine,
) -> None:
    rows = [
        replace(ONE, offset=i, priority=(7 * i + 1) % 101 << 57, start_ms=start, inference_id=f"p-{i}")
        for i, start in enumerate([60_000, 120_000] * 100)
    ]
    other = Partition("events", 1)
    for some in (rows[:150], rows[50:]):
        with transaction(engine) as connection:
            add_candidates(connection, PLACE, some)
            add_candidates(connection, other, some[:20])
    for start in (60_000, 120_000):
        mine = sorted((one.priority, one.offset) for one in rows if one.start_ms == start)[:EACH_PART]
        with transaction(engine) as connection:
            c = feedback_candidate.c
            kept = select(c.offset).where(c.partition == PLACE.number, c.start_ms == start)
            assert sorted(connection.execute(kept).scalars()) == sorted(offset for _, offset in mine)
    assert count(engine, feedback_candidate) == 2 * EACH_PART + 40


def test_some_are_forgotten_at_a_time_and_none_that_another_transaction_is_about_to_drop(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.feedback_candidates._ROWS_AT_ONCE", 2)
    with transaction(engine) as connection:
        add_candidates(connection, PLACE, [replace(ONE, offset=i, start_ms=i) for i in range(5)])
    with transaction(engine) as holding, transaction(engine) as connection:
        c = feedback_candidate.c
        holding.execute(select(c.offset).where(c.offset == 0).with_for_update())
        assert forget_candidates(connection, "churn", 4)
        assert not forget_candidates(connection, "churn", 4)
        assert list(connection.execute(select(c.start_ms).order_by(c.start_ms)).scalars()) == [0, 4]
        assert forget_candidates(connection, "churn") is False
        assert forget_candidates(connection, "fraud") is False


def test_the_first_pane_with_candidates_is_found(engine: Engine) -> None:
    with transaction(engine) as connection:
        assert first_candidate_ms(connection, "churn", None) is None
        add_candidates(connection, PLACE, [ONE, replace(ONE, offset=6, start_ms=180_000)])
        assert first_candidate_ms(connection, "churn", None) == 60_000
        assert first_candidate_ms(connection, "churn", 60_001) == 180_000
        assert first_candidate_ms(connection, "fraud", None) is None


def test_what_is_too_old_goes(engine: Engine) -> None:
    old, new = NOW_MS - 40 * DAY_MS, NOW_MS - DAY_MS
    with transaction(engine) as connection:
        add_candidates(connection, PLACE, [replace(ONE, start_ms=old), replace(ONE, offset=6, start_ms=new)])
        for number, end_ms in enumerate((old, new)):
            row = {
                "model": "churn", "version": "7", "window": "1h", "end_ms": end_ms, "kind": "random",
                "inference_id": str(number), "ts_ms": end_ms, "features": {}, "answer": {}, "why": "",
            }  # fmt: skip
            connection.execute(insert(feedback).values(row))
            advice = {
                "model": "churn", "version": "7", "alert_id": "a", "incident": "i", "cause": "concept_drift",
                "since_ms": end_ms, "at_ms": end_ms, "summary": "", "spans": [], "labels": 0,
            }  # fmt: skip
            connection.execute(insert(retraining).values(advice))
    apply_retention(engine, Retention(30 * DAY_MS, 35 * DAY_MS, DAY_MS), NOW_MS)
    assert [count(engine, table) for table in (feedback_candidate, feedback, retraining)] == [1, 1, 1]
