"""Which windows there are, and the merging of panes into them.

    panes    |0m|1m|2m|3m|4m|5m|6m|7m|8m|9m|        windows of length L, anew every E, end at the multiples of E:
    5m       |------5m------|------5m------|        a window is [end - L, end)
    5m/1m          |------5m------|
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from service.monitor import WindowSpec

if TYPE_CHECKING:
    from service.sketches.pane import PaneSketch

EMPTY_WINDOWS = 3
"""So many windows without any event are still scored after the last one with events: silence shows, then rests."""


class Due(NamedTuple):
    """A window to score, in the order in which windows are folded."""

    end_ms: int
    length_ms: int
    spec: WindowSpec

    @property
    def start_ms(self) -> int:
        """Where the window begins."""
        return self.end_ms - self.length_ms


class SliceKey(NamedTuple):
    """A slice of a model's traffic; '' is all of it."""

    version: str
    segment: str


def due_windows(specs: Sequence[WindowSpec], pane_starts: Iterable[int], after_ms: int, until_ms: int) -> list[Due]:
    """The windows with `after_ms` < end <= `until_ms` that hold a pane, or closely follow one that does."""
    starts = sorted(set(pane_starts))
    due: set[Due] = set()
    for spec in specs:
        for start in starts:
            first = start - start % spec.every_ms + spec.every_ms
            last = start + spec.length_ms + EMPTY_WINDOWS * spec.every_ms
            first = max(first, after_ms - after_ms % spec.every_ms + spec.every_ms)
            due.update(Due(end, spec.length_ms, spec) for end in range(first, min(last, until_ms) + 1, spec.every_ms))
    return sorted(due)


def rows_in(totals: Mapping[int, int], window: Due) -> int:
    """Rows counted in the panes of a window, given the rows of each pane by its start."""
    return sum(rows for start, rows in totals.items() if window.start_ms <= start < window.end_ms)


def merge_slices(panes: Iterable[tuple[SliceKey, PaneSketch]]) -> dict[SliceKey, PaneSketch]:
    """One sketch a slice. The first pane of a slice is merged into: hand over sketches that nobody else holds."""
    slices: dict[SliceKey, PaneSketch] = {}
    for key, sketch in panes:
        merged = slices.get(key)
        if merged is None:
            slices[key] = sketch
        else:
            merged.merge(sketch)
    return slices
