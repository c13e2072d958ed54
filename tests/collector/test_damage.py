"""A batch that nobody can read costs its own partition only, and no record that could be read before it."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from service.store.checkpoint import PostgresCheckpoints
from service.store.engine import connect
from tests.collector.test_loop import RECORDS, bench_with, unfaulted
from tests.fakes.collecting import is_balanced, partition_row, stored

pytestmark = pytest.mark.postgres

BAD = 200


def test_the_partition_halts_at_the_damage_and_the_others_go_on(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    bench = bench_with(engine, partitions=2)
    bench.log.damage(BAD, partition=0)
    running = bench.collector(assigned=(0, 1))
    running.turn(30)
    damaged, other = partition_row(engine, 0), partition_row(engine, 1)
    assert other["next_offset"] == RECORDS
    assert other["halted"] is None
    assert damaged["next_offset"] == BAD
    assert is_balanced(engine)
    assert damaged["halted"].startswith("it failed 3 times in a row at or after offset 200: ")
    assert damaged["halted"].endswith("offset 200 cannot be read: it is damaged")
    assert running.value("driftbell_commits_total", outcome="halted") == 1
    assert "partition events 0 failed at or after offset 200 (3 in a row)" in caplog.text


def test_damage_that_heals_halts_nothing(engine: Engine) -> None:
    expected = unfaulted(engine)
    bench = bench_with(engine)
    bench.log.damage(BAD)
    running = bench.collector()
    running.turn(4)
    assert running.value("driftbell_commits_total", outcome="failed") == 1
    bench.log.damaged.clear()
    running.read_all()
    assert stored(engine) == expected


def test_what_was_read_before_the_damage_is_stored_at_once(engine: Engine) -> None:
    bench = bench_with(engine)
    bench.log.damage(BAD)
    running = bench.collector(commit_interval_seconds=99)
    running.turn(4)
    assert partition_row(engine)["next_offset"] == BAD


def test_damage_that_is_met_while_the_database_is_away_is_met_again(engine: Engine) -> None:
    bench = bench_with(engine, partitions=2)
    for number in (0, 1):
        bench.log.damage(BAD, number)
    running = bench.collector(assigned=(0, 1), commit_interval_seconds=99)
    running.turn(1)
    there, away = running.collector.checkpoints, connect("postgresql://nobody@127.0.0.1:1/nothing")
    running.collector.checkpoints = PostgresCheckpoints(away)
    running.turn(3)
    running.collector.checkpoints = there
    running.turn(40, seconds=5)
    away.dispose()
    for number in (0, 1):
        row = partition_row(engine, number)
        assert row["next_offset"] == BAD
        assert "offset 200 cannot be read" in row["halted"]
        assert is_balanced(engine, number)
