"""Panes that nobody writes to sleep as bytes: less memory, the same state."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from service.configuration import ModelVersion
from service.intake.decoder import Decoder
from service.panes.open_panes import OpenPanes
from service.panes.partition import MOST_VERSIONS, PartitionPanes
from service.pipeline import PartitionPipeline
from service.sketches.bottom_k import SIZE
from service.sketches.pane import MAX_EXTRAS
from tests.panes.logs import PARTITION, part_of, records
from tests.panes.test_partition import FINE, T, at, configured, monitor

MINUTES = 600
BACKLOG = configured(ModelVersion(monitor(allowed_lateness_ms=10**10, pane_ms=60_000), FINE))


def pipeline_with(dense_bytes: int) -> PartitionPipeline:
    panes = PartitionPanes(panes=OpenPanes(dense_bytes))
    return PartitionPipeline(PARTITION, Decoder(BACKLOG), panes, 0)


def spread(rows: int, seed: int = 5) -> list[dict[str, object]]:
    chance = random.Random(seed)
    return [at(60 * chance.randrange(MINUTES), id=str(chance.randrange(rows))) for _ in range(rows)]


@pytest.mark.parametrize("dense_bytes", [0, 30_000, 10**9])
def test_the_stored_bytes_do_not_depend_on_who_slept(dense_bytes: int) -> None:
    log = records(spread(1_500), T + 10**9)
    found = []
    for budget in (10**12, dense_bytes):
        pipeline, rows = pipeline_with(budget), {}
        for start in range(0, len(log), 100):
            pipeline.take(part_of(log, start, start + 100))
            if start % 300 == 0:
                rows |= {row.key: row for row in pipeline.checkpoint().panes}
                pipeline.committed()
        found.append(rows | {row.key: row for row in pipeline.checkpoint().panes})
    assert found[0] == found[1]


def test_a_backlog_that_is_spread_over_many_panes_stays_within_its_budget() -> None:
    log = records(spread(3_000), T + 10**9)
    used = {}
    for budget in (2**20, 10**12):
        pipeline = pipeline_with(budget)
        pipeline.take(part_of(log, 0, 10))
        tracemalloc.start()
        for start in range(10, len(log), 100):
            pipeline.take(part_of(log, start, start + 100))
        used[budget] = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
    assert used[2**20] < used[10**12] / 2


def test_many_changed_panes_do_not_wait_for_more() -> None:
    pipeline = pipeline_with(2**20)
    pipeline.take(records([at(60 * minute) for minute in range(999)], T + 10**9))
    assert not pipeline.is_heavy
    pipeline.take(records([at(60 * minute) for minute in range(999, 1_001)], T + 10**9, first=999))
    assert pipeline.is_heavy


def test_what_is_folded_into_other_is_counted_once() -> None:
    pipeline = PartitionPipeline(PARTITION, Decoder(configured(segments=("country",))), PartitionPanes(), 0)
    versions = [at(1, version=str(v)) for v in range(MOST_VERSIONS + 5)]
    features = [at(1, version="0", features={f"f{i}": 1.0 for i in range(MAX_EXTRAS + 7)})]
    categories = [at(1, version="0", features={"country": f"c{i}"}) for i in range(3 * SIZE)]
    pipeline.take(records([*versions, *features, *categories], T + 10**9))
    first = pipeline.checkpoint().capped
    assert (first["version"], first["feature"]) == (5, 7)
    assert first["category"] >= SIZE
    assert pipeline.checkpoint().capped == first
    pipeline.committed()
    assert pipeline.checkpoint().capped == {}
    pipeline.take(records([at(2, version="another")], T + 10**9, first=10_000))
    assert pipeline.checkpoint().capped == {"version": 1}
