"""The collector over a log in memory and a real PostgreSQL: every record once, whatever happens in between."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text, update

from service.checkpoints import Claimant
from service.errors import Unavailable
from service.messages import Partition, UnknownModels
from service.monitor import WindowSpec
from service.pipeline import PartitionPipeline
from service.store import checkpoint as store
from service.store.configuration import apply_monitors, load_configuration
from service.store.engine import connect, transaction
from service.store.tables import source_partition
from tests.fakes.collecting import COUNTS, Bench, counts, empty, ids, partition_row, stored
from tests.fakes.events import MONITOR, T0_MS, stream
from tests.fakes.source import FakeLog, FakeSource

pytestmark = pytest.mark.postgres

PLACE = Partition("events", 0)
RECORDS = 300


def bench_with(engine: Engine, records: int = RECORDS, partitions: int = 1, **changes: Any) -> Bench:
    bench = Bench(engine, FakeLog(partitions=partitions))
    bench.apply(*changes.pop("monitors", ()))
    for number in range(partitions):
        made = stream(records, seed=7 + number, **changes)
        bench.log.append(made.values, made.ts_ms, number)
    return bench


def unfaulted(engine: Engine, records: int = RECORDS, **changes: Any) -> dict[str, Any]:
    """What a run in which nothing happens stores; leaves the database empty."""
    bench_with(engine, records, **changes).collector().read_all()
    made = stored(engine)
    empty(engine)
    return made


def sleepy(exception: BaseException, times: int = 1) -> Callable[..., Any]:
    """Raises so many times, then does nothing."""
    left = [exception] * times

    def act(*_: Any, **__: Any) -> None:
        if left:
            raise left.pop()

    return act


# Counting


def test_every_record_ends_in_one_outcome_and_they_sum_to_the_offsets(engine: Engine) -> None:
    bench = bench_with(engine, partitions=2)
    running = bench.collector(assigned=(0, 1))
    running.read_all()
    for number in (0, 1):
        found = counts(engine, number)
        assert sum(found.values()) == RECORDS == partition_row(engine, number)["next_offset"]
        assert all(found[name] > 0 for name in COUNTS if name != "lost")
    assert running.source.acknowledged == {Partition("events", n): RECORDS for n in (0, 1)}
    accepted = sum(counts(engine, n)["accepted"] for n in (0, 1))
    assert running.value("driftbell_events_total", outcome="accepted") == accepted
    assert sum(p[2] + p[3] for (*_, segment, _), p in panes_of(engine) if segment == "") == accepted


def panes_of(engine: Engine) -> Any:
    return stored(engine)["panes"].items()


def test_a_new_partition_starts_at_its_first_record(engine: Engine) -> None:
    bench = bench_with(engine, records=20)
    running = bench.collector()
    running.read_all()
    bench.log.append([b"{"], [T0_MS], partition=1)
    running.source.assign(1)
    running.turn(3)
    assert counts(engine, 1)["dead"] == 1


def test_batches_wait_for_the_commit_interval_or_for_enough_records(engine: Engine) -> None:
    bench = bench_with(engine, records=50)
    source = FakeSource(bench.log, most_at_once=cycle([10]))
    running = bench.collector(source, commit_interval_seconds=5.0, commit_records=25)
    running.turn(3, seconds=0.1)
    assert partition_row(engine)["next_offset"] == 0
    running.turn(1, seconds=0.1)
    assert partition_row(engine)["next_offset"] == 30
    running.turn(2, seconds=0.1)
    assert partition_row(engine)["next_offset"] == 30
    running.turn(1, seconds=5)
    assert partition_row(engine)["next_offset"] == 50


@pytest.fixture(scope="module")
def one_run(migrated: Engine) -> dict[str, Any]:
    """What is stored when nothing happens."""
    empty(migrated)
    return unfaulted(migrated)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    polls=st.lists(st.integers(1, 90), min_size=1, max_size=8),
    lives=st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=5),
)
def test_restarts_anywhere_give_the_panes_of_one_run_to_the_byte(
    migrated: Engine, one_run: dict[str, Any], polls: list[int], lives: list[tuple[int, bool]]
) -> None:
    """Each life is some turns, after which the process stops in order or is killed; polls are of any size."""
    empty(migrated)
    bench = bench_with(migrated)
    for turns, in_order in lives:
        running = bench.collector(FakeSource(bench.log, most_at_once=cycle(polls)))
        running.turn(turns)
        if in_order:
            running.collector.drain()
    bench.collector(FakeSource(bench.log, most_at_once=cycle(polls))).read_all()
    assert stored(migrated) == one_run


# Assignment


def test_a_revoked_partition_is_written_and_given_back(engine: Engine) -> None:
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([40])), commit_interval_seconds=99)
    running.turn(3)
    running.source.revoke(0)
    running.turn()
    row = partition_row(engine)
    assert (row["next_offset"], row["owner"], row["deaths"]) == (80, None, 0)
    assert running.collector.metrics.registry.get_sample_value(
        "driftbell_consumer_lag_records", {"topic": "events", "partition": "0"}
    ) is None  # fmt: skip


def test_a_lost_partition_is_discarded(engine: Engine) -> None:
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([40])), commit_interval_seconds=99)
    running.turn(3)
    running.source.lose(0)
    running.turn(3)
    row = partition_row(engine)
    assert (row["next_offset"], row["owner"]) == (0, "one")
    bench.collector(owner="two").read_all()
    assert partition_row(engine)["owner"] == "two"


def test_one_taken_away_and_given_again_goes_on_where_the_database_is(engine: Engine) -> None:
    expected = unfaulted(engine)
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([40])), commit_interval_seconds=99)
    running.turn(3)
    running.source.lose(0)
    running.source.assign(0)
    running.turn(3)
    running.source.revoke(0)
    running.source.assign(0)
    running.read_all()
    assert stored(engine) == expected


def test_a_partition_revoked_while_the_monitors_change_is_not_claimed_again(engine: Engine) -> None:
    bench = bench_with(engine)
    running = bench.collector(
        FakeSource(bench.log, most_at_once=cycle([40])), commit_interval_seconds=99, look_seconds=999
    )
    running.turn(3)
    apply_monitors(engine, [replace(MONITOR, disorder_ms=1)], [], 0)
    running.source.revoke(0)
    running.turn(5)
    row = partition_row(engine)
    assert (row["owner"], row["owner_epoch"], row["next_offset"]) == (None, 1, 0)


def test_a_zombie_writes_nothing_and_its_heir_loses_nothing(engine: Engine) -> None:
    expected = unfaulted(engine)
    bench = bench_with(engine)
    zombie = bench.collector(FakeSource(bench.log, most_at_once=cycle([30])), owner="zombie")
    zombie.turn(4)
    heir = bench.collector(FakeSource(bench.log, most_at_once=cycle([30])), owner="heir")
    heir.turn(2)
    zombie.turn(5)
    assert zombie.value("driftbell_commits_total", outcome="fenced") == 1
    heir.read_all()
    assert stored(engine) == expected
    assert heir.value("driftbell_commits_total", outcome="fenced") == 0


def test_a_partition_that_a_late_claim_took_is_claimed_again_if_it_stays_ours(engine: Engine) -> None:
    """A claim that was long on its way fences the owner that the group means, and then nobody would read."""
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([30])))
    running.turn(3)
    store.PostgresCheckpoints(engine).claim(PLACE, Claimant("late", 0), None, 0)
    running.turn(2)
    assert partition_row(engine)["owner"] == "late"
    running.turn(1, seconds=61)
    running.read_all()
    assert sum(counts(engine).values()) == RECORDS


def test_a_drained_collector_has_stored_all_it_read(engine: Engine) -> None:
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([40])), commit_interval_seconds=99)
    running.turn(4)
    running.collector.drain()
    row = partition_row(engine)
    assert (row["next_offset"], row["owner"]) == (120, None)


# The database


def test_a_lost_reply_to_a_commit_counts_nothing_twice(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = unfaulted(engine)
    bench = bench_with(engine)
    lose_reply = chain(cycle([False, False, True]))

    really = store.PostgresCheckpoints.commit

    def commit(*args: Any) -> None:
        really(*args)
        if next(lose_reply):
            raise Unavailable("the reply is lost")

    monkeypatch.setattr(store.PostgresCheckpoints, "commit", commit)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([20])))
    running.read_all()
    assert stored(engine) == expected
    assert running.value("driftbell_commits_total", outcome="retried") > 3
    assert running.value("driftbell_events_total", outcome="accepted") == counts(engine)["accepted"]


def test_while_the_database_is_away_the_batch_is_kept_and_the_source_polled_on(engine: Engine) -> None:
    expected = unfaulted(engine)
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([40])))
    running.turn(3)
    before, there = partition_row(engine)["next_offset"], running.collector.checkpoints
    away = connect("postgresql://nobody@127.0.0.1:1/nothing")
    running.collector.checkpoints = store.PostgresCheckpoints(away)
    running.turn(20)
    assert running.source.paused
    assert running.source.polls == 23
    assert partition_row(engine)["next_offset"] == before
    running.collector.checkpoints = there
    running.turn(1, seconds=31)
    assert not running.source.paused
    running.read_all()
    away.dispose()
    assert stored(engine) == expected


def test_broken_connections_are_made_anew(engine: Engine) -> None:
    expected = unfaulted(engine)
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([40])))
    for _ in range(4):
        running.turn(2)
        with transaction(engine) as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
    running.read_all()
    assert stored(engine) == expected


def test_partitions_that_go_while_the_database_is_away_cost_no_waiting(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_with(engine, records=50, partitions=4)
    running = bench.collector(assigned=(0, 1, 2, 3), commit_interval_seconds=99)
    running.turn(2)
    tried = []

    def commit(*_: Any) -> None:
        tried.append(1)
        raise Unavailable("away")

    monkeypatch.setattr(store.PostgresCheckpoints, "commit", commit)
    running.source.revoke(0, 1, 2, 3)
    running.turn(3)
    assert len(tried) == 1
    assert not running.collector._held


def test_a_database_restored_to_an_older_state_is_caught_up_again(engine: Engine) -> None:
    expected = unfaulted(engine)
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([30])))
    running.turn(4)
    with transaction(engine) as connection:
        for table in ("source_partition", "pane", "pane_ids", "dead_letter"):
            connection.execute(text(f"CREATE TEMP TABLE old_{table} ON COMMIT DROP AS SELECT * FROM {table}"))
        kept = {
            t: [dict(r) for r in connection.execute(text(f"SELECT * FROM old_{t}")).mappings()]
            for t in OLD_TABLES
        }
    running.turn(3)
    restore(engine, kept)
    running.read_all()
    assert running.value("driftbell_commits_total", outcome="rewound") == 1
    assert stored(engine) == expected


OLD_TABLES = ("source_partition", "pane", "pane_ids", "dead_letter")


def restore(engine: Engine, kept: dict[str, list[dict[str, Any]]]) -> None:
    with transaction(engine) as connection:
        for name, rows in kept.items():
            connection.execute(text(f"TRUNCATE {name}"))
            for row in rows:
                names = ", ".join(f'"{n}"' for n in row)
                values = ", ".join(f":{n}" for n in row)
                connection.execute(text(f"INSERT INTO {name} ({names}) VALUES ({values})"), row)


def test_a_row_that_is_gone_stops_its_partition_only(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    bench = bench_with(engine, partitions=2)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([30])), assigned=(0, 1))
    running.turn(3)
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM source_partition WHERE partition = 0"))
    running.read_all()
    assert partition_row(engine, 1)["next_offset"] == RECORDS
    assert "has no row in the database any more" in caplog.text


# The log


def test_what_retention_took_is_counted_exactly(engine: Engine) -> None:
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([40])))
    running.turn(3)
    bench.log.expire(217)
    running.read_all()
    found = counts(engine)
    assert found["lost"] == 217 - 80
    assert sum(found.values()) == RECORDS
    assert running.value("driftbell_records_lost_total") == 137


def test_a_claim_below_the_log_s_start_counts_what_is_lost(engine: Engine) -> None:
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([40])))
    running.turn(3)
    running.collector.drain()
    bench.log.expire(100)
    bench.collector().read_all()
    assert counts(engine)["lost"] == 100 - partition_row(engine)["first_offset"] - 80


def test_a_recreated_topic_halts_all_its_partitions_and_none_resumes_by_number(engine: Engine) -> None:
    bench = bench_with(engine, partitions=2)
    running = bench.collector(assigned=(0, 1))
    running.read_all()
    bench.log.recreate()
    made = stream(2 * RECORDS)
    bench.log.append(made.values, made.ts_ms)
    running.turn(8)
    assert "deleted and made again" in partition_row(engine, 0)["halted"]
    assert "made anew or truncated" in partition_row(engine, 1)["halted"]  # that log has got shorter
    before = stored(engine)
    again = bench.collector(assigned=(0, 1), owner="next")
    again.turn(5)
    assert stored(engine) == before
    assert again.value("driftbell_commits_total", outcome="halted") == 2


def test_a_topic_recreated_while_nobody_looked_halts_at_the_claim(engine: Engine) -> None:
    bench = bench_with(engine)
    running = bench.collector()
    running.read_all()
    running.collector.drain()
    bench.log.recreate()
    bench.collector().turn(3)
    assert "deleted and made again" in partition_row(engine)["halted"]


def test_while_the_log_is_away_nothing_is_lost(engine: Engine) -> None:
    expected = unfaulted(engine)
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([40])))
    for _ in range(3):
        running.turn(2)
        running.source.away = True
        running.turn(4)
        running.source.away = False
        running.turn(1, seconds=31)
    running.read_all()
    assert stored(engine) == expected


def test_records_in_hand_are_kept_when_the_database_goes_away_in_the_same_turn(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition to halt, the database away and records of another one, all in one poll."""
    bench = bench_with(engine, partitions=2)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([30])), assigned=(0, 1))
    running.turn(3)
    bench.log.id = None  # as a broker without topic ids
    bench.log.truncate(20, partition=0)
    broken = sleepy(Unavailable("away"), times=2)

    really = store.PostgresCheckpoints.halt

    def halt(*args: Any) -> None:
        broken()
        really(*args)

    monkeypatch.setattr(store.PostgresCheckpoints, "halt", halt)
    running.turn(40)
    assert sum(counts(engine, 1).values()) == RECORDS
    assert "made anew" in partition_row(engine, 0)["halted"]


# Monitors


def test_a_changed_monitor_takes_effect_at_its_border_as_if_it_had_been_known_from_the_start(
    engine: Engine,
) -> None:
    """Time goes by the log: 300 records of 0.4 s are two minutes; a change begins 30 s after the highest event."""
    changed = replace(
        MONITOR, pane_ms=5_000, windows=(WindowSpec.tumbling(10_000),), allowed_lateness_ms=5_000, segments=()
    )
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([25])))
    running.turn(4)
    (applied,) = apply_monitors(engine, [changed], [], 0)
    assert applied.action == "changed"
    running.turn(7)
    assert running.value("driftbell_commits_total", outcome="reconfigured") >= 1
    running.read_all()
    live = stored(engine)
    assert {row[0] - key[-1] for key, row in live["panes"].items()} == {10_000, 5_000}
    assert min(k[-1] for k, row in live["panes"].items() if row[0] - k[-1] == 5_000) == applied.since_ms
    start_over(engine)
    bench.collector().read_all()
    assert stored(engine) == live


def start_over(engine: Engine) -> None:
    """Forget what was collected; the monitors stay."""
    with transaction(engine) as connection:
        connection.execute(text("TRUNCATE source_partition, pane, pane_ids, dead_letter"))


def test_reloading_the_monitors_is_no_death(engine: Engine) -> None:
    bench = bench_with(engine)
    running = bench.collector()
    running.read_all()
    for disorder_ms in range(4):
        apply_monitors(engine, [replace(MONITOR, disorder_ms=disorder_ms)], [], 0)
        running.turn(8)
    assert partition_row(engine)["deaths"] == 0


def test_models_without_a_monitor_are_learned_and_counted_the_same_whoever_meets_them_first(
    engine: Engine,
) -> None:
    models = ("churn", "fraud", "spam")
    bench = bench_with(engine, partitions=2, models=models)
    running = bench.collector(
        FakeSource(bench.log, most_at_once=cycle([30])), assigned=(0, 1), unknown_models=UnknownModels.LEARN
    )
    running.read_all()
    assert set(load_configuration(engine).models) == set(models)
    live = stored(engine)
    assert {key[2] for key in live["panes"]} == set(models)
    start_over(engine)
    bench.collector(assigned=(0, 1)).read_all()
    assert stored(engine) == live


# Idleness


def test_idle_is_who_has_counted_all_and_hears_nothing_new(engine: Engine) -> None:
    bench = bench_with(engine)
    running = bench.collector()
    running.read_all()
    running.turn(6)
    row = partition_row(engine)
    assert row["idle_since"] is not None
    assert row["lag"] == 0
    late = stream(RECORDS + 5)
    bench.log.append(late.values[RECORDS:], late.ts_ms[RECORDS:])
    running.turn(2)
    assert partition_row(engine)["idle_since"] is None


def test_a_partition_of_which_nothing_is_accepted_becomes_idle_too(engine: Engine) -> None:
    """Else one producer of garbage would hold every model's windows back."""
    bench = bench_with(engine, records=0)
    running = bench.collector()
    for n in range(30):
        bench.log.append([b"{"], [T0_MS + n])
        running.turn()
    assert partition_row(engine)["idle_since"] is not None


def test_who_is_behind_is_not_idle(engine: Engine) -> None:
    bench = bench_with(engine)
    running = bench.collector(FakeSource(bench.log, most_at_once=chain([0, 10], cycle([0]))))
    running.turn(20)
    row = partition_row(engine)
    assert (row["idle_since"], row["lag"]) == (None, RECORDS - 10)


def test_our_own_pause_is_no_idleness(engine: Engine) -> None:
    bench = bench_with(engine, records=40)
    running = bench.collector()
    running.turn(3)
    there = running.collector.checkpoints
    away = connect("postgresql://nobody@127.0.0.1:1/nothing")
    running.collector.checkpoints = store.PostgresCheckpoints(away)
    running.turn(6)
    assert running.source.paused
    running.collector.checkpoints = there
    away.dispose()
    running.turn(1, seconds=600)
    assert not running.source.paused
    running.turn(6)
    with transaction(engine) as connection:
        idle = connection.execute(
            text("SELECT extract(epoch FROM now() - idle_since) FROM source_partition")
        ).scalar_one()
    assert idle < 30


# What nobody foresaw


def poisoned(monkeypatch: pytest.MonkeyPatch, offset: int, times: int = 10**6) -> None:
    """Counting the record at this offset of partition 0 fails so many times."""
    take, act = PartitionPipeline.take, sleepy(ValueError("poison"), times)

    def poisonous(self: PartitionPipeline, records: Any) -> None:
        if records.partition.number == 0 and offset in records.offsets:
            act()
        take(self, records)

    monkeypatch.setattr(PartitionPipeline, "take", poisonous)


def test_a_poisonous_record_halts_its_partition_after_three_tries_and_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench = bench_with(engine, partitions=2)
    poisoned(monkeypatch, offset=100)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([40])), assigned=(0, 1))
    running.turn(40)
    assert partition_row(engine, 1)["next_offset"] == RECORDS
    row = partition_row(engine, 0)
    assert row["next_offset"] == 80
    assert row["halted"] == "it failed 3 times in a row at or after offset 80: ValueError: poison"
    assert [r.exc_info is not None for r in caplog.records if r.levelno == logging.ERROR] == [True] * 3


def test_what_fails_once_is_done_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = unfaulted(engine)
    bench = bench_with(engine)
    poisoned(monkeypatch, offset=100, times=2)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([40])))
    running.turn(20)
    running.read_all()
    assert stored(engine) == expected
    assert running.value("driftbell_commits_total", outcome="failed") == 2


def test_a_stored_pane_that_cannot_be_read_halts_its_partition(engine: Engine) -> None:
    bench = bench_with(engine, partitions=2)
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([40])), assigned=(0, 1))
    running.turn(4)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE pane SET sketch = 'broken' WHERE partition = 0"))
        connection.execute(update(source_partition).values(owner="gone"))
    again = bench.collector(assigned=(0, 1))
    again.turn(20)
    assert "FormatError" in partition_row(engine, 0)["halted"]
    assert partition_row(engine, 1)["next_offset"] == RECORDS


def test_the_loop_reads_until_it_is_told_to_stop_and_leaves_the_group(engine: Engine) -> None:
    bench = bench_with(engine, records=30)

    class Stop:
        turns = 0

        def is_set(self) -> bool:
            bench.clock.move(1)
            self.turns += 1
            return self.turns > 4

    running = bench.collector()
    running.collector.run(Stop())  # type: ignore[arg-type]
    assert running.source.closed
    assert partition_row(engine)["owner"] is None
    assert sum(counts(engine).values()) == 30
    assert ids(engine)
