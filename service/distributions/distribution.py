"""A column's distribution now, beside the reference's or that of another time: bars, curves and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from service.distributions.bins import ranges_for
from service.distributions.column import (
    SHARES,
    ColumnCounts,
    Kind,
    counts_of,
    missing_by_name,
    same_kind,
    wrong_texts,
)
from service.distributions.ecdf import Ecdf, ecdf
from service.distributions.wording import MISSING_WORDS
from service.messages import Column, Missing
from service.reference.regrid import regrid_counts

if TYPE_CHECKING:
    from service.sketches.bottom_k import BottomK
    from service.sketches.pane import PaneSketch

MOST_CATEGORIES, MOST_NAMED = 12, 10


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the rows of a side come from: a reference by its name, or panes that start in [since_ms, until_ms).

    The times of a reference are those of its first and last row, where it knows them. Of the panes of the time `panes`
    of `of_panes` were read. `incomplete`: records of it were lost. `reason` says why there are no rows.
    """

    reference: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    panes: int = 0
    of_panes: int = 0
    incomplete: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison in figures. `rows` may have a value of the column, `values` have one."""

    origin: Origin
    rows: int = 0
    values: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bar:
    """How many rows of each side have such a value, and which share of them; None: there is no such side.

    `what` is range, value, category, other (less frequent categories), unseen, or missing. `low` and `high` bound a
    range: from `low` on, below `high`; equal ones are a single value.
    """

    name: str
    what: str
    current: int | None
    against: int | None
    current_share: float | None
    against_share: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A text that no category of the reference is, and how many rows of each side have it."""

    name: str
    current: int
    against: int


@dataclass(frozen=True, slots=True)
class Curves:
    """Share of the values below each point; between points it is off by at most so much of the side's values."""

    points: Sequence[float] = ()
    current: Sequence[float] = ()
    against: Sequence[float] = ()
    current_resolution: float | None = None
    against_resolution: float | None = None


@dataclass(frozen=True, slots=True)
class Distribution:
    """Both sides: in figures, as bars whose counts sum to the rows, and as curves. `kind`: None where nothing came."""

    kind: Kind | None
    current: Side
    against: Side
    bars: Sequence[Bar]
    ecdf: Curves
    unseen: Sequence[Named]
    method: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A side before it is compared: what was counted, None where there is nothing, and where that comes from."""

    sketch: PaneSketch | None
    origin: Origin


def distribution(column: Column, current: Rows, against: Rows) -> Distribution:
    """The one beside the other; the reference, or the earlier time, says how the column is read."""
    grid = same_kind(column, (against.sketch, current.sketch))
    if grid is None:
        return Distribution(None, Side(current.origin), Side(against.origin), (), Curves(), (), ())
    sides = [
        None if one.sketch is None else counts_of(column, one.sketch, grid) for one in (current, against)
    ]
    kind = Kind.NUMBER if grid.number_at else Kind.CATEGORY
    bars = _number_bars(sides) if kind is Kind.NUMBER else _category_bars(sides)
    curves = _curves(sides)
    return Distribution(
        kind, _side(sides[0], current.origin), _side(sides[1], against.origin),
        (*bars, *_missing_bars(sides)), curves, _unseen(column, sides, (current, against)),
        tuple(_method(kind, curves, known=column in _known(current, against))),
    )  # fmt: skip


def _known(*sides: Rows) -> set[Column]:
    grids = [one.sketch.grid for one in sides if one.sketch is not None]
    return {column for grid in grids for column in (*grid.number_at, *grid.text_at)}


def _side(counts: ColumnCounts | None, origin: Origin) -> Side:
    if counts is None:
        return Side(origin)
    side = Side(origin, counts.rows, counts.values, missing_by_name(counts))
    quantiles = counts.quantiles()
    if quantiles is None:
        return side
    mean, std = counts.moments or (None, None)
    by_share = {f"{share:g}": one for share, one in zip(SHARES, quantiles, strict=True)}
    return replace(side, low=counts.bins.low, high=counts.bins.high, mean=mean, std=std, quantiles=by_share)


_Sides = list[ColumnCounts | None]


def _bar(name: str, what: str, counts: Sequence[int | None], sides: _Sides) -> Bar:
    current, against = counts
    shares = [
        None if count is None or one is None else count / max(1, one.rows)
        for count, one in zip(counts, sides, strict=True)
    ]
    return Bar(name, what, current, against, shares[0], shares[1])


# ---------------------------------------------------------------- numbers
def _number_bars(sides: _Sides) -> list[Bar]:
    """Ranges; those that are single values or lie beyond the ends only where a row is in them."""
    filled = [one.bins for one in sides if one is not None and one.bins.counts.any()]
    if not filled:
        return []
    edges, ranges = ranges_for(filled)
    counts = [None if one is None else regrid_counts(*one.bins, edges).tolist() for one in sides]
    has_values = any(one.low == one.high for one in ranges)
    bars = []
    for place, (name, low, high) in enumerate(ranges):
        found = [None if one is None else one[place] for one in counts]
        is_value, is_end = low == high, low is None or high is None
        if any(found) or is_value or not (has_values or is_end):
            bar = _bar(name, "value" if is_value else "range", found, sides)
            bars.append(replace(bar, low=low, high=high))
    return bars


def _curves(sides: _Sides) -> Curves:
    filled = {at: one.bins for at, one in enumerate(sides) if one is not None and one.bins.counts.any()}
    if not filled:
        return Curves()
    found: Ecdf = ecdf(tuple(filled.values()))
    by_side = dict(zip(filled, found.curves, strict=True))
    current, against = by_side.get(0), by_side.get(1)
    return Curves(
        found.points,
        () if current is None else current.below,
        () if against is None else against.below,
        None if current is None else current.resolution,
        None if against is None else against.resolution,
    )


# ---------------------------------------------------------------- categories
def _category_bars(sides: _Sides) -> list[Bar]:
    """The most frequent of either side, the others together, and those that are no category."""
    there = [one for one in sides if one is not None]
    shares = {
        name: max(one.categories.get(name, 0) / max(1, one.rows) for one in there)
        for side in there
        for name in side.categories
    }
    named = sorted((n for n in shares if shares[n]), key=lambda name: (-shares[name], name))[:MOST_CATEGORIES]
    bars = [
        _bar(name, "category", [None if one is None else one.categories.get(name, 0) for one in sides], sides)
        for name in named
    ]
    others = [None if one is None else one.others(named) for one in sides]
    unseen = [None if one is None else one.unseen.total for one in sides]
    return [*bars, _bar("other", "other", others, sides), _bar("unseen", "unseen", unseen, sides)]


def _unseen(column: Column, sides: _Sides, rows: Sequence[Rows]) -> tuple[Named, ...]:
    """The most frequent of the texts that are no category, or that came where numbers belong."""
    found = [_unseen_of(column, one, row.sketch) for one, row in zip(sides, rows, strict=True)]
    names = {name for one in found for name in one}
    rows_of = [(name, found[0].get(name, 0), found[1].get(name, 0)) for name in names]
    most = sorted(rows_of, key=lambda one: (-one[1], -one[2], one[0]))[:MOST_NAMED]
    return tuple(Named(*one) for one in most)


def _unseen_of(column: Column, counts: ColumnCounts | None, sketch: PaneSketch | None) -> dict[str, int]:
    if counts is None or sketch is None:
        return {}
    texts: BottomK = counts.unseen if counts.kind is Kind.CATEGORY else wrong_texts(column, sketch)
    return texts.counts


# ---------------------------------------------------------------- missing
def _missing_bars(sides: _Sides) -> list[Bar]:
    return [
        _bar(
            MISSING_WORDS[kind], "missing",
            [None if one is None else one.missing[kind] for one in sides], sides,
        )
        for kind in Missing
    ]  # fmt: skip


def _method(kind: Kind, curves: Curves, *, known: bool) -> list[str]:
    """How the figures are made and how exact they are."""
    if kind is Kind.CATEGORY:
        said = ["Categories are counted exactly."]
        return (
            said
            if known
            else [*said, "No reference knows the column: all its texts are taken as categories."]
        )
    said = ["Rows are counted in the bins of the grid; within a bin they are taken as spread evenly."]
    worst = max(one for one in (curves.current_resolution, curves.against_resolution, 0.0) if one is not None)
    if curves.points:
        said.append(f"Between the points of a curve its share is off by at most {100 * worst:.2g} %.")
    if not known:
        said.append("No reference knows the column: its bins are log-spaced, seven to a decade.")
    return said
