"""What the log loses is counted exactly, and where in event time it is missing is known."""

from __future__ import annotations

import logging
from itertools import chain, cycle

import pytest
from sqlalchemy import Engine

from tests.collector.test_loop import RECORDS, bench_with, unfaulted
from tests.fakes.collecting import counts, is_balanced, losses, partition_row, stored
from tests.fakes.events import STEP_MS, T0_MS, stream
from tests.fakes.source import FakeSource

pytestmark = pytest.mark.postgres


def test_a_gap_lasts_from_the_highest_event_time_before_it_to_the_first_event_after_it(
    engine: Engine,
) -> None:
    #  offsets 0 .. 100 read   | 100 .. 200 expired |  200 .. 300 read
    #  event time    highest --|--------------------|-- first event
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=chain([0, 100, 0], cycle([100]))))
    running.turn(2)
    before = partition_row(engine)["highest_ms"]
    bench.log.expire(200)
    running.read_all()
    ((offset, kind, records, from_ms, until_ms),) = losses(engine)
    assert (offset, kind, records, from_ms) == (100, "lost", 100, before)
    assert abs(until_ms - (T0_MS + 200 * STEP_MS)) <= 60_000
    assert counts(engine)["lost"] == 100
    assert is_balanced(engine)


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_a_gap_is_the_same_whatever_the_polls_and_with_a_restart_inside(engine: Engine, at_once: int) -> None:
    bench = bench_with(engine)
    bench.collector(FakeSource(bench.log, most_at_once=cycle([0, 100, 0]))).turn(2)
    bench.log.expire(200)
    values, times = bench.log.records[0][200], bench.log.records[0]
    bench.log.records[0] = [*times[:200], (values[0], None, None), *times[201:]]  # no event time in the first
    bench.collector(FakeSource(bench.log, most_at_once=chain([0, 0, 1], cycle([0])))).turn(4)
    assert losses(engine)[0][4] is None  # not known yet
    bench.collector(FakeSource(bench.log, most_at_once=cycle([at_once]))).read_all()
    (known,) = losses(engine)
    assert known[:3] == (100, "lost", 100)
    assert known[4] is not None
    assert is_balanced(engine)


@pytest.mark.parametrize("restart", [False, True])
def test_gaps_that_follow_each_other_end_together(engine: Engine, restart: bool) -> None:
    bench = bench_with(engine)
    bench.log.records[0][100] = (bench.log.records[0][100][0], None, None)  # a tombstone has no event time
    running = bench.collector(FakeSource(bench.log, most_at_once=chain([0, 50, 0, 1], cycle([0]))))
    running.turn(2)
    bench.log.expire(100)
    running.turn(4)
    assert partition_row(engine)["next_offset"] == 101
    bench.log.expire(200)
    running.turn(2)
    if restart:
        running = bench.collector()
    running.source.most_at_once = None
    running.read_all()
    found = losses(engine)
    assert [(offset, records) for offset, _, records, _, _ in found] == [(50, 50), (101, 99)]
    assert len({until for *_, until in found}) == 1
    assert found[0][4] is not None


def test_holes_of_the_log_are_no_losses(engine: Engine) -> None:
    """Compaction and transactions leave offsets that hold nothing."""
    bench = bench_with(engine)
    source = FakeSource(bench.log, most_at_once=cycle([50]))
    really = source._records
    source._records = lambda p, start, end: really(p, start, end).between(  # type: ignore[method-assign]
        5, end - start
    )
    bench.collector(source).read_all()
    row = partition_row(engine)
    assert (row["holes"], row["lost"]) == (5 * (RECORDS // 50), 0)
    assert is_balanced(engine)


def test_a_truncated_log_is_read_on_from_its_end_and_says_what_it_took_back(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    bench = bench_with(engine)
    running = bench.collector()
    running.read_all()
    highest = partition_row(engine)["highest_ms"]
    bench.log.truncate(250)
    running.turn(3)
    row = partition_row(engine)
    assert (row["halted"], row["next_offset"], row["truncated"]) == (None, 250, 50)
    ((offset, kind, records, from_ms, until_ms),) = losses(engine)
    assert (offset, kind, records, until_ms) == (250, "truncated", 50, highest)
    assert from_ms < until_ms
    assert "the log took back 50 records that were counted" in caplog.text

    made = stream(20, seed=99)
    bench.log.append(made.values, made.ts_ms)
    running.read_all()
    assert partition_row(engine)["next_offset"] == 270
    assert is_balanced(engine)
    assert sum(counts(engine).values()) == 320


def test_records_that_were_taken_back_before_they_were_stored_are_as_if_they_had_never_been(
    engine: Engine,
) -> None:
    expected = unfaulted(engine, records=100)
    bench = bench_with(engine, records=100)
    rest = bench.log.records[0][60:]
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([60, 20, 0])))
    running.turn(2, seconds=0.6)
    assert partition_row(engine)["next_offset"] == 0
    bench.log.truncate(60)
    running.turn(1, seconds=0.1)
    bench.log.records[0] += rest
    running.read_all()
    assert stored(engine) == expected
    assert losses(engine) == []


def test_a_log_without_an_identity_that_ends_before_us_halts(engine: Engine) -> None:
    """It may have been made anew, and then no number means anything."""
    bench = bench_with(engine)
    bench.log.id = None
    running = bench.collector()
    running.read_all()
    bench.log.truncate(250)
    running.turn(3)
    assert "made anew or truncated" in partition_row(engine)["halted"]
    assert is_balanced(engine)


def test_quarantine_of_a_log_without_times_survives_a_restart(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Twenty rows too far ahead in a row mean that time has moved on; a restart between does not begin anew."""
    caplog.set_level(logging.INFO)
    results = []
    for restart in (False, True):
        bench = bench_with(engine, records=0)
        early, late = stream(10, seed=3), stream(40, seed=4)
        far = [None if v is None else v.replace(b'"ts": 1795', b'"ts": 1895') for v in late.values]
        bench.log.append([*early.values, *far], [-1] * 50)
        running = bench.collector(FakeSource(bench.log, most_at_once=cycle([12])))
        running.turn(3)
        if restart:
            running.collector.drain()
            running = bench.collector(FakeSource(bench.log, most_at_once=cycle([12])))
        running.read_all()
        results.append(stored(engine))
        from tests.fakes.collecting import empty

        empty(engine)
    assert results[0] == results[1]
    assert results[0]["partitions"]["events", 0][5] > 0
