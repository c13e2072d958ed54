"""A time cut into the windows that a chart has points for, and which of their panes are looked into.

windows    |--|--|--|--|--|--|--|--|--|        nine windows, at most four points: three windows each
stretches  |--------|--------|--------|
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.monitor import WindowSpec

IntArray = NDArray[np.int64]


class Stretch(NamedTuple):
    """[start_ms, end_ms) of event time: one window, or `windows` consecutive ones together."""

    start_ms: int
    end_ms: int
    windows: int


def stretches_of(spec: WindowSpec, since_ms: int, until_ms: int, most: int) -> tuple[Stretch, ...]:
    """The windows that end in (since_ms, until_ms], consecutive ones together where there are more than `most`."""
    every = spec.every_ms
    first, last = since_ms // every + 1, until_ms // every
    windows = last - first + 1
    if windows <= 0:
        return ()
    each = -(-windows // most)
    if each == 1:
        ends = (place * every for place in range(first, last + 1))
        return tuple(Stretch(end - spec.length_ms, end, 1) for end in ends)
    lasts = range(last, first - 1, -each)
    return tuple(Stretch(max(at - each, first - 1) * every, at * every, each) for at in reversed(lasts))


def chosen_panes(starts: IntArray, stretches: Sequence[Stretch], most: int) -> IntArray:
    """Of the ascending starts of panes, so many of each stretch as are read at the most, evenly over its time."""
    within = [np.searchsorted(starts, [one.start_ms, one.end_ms]) for one in stretches]
    each = max(1, most // max(1, sum(first < last for first, last in within)))
    chosen = [np.empty(0, np.int64)]
    for first, last in within:
        taken = min(each, int(last - first))
        places = first + ((2 * np.arange(taken) + 1) * (last - first)) // (2 * max(1, taken))
        chosen.append(starts[places])
    return np.unique(np.concatenate(chosen))
