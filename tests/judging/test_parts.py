"""The parts of a slice's rows add up to the slice, however they are spread over partitions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from service.configuration import ModelVersion
from service.judging.parts import Parts
from service.judging.slices import SliceReader
from service.judging.terms import Terms
from service.messages import PaneKey, PaneRow, Partition, WindowKey
from service.monitor import Monitor, WindowSpec
from service.sketches.codec import pane_to_bytes
from service.sketches.pane import PaneSketch
from tests.scoring.sketches import AMOUNT, GRID, drawn
from tests.scoring.streams import calm_reference

MINUTE = 60_000
SPEC = WindowSpec.tumbling(5 * MINUTE)
KEY = WindowKey("churn", "1", "", SPEC.name, 30 * MINUTE, 35 * MINUTE)
REFERENCE = calm_reference(blocks=2, rows=400)


@dataclass
class Log:
    """The panes of one minute each, in each partition; `reads` are the spans that were asked for."""

    partitions: Sequence[Partition | None]
    rows: list[PaneRow] = field(default_factory=list)
    reads: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for minute in range(10, 35):
            for number, partition in enumerate(self.partitions):
                sketch = drawn(20 + number, np.random.default_rng([minute, number]))
                start = minute * MINUTE
                key = PaneKey("churn", "1", "", start)
                data = pane_to_bytes(sketch)
                self.rows.append(
                    PaneRow(key, start + MINUTE, GRID.id, sketch.inferences, 0, 0, data, partition)
                )

    def panes(self, start_ms: int, end_ms: int, segment: str | None = None) -> Iterable[PaneRow]:
        """The panes that start in between."""
        self.reads.append((start_ms, end_ms))
        assert segment in {"", None}  # the only one that there is
        return [row for row in self.rows if start_ms <= row.key.start_ms < end_ms]

    def parts(self) -> Parts:
        """Those of the window since its start."""
        reader = SliceReader({GRID.id: GRID}.__getitem__)
        return Parts(reader, self.terms, REFERENCE, (), KEY, KEY.start_ms)

    @property
    def terms(self) -> Terms:
        """What the window is judged by."""
        version = ModelVersion(Monitor("churn", reference="r", windows=(SPEC,)), GRID, reference_name="r")
        return Terms(version, SPEC, KEY, self.panes)


def bytes_of(sketch: PaneSketch | None) -> bytes | None:
    """Its canonical bytes."""
    return None if sketch is None else pane_to_bytes(sketch)


def spread(number: int) -> list[Partition | None]:
    """So many partitions."""
    return [Partition("events", one) for one in range(number)]


@pytest.mark.parametrize(
    "partitions",
    [spread(1), spread(4), spread(65), [None], [None, *spread(3)]],
    ids=["one", "some", "too many", "not known", "one not known"],
)
def test_the_partitions_together_are_the_slice(partitions: list[Partition | None]) -> None:
    log = Log(partitions)
    reader, parts = SliceReader({GRID.id: GRID}.__getitem__), log.parts()
    now = reader.slice(log.terms, KEY, KEY.start_ms, KEY.end_ms, GRID)
    assert bytes_of(parts.current) == bytes_of(now)
    assert bytes_of(parts.before) == bytes_of(reader.before(log.terms, KEY, KEY.start_ms, GRID))


def test_rows_of_a_partition_that_has_stopped_belong_to_what_was_before() -> None:
    log = Log(spread(3))
    stopped = Partition("events", 1)
    log.rows = [r for r in log.rows if r.partition != stopped or r.key.start_ms < KEY.start_ms]
    before = SliceReader({GRID.id: GRID}.__getitem__).before(log.terms, KEY, KEY.start_ms, GRID)
    parts = log.parts()
    assert bytes_of(parts.before) == bytes_of(before)
    assert stopped not in parts.places(AMOUNT).partitions


@pytest.mark.parametrize(("number", "told"), [(1, 0), (2, 2), (64, 64), (65, 0)])
def test_partitions_are_told_apart_unless_there_is_one_or_too_many(number: int, told: int) -> None:
    partitions = Log(spread(number)).parts().places(AMOUNT).partitions
    assert len(partitions) == told
    for part, rows in zip(partitions.values(), range(20, 20 + number), strict=False):
        assert part.usual is not None
        assert (part.now.rows, part.usual.rows) == (5 * rows, 20 * rows)


def test_panes_are_read_from_the_store_once_for_all_partitions() -> None:
    log = Log(spread(8))
    parts = log.parts()
    assert (parts.current, parts.before) != (None, None)
    parts.places(AMOUNT)
    assert len(log.reads) == len(set(log.reads)) == 2
