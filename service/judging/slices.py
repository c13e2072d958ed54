"""Reads panes into the slices of a window: one merged sketch each, on one grid."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import xxhash

from service.messages import PaneRow, WindowKey
from service.reference.regrid import regrid_sketch
from service.scoring.windows import SliceKey, merge_slices
from service.sketches.codec import pane_from_bytes

if TYPE_CHECKING:
    from service.judging.terms import Panes, Terms
    from service.sketches.grids import Grid
    from service.sketches.label_sample import LabelSample
    from service.sketches.pane import PaneSketch
    from service.sketches.sample import RowSample

_BEFORE_WINDOWS = 4
_KEPT_SAMPLES, _KEPT_SKETCHES = 20_000, 256


@dataclass
class SliceReader:
    """Reads what a window, or a stretch of time around it, has counted. `grid` gives a grid by its id."""

    grid: Callable[[str], Grid]
    _samples: OrderedDict[bytes, tuple[RowSample, LabelSample]] = field(default_factory=OrderedDict)
    _sketches: OrderedDict[tuple[bytes, str], PaneSketch] = field(default_factory=OrderedDict)

    def merged(
        self, panes: Panes, start_ms: int, end_ms: int, grid: Grid, only: SliceKey | None = None
    ) -> dict[SliceKey, PaneSketch]:
        """The slices of some panes (or one of them) on a grid, to look at only: panes are kept for other windows."""
        rows = (
            row
            for row in panes(start_ms, end_ms, only.segment if only else None)
            if only is None or only.version == row.key.version
        )
        return merge_slices(
            (SliceKey(row.key.version, row.key.segment), self._on_grid(row, grid)) for row in rows
        )

    def _on_grid(self, row: PaneRow, grid: Grid) -> PaneSketch:
        """Reading a pane's bytes is what costs, and most panes are in several windows."""
        name = xxhash.xxh3_128_digest(row.sketch), grid.id
        if name in self._sketches:
            self._sketches.move_to_end(name)
            return self._sketches[name]
        own = grid if row.grid_id == grid.id else self.grid(row.grid_id)
        sketch = pane_from_bytes(row.sketch, own)
        made = self._sketches[name] = sketch if own is grid else regrid_sketch(sketch, grid)
        if len(self._sketches) > _KEPT_SKETCHES:
            self._sketches.popitem(last=False)
        return made

    def before(self, terms: Terms, key: WindowKey, until_ms: int, grid: Grid) -> PaneSketch | None:
        """The same slice in the windows before a time."""
        span = key.end_ms - key.start_ms
        return self.slice(terms, key, until_ms - _BEFORE_WINDOWS * span, until_ms, grid)

    def slice(
        self, terms: Terms, key: WindowKey, start_ms: int, end_ms: int, grid: Grid
    ) -> PaneSketch | None:
        """The same slice in another stretch of time; None when it had no rows."""
        only = SliceKey(key.version, key.segment)
        return self.merged(terms.panes, start_ms, end_ms, grid, only).get(only)

    def sample(self, row: PaneRow) -> tuple[RowSample, LabelSample]:
        """A pane's samples, kept while they may be needed again; a window looks at many panes of its past."""
        name = xxhash.xxh3_128_digest(row.sketch)
        if name not in self._samples:
            sketch = pane_from_bytes(row.sketch, self.grid(row.grid_id))
            self._samples[name] = sketch.sample, sketch.label_sample
            if len(self._samples) > _KEPT_SAMPLES:
                self._samples.popitem(last=False)
        return self._samples[name]
