"""The realized performance of windows: outcomes of their panes together, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.messages import WindowKey
from service.monitor import WindowSpec
from service.performance.counting import Arrays, Counting, added
from service.performance.slices import slices_of

if TYPE_CHECKING:
    from detectors.performance.metric import Metric
    from service.monitor import Monitor
    from service.performance.changes import Place

REALIZED = "realized"
SliceOutcomes = Mapping[tuple[str, str], Arrays]
"""Outcomes by version and segment; '' is all traffic of the version."""


@dataclass(frozen=True, slots=True)
class Performance:
    """Metrics of one slice of a window, on the basis of labels (realized) or without them (estimated)."""

    key: WindowKey
    basis: str
    metrics: tuple[Metric, ...]


def judged_spec(monitor: Monitor) -> WindowSpec:
    """The kind of window that is judged: the shortest that tumbles, so that no row counts twice."""
    tumbling = [spec for spec in monitor.windows if spec.length_ms == spec.every_ms]
    shortest = min(monitor.windows, key=lambda spec: (spec.every_ms, spec.length_ms))
    return min(tumbling, key=lambda spec: spec.length_ms, default=WindowSpec.tumbling(shortest.every_ms))


def windows_with(
    panes: Mapping[int, int], specs: Sequence[WindowSpec], until_ms: int
) -> set[tuple[int, str]]:
    """The ends and kinds of the windows that hold one of these panes, end by `until_ms`, and are not told of yet.

    `panes` are starts, and until which end the windows of each are told.

        every  |----|----|----|----|
        window      [---------)          ends at each multiple of `every` within `length` after the pane's start
    """
    return {
        (end, spec.name)
        for start, told_ms in panes.items()
        for spec in specs
        for end in range(
            start - start % spec.every_ms + spec.every_ms, start + spec.length_ms + 1, spec.every_ms
        )
        if told_ms < end <= until_ms
    }


def outcomes_by_slice(outcomes: Mapping[Place, Arrays], names: Mapping[int, str]) -> SliceOutcomes:
    """The outcomes of panes, by pane and list of slices, added up by version and segment."""
    by_slice: dict[tuple[str, str], Arrays] = {}
    for (_, number), arrays in sorted(outcomes.items()):
        version, *segments = slices_of(names[number]) or ("",)
        for segment in ("", *segments):
            before = by_slice.get((version, segment))
            by_slice[version, segment] = arrays if before is None else added(before, arrays)
    return dict(sorted(by_slice.items()))


def performance_of(window: WindowKey, slices: SliceOutcomes, counting: Counting) -> list[Performance]:
    """Of each version, and of each segment of it; `window` names the model."""
    return [
        Performance(window._replace(version=version, segment=segment), REALIZED, counting.metrics(arrays))
        for (version, segment), arrays in slices.items()
    ]
