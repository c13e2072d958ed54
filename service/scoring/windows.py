"""Which windows there are, and the merging of panes into them.

panes    |0m|1m|2m|3m|4m|5m|6m|7m|8m|9m|        windows of length L, anew every E, end at the multiples of E:
5m       |------5m------|------5m------|        a window is [end - L, end)
5m/1m          |------5m------|
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from service.monitor import WindowSpec
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


def due_windows(
    specs: Sequence[WindowSpec], pane_starts: Iterable[int], after_ms: int, until_ms: int
) -> list[Due]:
    """The windows with `after_ms` < end <= `until_ms` that hold a pane, or closely follow one that does."""
    starts = sorted(set(pane_starts))
    due: set[Due] = set()
    for spec in specs:
        for start in starts:
            first = start - start % spec.every_ms + spec.every_ms
            last = start + spec.length_ms + EMPTY_WINDOWS * spec.every_ms
            first = max(first, after_ms - after_ms % spec.every_ms + spec.every_ms)
            due.update(
                Due(end, spec.length_ms, spec) for end in range(first, min(last, until_ms) + 1, spec.every_ms)
            )
    return sorted(due, key=lambda w: (w.end_ms, w.length_ms, w.spec.every_ms))


class PaneRows:
    """Rows counted in panes, by the panes' starts. Asking for a window costs the logarithm of the number of panes."""

    def __init__(self, totals: Mapping[int, int]) -> None:
        self.starts = sorted(totals)
        self._upto = list(accumulate((totals[start] for start in self.starts), initial=0))

    def within(self, window: Due) -> int:
        """Rows in the panes of a window."""
        first, last = bisect_left(self.starts, window.start_ms), bisect_left(self.starts, window.end_ms)
        return self._upto[last] - self._upto[first]


def merge_slices(panes: Iterable[tuple[SliceKey, PaneSketch]]) -> dict[SliceKey, PaneSketch]:
    """One sketch a slice. No sketch that is handed over is changed; a slice of one pane is that pane's sketch."""
    slices: dict[SliceKey, PaneSketch] = {}
    ours: set[SliceKey] = set()
    for key, sketch in panes:
        if key not in slices:
            slices[key] = sketch
            continue
        if key not in ours:
            ours.add(key)
            slices[key] = _copy(slices[key])
        slices[key].merge(sketch)
    return slices


def _copy(sketch: PaneSketch) -> PaneSketch:
    made = PaneSketch(sketch.grid)
    made.merge(sketch)
    return made
