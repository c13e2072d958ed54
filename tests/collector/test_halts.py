"""A halted partition waits for a person, and goes on as soon as that person says so."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, text

from service.messages import UnknownModels
from service.store.engine import transaction
from service.store.partition_rows import reset_partitions, resume_partitions
from tests.collector.test_loop import RECORDS, bench_with, unfaulted
from tests.fakes.collecting import counts, ids, is_balanced, partition_row, stored
from tests.fakes.events import T0_MS, stream
from tests.fakes.source import FakeSource

pytestmark = pytest.mark.postgres


def test_a_resumed_partition_goes_on_without_a_restart(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    bench = bench_with(engine)
    running = bench.collector()
    running.turn(3)
    running.collector._halt(next(iter(running.collector._held)), "somebody must look")
    running.turn(60)
    assert partition_row(engine)["halted"] == "somebody must look"
    assert caplog.text.count("is halted until a person looks") == 1
    assert running.value("driftbell_commits_total", outcome="halted") == 1
    more = stream(20, seed=3)
    bench.log.append(more.values, more.ts_ms)
    resume_partitions(engine, "events")
    running.turn(20)
    assert partition_row(engine)["next_offset"] == RECORDS + 20
    assert is_balanced(engine)


def test_a_topic_made_anew_is_read_from_its_start_once_it_is_reset(engine: Engine) -> None:
    bench = bench_with(engine)
    running = bench.collector()
    running.read_all()
    bench.log.recreate()
    made = stream(50, seed=3)
    bench.log.append(made.values, made.ts_ms)
    running.turn(8)
    assert partition_row(engine)["halted"]
    reset_partitions(engine, "events")
    running.turn(20)
    row = partition_row(engine)
    assert (row["next_offset"], row["first_offset"], row["halted"]) == (50, 0, None)
    assert sum(counts(engine).values()) == 50
    assert is_balanced(engine)


def test_a_recount_comes_to_the_same_as_the_first_count(engine: Engine) -> None:
    expected = unfaulted(engine)
    bench = bench_with(engine)
    running = bench.collector()
    running.read_all()
    reset_partitions(engine, "events", recount=True)
    running.turn(80)
    assert stored(engine) == expected


def test_panes_without_a_position_are_not_counted_again(engine: Engine) -> None:
    bench = bench_with(engine)
    bench.collector().read_all()
    before = stored(engine)["panes"]
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM source_partition"))
    running = bench.collector()
    running.turn(30)
    assert stored(engine)["panes"] == before
    assert running.value("driftbell_commits_total", outcome="halted") == 1


def test_a_gap_waits_while_the_log_cannot_be_asked(engine: Engine) -> None:
    bench = bench_with(engine, partitions=2)
    source = FakeSource(bench.log)
    running = bench.collector(source, assigned=(0, 1))
    running.read_all()
    for number in (0, 1):
        bench.log.truncate(250, number)
    really, calls = source.topic_id, iter(range(100))

    def topic_id(topic: str):  # type: ignore[no-untyped-def]
        source.away = next(calls) < 3
        return really(topic)

    source.topic_id = topic_id  # type: ignore[method-assign]
    for _ in range(40):
        source.away = False
        running.turn(1)
    assert [partition_row(engine, n)["next_offset"] for n in (0, 1)] == [250, 250]


def test_ids_are_not_forgotten_under_monitors_that_are_too_old_to_know_them(engine: Engine) -> None:
    """A model is learned by this collector's own checkpoint; the partition is lost and claimed again before a look."""

    def event(i: int, model: str, ms: int) -> bytes:
        return json.dumps(
            {"type": "features", "model": model, "id": f"p-{i}", "ts": T0_MS + ms, "features": {"a": i}}
        ).encode()

    bench = bench_with(engine, records=0)
    values: list[bytes | None] = [event(i, "new", 0) for i in range(5)]
    values += [event(9, "churn", 5_000)]
    bench.log.append(values, [T0_MS + 10_000] * len(values))
    running = bench.collector(unknown_models=UnknownModels.LEARN, look_seconds=5.0)
    running.turn(3)
    before = ids(engine)
    assert any(key[2] == "new" for key in before)
    running.source.lose(0)
    running.turn(1, seconds=0.1)
    running.source.assign(0)
    running.turn(1, seconds=0.1)
    running.turn(3, seconds=5)
    assert ids(engine) == before
    bench.log.append([event(0, "new", 0)], [T0_MS + 10_000])
    running.read_all()
    assert counts(engine)["duplicate"] == 1
