"""A record that kills the process each time is found, skipped by its place, and costs nothing else."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest
from sqlalchemy import Engine

from service.intake.source import Records
from service.messages import Reason
from service.pipeline import PartitionPipeline
from tests.collector.test_loop import RECORDS, bench_with, unfaulted
from tests.fakes.collecting import Running, is_balanced, partition_row, stored
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
    assert lives_until_read(bench, at_once=at_once) <= 7
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
