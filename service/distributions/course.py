"""A column over time: what was missing, and its quantiles or categories, stretch by stretch, beside the reference's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.distributions.column import SHARES, ColumnCounts, Kind, counts_of, missing_by_name, same_kind
from service.distributions.distribution import Origin, Rows
from service.messages import Column, Missing

if TYPE_CHECKING:
    from service.distributions.stretches import Stretch
    from service.sketches.pane import PaneSketch

MOST_CATEGORIES = 7
Numbers = Sequence[float | None]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A stretch with the rows of the panes that were read of it, and all rows and panes that there are."""

    stretch: Stretch
    sketch: PaneSketch | None
    panes: int
    rows: int
    of_panes: int
    of_rows: int
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class ReferenceLevel:
    """The same figures of the reference: what the lines of the course are held against."""

    origin: Origin
    rows: int
    missing: Mapping[str, float]
    quantiles: Mapping[str, float]
    low: float | None
    high: float | None
    mean: float | None
    categories: Sequence[float]
    other: float
    unseen: float


@dataclass(frozen=True, slots=True)
class Course:
    """Columns of equal length, a place for each stretch; null where no row was read.

    `rows` and `panes` were read, of `of_rows` and `of_panes` that there are. Shares are of the rows read that may have
    a value. `categories` are the shares of those in `names`; `other` are all others that the reference knows.
    """

    kind: Kind | None
    start_ms: Sequence[int]
    end_ms: Sequence[int]
    incomplete: Sequence[bool]
    rows: Sequence[int]
    of_rows: Sequence[int]
    panes: Sequence[int]
    of_panes: Sequence[int]
    missing: Mapping[str, Numbers]
    quantiles: Mapping[str, Numbers]
    low: Numbers
    high: Numbers
    mean: Numbers
    names: Sequence[str]
    categories: Sequence[Numbers]
    other: Numbers
    unseen: Numbers
    reference: ReferenceLevel | None
    reason: str | None
    method: Sequence[str]


def course(column: Column, seen: Sequence[Seen], level: Rows) -> Course:
    """Of stretches in the order of time; `level` is the reference."""
    grid = same_kind(column, (level.sketch, *(one.sketch for one in seen)))
    told = [
        None if one.sketch is None or grid is None else counts_of(column, one.sketch, grid) for one in seen
    ]
    usual = None if level.sketch is None or grid is None else counts_of(column, level.sketch, grid)
    kind = None if grid is None else Kind.NUMBER if grid.number_at else Kind.CATEGORY
    names = _names(told, usual) if kind is Kind.CATEGORY else ()
    return Course(
        kind,
        [one.stretch.start_ms for one in seen], [one.stretch.end_ms for one in seen], [one.incomplete for one in seen],
        [one.rows for one in seen], [one.of_rows for one in seen],
        [one.panes for one in seen], [one.of_panes for one in seen],
        _missing(told),
        *_numbers(told if kind is Kind.NUMBER else []),
        names, *_categories(told if kind is Kind.CATEGORY else [], names),
        None if usual is None else _level(usual, level.origin, names),
        level.origin.reason, _method(seen, kind),
    )  # fmt: skip


def _share(hits: int, one: ColumnCounts | None) -> float | None:
    return None if one is None or not one.rows else round(hits / one.rows, 6)


def _missing(told: Sequence[ColumnCounts | None]) -> dict[str, Numbers]:
    return {
        kind.name.lower(): [_share(0 if one is None else one.missing[kind], one) for one in told]
        for kind in Missing
    }


# ---------------------------------------------------------------- numbers
def _numbers(
    told: Sequence[ColumnCounts | None],
) -> tuple[dict[str, Numbers], Numbers, Numbers, Numbers]:
    """Quantiles by share, extremes and means."""
    found = [None if one is None else one.quantiles() for one in told]
    quantiles: dict[str, Numbers] = {
        f"{share:g}": [None if one is None else one[place] for one in found]
        for place, share in enumerate(SHARES)
    }
    there = [None if values is None else one for one, values in zip(told, found, strict=True)]
    return (
        quantiles,
        [None if one is None else one.bins.low for one in there],
        [None if one is None else one.bins.high for one in there],
        [None if one is None or one.moments is None else one.moments[0] for one in there],
    )


# ---------------------------------------------------------------- categories
def _names(told: Sequence[ColumnCounts | None], usual: ColumnCounts | None) -> tuple[str, ...]:
    """The most frequent of the reference and of all stretches together."""
    totals: dict[str, float] = {}
    sides = [*([usual] if usual is not None else []), *(one for one in told if one is not None)]
    for place, one in enumerate(sides):
        weight = 1.0 if place == 0 and usual is not None else 1.0 / len(sides)
        for name, n in one.categories.items():
            if n:
                totals[name] = totals.get(name, 0.0) + weight * n / max(1, one.rows)
    return tuple(sorted(totals, key=lambda name: (-totals[name], name))[:MOST_CATEGORIES])


def _categories(
    told: Sequence[ColumnCounts | None], names: Sequence[str]
) -> tuple[list[Numbers], Numbers, Numbers]:
    named: list[Numbers] = [
        [_share(0 if one is None else one.categories.get(name, 0), one) for one in told] for name in names
    ]
    others = [_share(0 if one is None else one.others(names), one) for one in told]
    return named, others, [_share(0 if one is None else one.unseen.total, one) for one in told]


# ---------------------------------------------------------------- beside
def _level(usual: ColumnCounts, origin: Origin, names: Sequence[str]) -> ReferenceLevel:
    quantiles, rows = usual.quantiles(), max(1, usual.rows)
    has_numbers = quantiles is not None
    return ReferenceLevel(
        origin, usual.rows,
        {name: n / rows for name, n in missing_by_name(usual).items()},
        {} if quantiles is None else {f"{share:g}": one for share, one in zip(SHARES, quantiles, strict=True)},
        usual.bins.low if has_numbers else None, usual.bins.high if has_numbers else None,
        None if usual.moments is None else usual.moments[0],
        [usual.categories.get(name, 0) / rows for name in names],
        usual.others(names) / rows, usual.unseen.total / rows,
    )  # fmt: skip


def _method(seen: Sequence[Seen], kind: Kind | None) -> list[str]:
    """How the figures are made."""
    read, there = sum(one.panes for one in seen), sum(one.of_panes for one in seen)
    each = max((one.stretch.windows for one in seen), default=1)
    said = [] if each == 1 else [f"Each point is {each:,} consecutive windows together."]
    if read < there:
        said.append(f"Of {there:,} panes {read:,} were read, evenly over the time of each point.")
    if kind is Kind.NUMBER:
        said.append("Quantiles lie in the right bin of the grid; extremes are exact for the rows read.")
    return said
