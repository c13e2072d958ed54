"""A topic that is poisoned stops its partition instead of being drained."""

from __future__ import annotations

import json
from itertools import cycle

import pytest
from sqlalchemy import Engine

from service.messages import UnknownModels
from service.store.partition_rows import resume_partitions
from tests.collector.test_loop import bench_with
from tests.fakes.collecting import Bench, counts, is_balanced, partition_row
from tests.fakes.events import STEP_MS, T0_MS
from tests.fakes.source import FakeSource

pytestmark = pytest.mark.postgres


def good(n: int, model: str = "churn") -> list[bytes | None]:
    return [
        json.dumps({"type": "features", "model": model, "features": {"amount": i}}).encode() for i in range(n)
    ]


def bench_of(engine: Engine, *stretches: list[bytes | None]) -> Bench:
    bench = bench_with(engine, records=0)
    for values in stretches:
        append(bench, values)
    return bench


def append(bench: Bench, values: list[bytes | None]) -> None:
    at = bench.log.end(0)
    bench.log.append(values, [T0_MS + STEP_MS * (at + i) for i in range(len(values))])


def test_more_dead_letters_than_records_stop_the_partition(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    bench = bench_of(engine, good(1_000), [b"{"] * 600 + good(400), good(2_000))
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([500])))
    running.turn(20)
    assert partition_row(engine)["halted"] == (
        "600 of the last 1000 records are dead letters, most often bad_json; "
        "mend what writes them, then `driftbell partitions resume`"
    )
    assert partition_row(engine)["next_offset"] == 2_000
    assert (counts(engine)["accepted"], counts(engine)["dead"]) == (1_400, 600)
    assert "halted until a person looks" in caplog.text
    assert is_balanced(engine)


def test_a_person_who_has_looked_lets_it_read_on_until_it_is_good_again(engine: Engine) -> None:
    #  1,000 poison | halt, resume | 2,000 poison | 1,000 good: armed again | 1,000 poison | halt
    bench = bench_of(engine, [b"{"] * 3_000, good(1_000))
    bench.collector(FakeSource(bench.log, most_at_once=cycle([500]))).turn(10)
    assert partition_row(engine)["next_offset"] == 1_000
    resume_partitions(engine, "events")
    running = bench.collector(FakeSource(bench.log, most_at_once=cycle([500])))
    running.read_all()
    assert partition_row(engine)["halted"] is None
    assert partition_row(engine)["dead_accepted"] is False
    append(bench, [b"["] * 1_000)
    running.turn(10)
    assert "bad_json" in partition_row(engine)["halted"]


def test_fewer_dead_letters_than_good_records_stop_nothing(engine: Engine) -> None:
    bench = bench_of(engine, [v for pair in zip(good(2_000), [b"{"] * 2_000, strict=True) for v in pair])
    bench.collector().read_all()
    assert (counts(engine)["dead"], partition_row(engine)["halted"]) == (2_000, None)


def test_models_that_nobody_watches_are_no_poison(engine: Engine) -> None:
    bench = bench_of(engine, good(2_000, model="other"))
    bench.collector(unknown_models=UnknownModels.QUARANTINE).read_all()
    assert (counts(engine)["dead"], partition_row(engine)["halted"]) == (2_000, None)


def test_the_share_can_be_set(engine: Engine) -> None:
    bench = bench_of(engine, [b"{"] * 3_000)
    bench.collector(most_dead_share=1.0).read_all()
    assert counts(engine)["dead"] == 3_000


def test_dead_letters_in_hand_are_written_before_they_are_many(engine: Engine) -> None:
    bench = bench_of(engine, [b"{"] * 12_000)
    running = bench.collector(
        FakeSource(bench.log, most_at_once=cycle([3_000])), most_dead_share=1.0, commit_interval_seconds=1e9
    )
    running.turn(3)
    assert counts(engine)["dead"] == 6_000
