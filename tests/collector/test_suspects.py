"""A record that kills the process each time is found, skipped by its place, and costs nothing else."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest
from sqlalchemy import Engine

from service.intake.source import Polled, Records
from service.messages import Reason
from service.pipeline import PartitionPipeline
from tests.collector.test_loop import RECORDS, bench_with, unfaulted
from tests.fakes.collecting import Running, empty, is_balanced, partition_row, stored
from tests.fakes.events import stream
from tests.fakes.source import FakeSource

pytestmark = pytest.mark.postgres

KILLER = 137
MOST_LIVES = 12


class Killed(BaseException):
    """The process died."""


@pytest.fixture
def killing(monkeypatch: pytest.MonkeyPatch) -> set[tuple[int, int]]:
    """Records (partition, offset) that kill who reads them."""
    killers: set[tuple[int, int]] = set()
    really = PartitionPipeline.take

    def take(self: PartitionPipeline, records: Records) -> None:
        if any((self.partition.number, offset) in killers for offset in records.offsets.tolist()):
            raise Killed
        really(self, records)

    monkeypatch.setattr(PartitionPipeline, "take", take)
    return killers


def lives_until_read(bench: Any, partitions: tuple[int, ...] = (0,), at_once: int = 1000) -> int:
    """How many processes died before one came to the log's end."""
    for life in range(MOST_LIVES):
        running: Running = bench.collector(
            FakeSource(bench.log, most_at_once=cycle([at_once])), assigned=partitions
        )
        try:
            running.read_all()
        except Killed:
            continue
        return life
    raise AssertionError("it never comes to the end")


@pytest.mark.parametrize("at_once", [1000, 10])
def test_the_record_that_kills_is_skipped_and_all_others_are_counted(
    engine: Engine, killing: set[tuple[int, int]], at_once: int
) -> None:
    expected = unfaulted(engine)
    bench = bench_with(engine)
    killing.add((0, KILLER))
    assert lives_until_read(bench, at_once=at_once) <= 8
    found = stored(engine)
    before = {letter[2]: letter for letter in expected["dead"]}
    (killed,) = [letter for letter in found["dead"] if before.get(letter[2]) != letter]
    assert (killed[2], killed[7]) == (KILLER, Reason.KILLS_PROCESS.value)
    assert partition_row(engine)["next_offset"] == RECORDS
    assert is_balanced(engine)
    assert partition_row(engine)["trying_offset"] is None or partition_row(engine)["trying_records"] == 1


def test_two_killers_in_two_partitions_are_both_found(engine: Engine, killing: set[tuple[int, int]]) -> None:
    bench = bench_with(engine, partitions=3)
    killing |= {(0, KILLER), (2, KILLER + 1)}
    lives_until_read(bench, partitions=(0, 1, 2))
    killed = [letter[1:3] for letter in stored(engine)["dead"] if letter[7] == Reason.KILLS_PROCESS.value]
    assert sorted(killed) == [(0, KILLER), (2, KILLER + 1)]
    assert all(is_balanced(engine, number) for number in range(3))


def test_deaths_that_are_nobodys_fault_cost_no_record(engine: Engine) -> None:
    """A machine that dies five times before it stores anything, then lives."""
    expected = unfaulted(engine)
    bench = bench_with(engine)
    for _ in range(5):
        bench.collector().turn(1, seconds=0.1)
    bench.collector().read_all()
    assert stored(engine) == expected


def test_after_a_while_without_a_death_all_is_read_at_once_again(engine: Engine) -> None:
    bench = bench_with(engine)
    for _ in range(4):
        bench.collector().turn(1, seconds=0.1)
    running = bench.collector()
    running.read_all()
    running.turn(10)
    assert partition_row(engine)["trying_offset"] is None


def test_a_partition_at_its_end_is_no_suspect_however_many_have_died(engine: Engine) -> None:
    """Kills while nothing is to be read: no waiting, and no record skipped that does not exist yet."""
    bench = bench_with(engine)
    bench.collector().read_all()
    for _ in range(12):
        bench.collector().turn(2, seconds=0.1)
    running = bench.collector()
    running.turn(2, seconds=0.1)
    row = partition_row(engine)
    assert (row["next_offset"], row["trying_offset"]) == (RECORDS, None)
    assert row["deaths"] >= 12
    more = stream(10, seed=5)
    bench.log.append(more.values, more.ts_ms)
    running.turn(3)
    assert partition_row(engine)["next_offset"] == RECORDS + 10


def test_deaths_before_the_suspect_was_begun_cost_no_record(engine: Engine) -> None:
    """Two suspects: while the first is tried the processes die again and again, for reasons of their own."""
    bench_with(engine, partitions=2).collector(assigned=(0, 1)).read_all()
    expected = stored(engine)
    empty(engine)
    bench = bench_with(engine, partitions=2)
    for _ in range(4):
        bench.collector(assigned=(0, 1)).turn(1, seconds=0.1)
    for _ in range(5):
        bench.collector(FakeSource(bench.log, most_at_once=cycle([0])), assigned=(0, 1)).turn(2, seconds=0.1)
    bench.collector(assigned=(0, 1)).read_all()
    assert stored(engine) == expected


def test_a_fetch_that_kills_is_skipped_too(engine: Engine) -> None:
    """A batch that bursts: the process dies in the poll, as long as the poll begins at or before it."""
    bench = bench_with(engine)

    class Bursting(FakeSource):
        def poll(self, timeout_seconds: float, max_records: int) -> Polled:
            if any(at <= KILLER < at + max_records for at in self._next.values()):
                raise Killed
            return super().poll(timeout_seconds, max_records)

    lives = 0
    while lives < 4 * MOST_LIVES:
        running = bench.collector(Bursting(bench.log, most_at_once=cycle([1])), poll_records=1)
        try:
            running.read_all()
            break
        except Killed:
            lives += 1
    assert partition_row(engine)["next_offset"] == RECORDS
    killed = [letter[2] for letter in stored(engine)["dead"] if letter[7] == Reason.KILLS_PROCESS.value]
    assert killed == [KILLER]
    assert is_balanced(engine)
