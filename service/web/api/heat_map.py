"""Slice windows made a heat map: a line for each column, a place for each window, or for a few of them together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.store.window_heat import SliceWindow
    from service.store.window_scores import Named

MOST_PERCENT = 100_000
"""A thousand times the limit, and all that is more."""


@dataclass(frozen=True, slots=True)
class Place:
    """Consecutive windows that are shown as one: how many rows they have, and whether records of one were lost.

    `revision` is the highest of them; the last of them started at `last_start_ms`.
    """

    start_ms: int
    end_ms: int
    inferences: int
    labels: int
    incomplete: bool
    revision: int
    last_start_ms: int


@dataclass(frozen=True, slots=True)
class Line:
    """A column: how it stood at each place, and at worst, in percent of its limit; None where it has no score.

    It is above 100 exactly where a verdict was drift. `rang` counts these places.
    """

    role: str
    name: str
    importance: float | None
    worst: int | None
    rang: int
    percents: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """`merged` windows stand at each place; `left_out` columns are not shown."""

    places: Sequence[Place]
    lines: Sequence[Line]
    merged: int
    left_out: int


Importance = Callable[[str, str], float | None]
"""How much the model leans on a column, by its role and name; None where nobody says."""


def heat_map(
    windows: Sequence[SliceWindow],
    columns: Mapping[bytes, Sequence[Named]],
    importance: Importance,
    most_places: int,
    most_lines: int,
) -> HeatMap:
    """The map of windows that are ordered by their ends. Where windows stand together, the worst of them counts."""
    ends = sorted({one.end_ms for one in windows})
    merged = max(1, -(-len(ends) // most_places))
    place_of = {end: number // merged for number, end in enumerate(ends)}
    names = sorted({named for one in columns.values() for named in one})
    ratios = _worst(windows, columns, place_of, names)
    percents = percents_of(ratios)
    worst = percents.max(axis=1, initial=-1)
    order = _order(names, worst, importance)
    lines = [_line(names[at], importance(*names[at]), percents[at]) for at in order[:most_lines]]
    places = [_place(list(group)) for _, group in groupby(windows, key=lambda one: place_of[one.end_ms])]
    return HeatMap(places, lines, merged, len(names) - len(lines))


def percents_of(ratios: NDArray[np.float32]) -> NDArray[np.int64]:
    """Percents in steps of 5 up to the limit, and in two digits above it; -1 for NaN.

    So coarse, since a large map is sent to browsers. What is above the limit stays there, what is not does not come
    there.
    """
    scored = np.minimum(
        100 * np.nan_to_num(ratios.astype(np.float64), nan=0.0, posinf=MOST_PERCENT), MOST_PERCENT
    )
    step = np.where(scored <= 100, 5.0, 10.0 ** (np.floor(np.log10(np.maximum(scored, 100.0))) - 1))
    rounded = np.round(scored / step) * step
    sided = np.where(scored > 100, np.maximum(rounded, 101), np.minimum(rounded, 100))
    return np.where(np.isnan(ratios), -1, sided).astype(np.int64)


def _worst(
    windows: Sequence[SliceWindow],
    columns: Mapping[bytes, Sequence[Named]],
    place_of: Mapping[int, int],
    names: Sequence[Named],
) -> NDArray[np.float32]:
    """By line and place; NaN: no score."""
    number_of = {named: number for number, named in enumerate(names)}
    lines = {key: np.array([number_of[one] for one in named], np.intp) for key, named in columns.items()}
    worst = np.full((max(place_of.values(), default=-1) + 1, len(names)), np.nan, np.float32)
    for one in windows:
        at = lines.get(one.columns_id)
        if at is not None and len(at) == len(one.ratios):
            here = worst[place_of[one.end_ms]]
            here[at] = np.fmax(here[at], one.ratios)
    return worst.T


def _order(names: Sequence[Named], worst: NDArray[np.int64], importance: Importance) -> list[int]:
    """What the model leans on most first, if anybody says so; then the worst, then by name."""
    leans = [importance(*named) for named in names]
    return sorted(range(len(names)), key=lambda at: (-_usual(leans[at]), -worst[at], names[at]))


def _usual(importance: float | None) -> float:
    return 1.0 if importance is None else importance


def _line(named: Named, importance: float | None, percents: NDArray[np.int64]) -> Line:
    told = [None if one < 0 else one for one in percents.tolist()]
    worst = int(percents.max(initial=-1))
    return Line(*named, importance, None if worst < 0 else worst, int((percents > 100).sum()), told)


def _place(windows: Sequence[SliceWindow]) -> Place:
    return Place(
        min(one.start_ms for one in windows),
        max(one.end_ms for one in windows),
        sum(one.inferences for one in windows),
        sum(one.labels for one in windows),
        any(one.incomplete for one in windows),
        max(one.revision for one in windows),
        max(one.start_ms for one in windows),
    )
