"""A column's values now beside those of the reference, as bars: ranges or categories, unseen and missing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from service.messages import NOT_APPLICABLE, PREDICTION, SCORE, Column, Role, Verdict
from service.reference.bins import binned, cumulative, quantiles_of
from service.reports.document import Bar, Histogram, Section
from service.reports.phrases import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.sketches.pane import PaneSketch
    from service.store.report_scores import Score
    from service.store.report_seen import Beside, Seen

MOST_HISTOGRAMS, BINS, MOST_CATEGORIES = 4, 10, 8
_FAR_APART = 1_000
_ENDS = np.array([0.01, 0.99])


def histograms(beside: Beside, scores: Sequence[Score]) -> Section:
    """The worst columns, beside the reference; why there are none where there are none."""
    title = "Values beside the reference"
    if beside.reference is None or beside.now is None or beside.reason is not None:
        return Section(title, (f"No histogram: {beside.reason or 'the model has no reference'}.",))
    reference, now = beside.reference, beside.now
    columns = [c for c in _worst(scores) if _is_in(reference, c) and _is_in(now, c)][:MOST_HISTOGRAMS]
    if not columns:
        return Section(title, ("No histogram: no column that the reference knows has a score.",))
    said = f"Shares of the rows by value, counted in panes, beside the reference {beside.reference_name}."
    if beside.panes < beside.of_panes:
        said += f" Of {beside.of_panes:,} sketches {beside.panes:,} were read, evenly over the time."
    return Section(title, (said,), histograms=tuple(histogram(c, reference, now) for c in columns))


def reference_of(seen: Seen) -> str:
    """The names of those that the windows were judged by; windows of segments do not say."""
    mine = [row for row in seen.windows if row.end_ms > seen.of.start_ms]
    named = {row.reference_name for row in mine if row.reference_name}
    return ", ".join(sorted(named)) or seen.beside.reference_name or "none"


def _worst(scores: Sequence[Score]) -> Sequence[Column]:
    """Each column once, the worst first: those that rang, else those that came nearest, else the answers."""
    rang = [one for one in scores if one.verdict == Verdict.DRIFT]
    named = [Column(Role(one.role), one.feature) for one in rang or scores if one.role in set(Role)]
    return tuple(dict.fromkeys(named or [PREDICTION, SCORE]))


def _is_in(sketch: PaneSketch, column: Column) -> bool:
    return column in sketch.grid.number_at or column in sketch.grid.text_at


def histogram(column: Column, reference: PaneSketch, now: PaneSketch) -> Histogram:
    """Of a column that both know; as categories where one of them counts it so."""
    if column in reference.grid.number_at and column in now.grid.number_at:
        names, counts = _numbers(column, (reference, now))
    else:
        names, counts = _texts(column, (reference, now))
    m, n = (round(sum(side)) for side in counts)
    bars = tuple(
        Bar(name, old / max(m, 1), new / max(n, 1)) for name, old, new in zip(names, *counts, strict=True)
    )
    return Histogram(column.name, m, n, bars)


# ---------------------------------------------------------------- numbers
def _numbers(column: Column, sides: Sequence[PaneSketch]) -> tuple[list[str], list[list[float]]]:
    """Ranges between the first and the last hundredth of both, what lies beyond, and what is missing."""
    known = [(side.numbers, side.grid.number_at[column]) for side in sides]
    columns = [binned(*one) for one in known]
    filled = [one for one in columns if one.counts.any()]
    ends = [quantiles_of(one, _ENDS) for one in filled] or [np.zeros(2)]
    low, high = min(float(e[0]) for e in ends), max(float(e[1]) for e in ends)
    edges = _edges(low, high)
    names = [f"below {number(low)}", *_ranges(edges.tolist()), f"above {number(high)}", "missing"]
    counts = [
        [*(_in_ranges(one.counts, *cumulative(one), edges) if one.counts.any() else [0.0] * (len(edges) + 1)),
         float(sketch.missing[at][:NOT_APPLICABLE].sum())]
        for one, (sketch, at) in zip(columns, known, strict=True)
    ]  # fmt: skip
    return names, counts


def _edges(low: float, high: float) -> NDArray[np.float64]:
    """Of equal width, or of equal ratios where the values lie so far apart that all would be in one."""
    if np.nextafter(low, np.inf) >= high:
        return np.array([low, low])
    if low > 0 and high / low > _FAR_APART:
        return np.geomspace(low, high, BINS + 1)
    return np.linspace(low, high, BINS + 1)


def _ranges(edges: Sequence[float]) -> list[str]:
    if len(edges) == 2 and edges[0] == edges[1]:
        return [number(edges[0])]
    return [f"{number(a)} to {number(b)}" for a, b in pairwise(edges)]


def _in_ranges(
    counts: NDArray[np.int64], points: NDArray[np.float64], below: NDArray[np.float64], edges: NDArray[np.float64]
) -> list[float]:  # fmt: skip
    """Rows below the first edge, in each range, and above the last edge, which is in its range."""
    at = edges.copy()
    at[-1] = np.nextafter(at[-1], np.inf)
    so_far = np.interp(at, points, below, left=0.0, right=float(counts.sum()))
    return [float(x) for x in np.diff(np.concatenate([[0.0], so_far, [float(counts.sum())]]))]


# ---------------------------------------------------------------- categories
def _texts(column: Column, sides: Sequence[PaneSketch]) -> tuple[list[str], list[list[float]]]:
    """The most frequent of either side, the others together, those that are in no grid, and what is missing."""
    counted = [_categories(column, side) for side in sides]
    totals = [max(1, sum(found.values()) + unseen + gone) for found, unseen, gone in counted]
    shares = {
        name: max(found.get(name, 0) / total for (found, _, _), total in zip(counted, totals, strict=True))
        for found, _, _ in counted
        for name in found
    }
    named = sorted((n for n in shares if shares[n]), key=lambda name: (-shares[name], name))[:MOST_CATEGORIES]
    counts = [
        [*(float(found.get(name, 0)) for name in named),
         float(sum(count for name, count in found.items() if name not in named)), float(unseen), float(gone)]
        for found, unseen, gone in counted
    ]  # fmt: skip
    return [*named, "other", "unseen", "missing"], counts


def _categories(column: Column, side: PaneSketch) -> tuple[dict[str, int], int, int]:
    """Counts by category, of unseen ones, of missing ones."""
    if (at := side.grid.text_at.get(column)) is not None:
        sketch = side.categories
        counts = sketch.column_counts(at).tolist()
        found = dict(zip(side.grid.texts[at].categories, counts, strict=True))
        return found, sketch.unseen[at].total, int(sketch.missing[at][:NOT_APPLICABLE].sum())
    at = side.grid.number_at[column]
    missing = int(side.numbers.missing[at][:NOT_APPLICABLE].sum())
    return {"a number": int(side.numbers.column_counts(at).sum())}, 0, missing
