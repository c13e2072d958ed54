"""The open panes of a partition in bounded memory.

A pane that is written to is a dense sketch, some ten times larger than its bytes. Once the dense ones weigh more than
the budget, those that were not written to for longest are kept as their bytes and read again when a row comes: a
backlog that is spread over thousands of panes costs time then, not memory. The bytes are the same either way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.messages import PaneKey, PaneRow
from service.sketches.codec import pane_from_bytes, pane_to_bytes
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from service.configuration import ModelVersion
    from service.sketches.grids import Grid

DENSE_BYTES = 64 * 2**20
"""So much the dense sketches of one partition may weigh."""
_EXTRA_BYTES = 6_000


@dataclass(slots=True)
class OpenPane:
    """One pane: a dense sketch, or asleep as the row that is stored of it. `dirty`: that is not stored yet.

    `folded` are the cells without a name of their own when it fell asleep, `told` when it was committed last.
    """

    key: PaneKey
    grid: Grid
    end_ms: int
    expires_ms: int
    held: PaneSketch | PaneRow
    dirty: bool = True
    told: tuple[int, int] = (0, 0)
    folded: tuple[int, int] = (0, 0)

    def wake(self) -> PaneSketch:
        """The sketch, to be written to."""
        if isinstance(self.held, PaneRow):
            self.held = pane_from_bytes(self.held.sketch, self.grid)
        return self.held

    def sleep(self) -> None:
        """Keep the bytes only."""
        self.folded, self.held = self.folded_cells(), self.row()

    def folded_cells(self) -> tuple[int, int]:
        """Cells of features, and of categories, that were too many for a name of their own."""
        return self.folded if isinstance(self.held, PaneRow) else _folded(self.held)

    def row(self) -> PaneRow:
        """The pane as it is stored."""
        if isinstance(self.held, PaneRow):
            return self.held
        one = self.held
        return PaneRow(
            self.key, self.end_ms, self.grid.id, one.inferences, one.labels, one.last_ms, pane_to_bytes(one)
        )


@dataclass
class OpenPanes:
    """The panes that a row may still reach, by key; `_awake` holds the weights of the dense ones, oldest use first."""

    dense_bytes: int = DENSE_BYTES
    _panes: dict[PaneKey, OpenPane] = field(default_factory=dict)
    _awake: dict[PaneKey, int] = field(default_factory=dict)
    _weight: int = 0

    def __iter__(self) -> Iterator[PaneKey]:
        return iter(self._panes)

    def put(self, key: PaneKey, sketch: PaneSketch, version: ModelVersion) -> None:
        """Take over a pane that is stored."""
        self._open(key, sketch, version, dirty=False)

    def sketch_of(self, key: PaneKey, version: ModelVersion) -> PaneSketch:
        """The sketch to write to; opened if it is new."""
        pane = self._panes.get(key) or self._open(key, PaneSketch(version.grid), version, dirty=True)
        pane.dirty = True
        return pane.wake()

    def _open(self, key: PaneKey, sketch: PaneSketch, version: ModelVersion, *, dirty: bool) -> OpenPane:
        end = key.start_ms + version.monitor.pane_ms
        patience = version.monitor.allowed_lateness_ms + version.monitor.disorder_ms
        pane = OpenPane(key, version.grid, end, end + patience, sketch, dirty=dirty, told=_folded(sketch))
        self._panes[key] = pane
        self.wrote(key)
        return pane

    def wrote(self, key: PaneKey) -> None:
        """It was used just now; who was not for longest falls asleep when all of them weigh too much."""
        pane = self._panes[key]
        self._weight -= self._awake.pop(key, 0)
        weight = self._awake[key] = _weight(pane.wake())
        self._weight += weight
        while self._weight > self.dense_bytes and len(self._awake) > 1:
            oldest = next(iter(self._awake))
            self._weight -= self._awake.pop(oldest)
            self._panes[oldest].sleep()

    def changed(self) -> list[PaneRow]:
        """The panes that are not stored yet as they are."""
        return [pane.row() for pane in self._panes.values() if pane.dirty]

    def dirty_count(self) -> int:
        """How many these are."""
        return sum(pane.dirty for pane in self._panes.values())

    def capped(self) -> Mapping[str, int]:
        """Cells of features and of categories beyond the caps that were counted since the last commit."""
        features = categories = 0
        for pane in self._panes.values():
            if pane.dirty and not pane.key.segment:
                now = pane.folded_cells()
                features, categories = features + now[0] - pane.told[0], categories + now[1] - pane.told[1]
        return {"feature": features, "category": categories}

    def committed(self, highest_ms: int) -> None:
        """All is stored: forget what no row can reach any more."""
        for pane in self._panes.values():
            if pane.dirty:
                pane.told, pane.dirty = pane.folded_cells(), False
        for key in [key for key, pane in self._panes.items() if pane.expires_ms <= highest_ms]:
            del self._panes[key]
            self._weight -= self._awake.pop(key, 0)


def _weight(sketch: PaneSketch) -> int:
    return (
        sketch.numbers.counts.nbytes
        + sketch.categories.counts.nbytes
        + _EXTRA_BYTES * (1 + len(sketch.extras))
    )


def _folded(sketch: PaneSketch) -> tuple[int, int]:
    return sketch.extras_dropped, sum(unseen.other for unseen in sketch.categories.unseen)
