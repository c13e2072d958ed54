"""The groups of bins, and the finer cells within them, by which explanations of a column's counts are compared.

Groups are cut where the usual rows or the current ones have a quantile, always at an edge of the current rows' grid,
where their count is exact. A group that holds much of the current rows (beyond the reference's range bins are wide)
is cut once more into cells by the exact values of the sampled rows in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detectors.dirichlet import dirichlet_evidence
from service.diagnosis.curve import Curve, around, beside, widened
from service.sketches.grids import exact_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.reference.bins import BinnedColumn

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MOST_LEVELS = 24
_FEWEST_LEVELS = 4
_ROWS_A_LEVEL = 6
_SAMPLED_A_CELL = 4
_PSI_GROUPS = 10
_MOST_BEYOND = 24
_WORTH_CUTTING = 2.0
"""A group with this many levels' worth of the current rows is cut into cells."""


@dataclass(frozen=True, slots=True)
class Partition:
    """`edges` are the inner edges of J cells, `starts` the first cell of each of K groups.

    `counts` (K,) are the current rows by group, `sampled` (J,) sampled rows by cell, in groups of more than one cell.
    """

    edges: FloatArray
    starts: IntArray
    counts: FloatArray
    sampled: FloatArray

    @property
    def rows(self) -> float:
        """The current rows."""
        return float(self.counts.sum())

    def shares(self, curve: Curve, undone: FloatArray | None = None) -> FloatArray:
        """The share of a curve's rows in each cell, (..., J); of its converted rows if the edges are `undone`."""
        edges = self.edges if undone is None else undone
        below = curve.share_below(edges)
        falling = below[..., :1] > below[..., -1:]
        below = np.where(falling, 1.0 - below, below)
        ends = np.zeros((*below.shape[:-1], 1))
        return np.maximum(0.0, np.diff(np.concatenate([ends, below, ends + 1.0], axis=-1), axis=-1))

    def by_group(self, cells: FloatArray) -> FloatArray:
        """Cells summed up to groups, (..., K)."""
        return np.add.reduceat(cells, self.starts, axis=-1)

    def evidence(self, shares: FloatArray, known: float) -> FloatArray:
        """The log-probability of the current rows, (...), if the cells' shares are known as from so many rows."""
        alpha = known * shares + 1.0 / shares.shape[-1]
        groups = dirichlet_evidence(self.counts, self.by_group(alpha))
        if len(self.starts) == shares.shape[-1]:
            return groups
        return np.asarray(groups + self._within_groups(alpha))

    def _within_groups(self, alpha: FloatArray) -> FloatArray:
        ends = np.append(self.starts[1:], alpha.shape[-1])
        total = np.zeros(alpha.shape[:-1])
        for start, end in zip(self.starts.tolist(), ends.tolist(), strict=True):
            if end - start > 1:
                total = total + dirichlet_evidence(self.sampled[start:end], alpha[..., start:end])
        return total

    def misfit(self, shares: FloatArray, known: float) -> float:
        """By how many standard deviations chi-square exceeds what noise makes, if the shares hold."""
        n, p = self.rows, self.by_group(known * shares + 1.0 / shares.shape[-1]) / (known + 1.0)
        expected = n * p
        order = np.argsort(expected)[::-1]
        enough = max(2, int(np.count_nonzero(expected >= 3.0)))
        tail = order[enough:]
        counts = np.append(self.counts[order[:enough]], self.counts[tail].sum())
        expected = np.append(expected[order[:enough]], max(expected[tail].sum(), 0.5))
        chi_square = float(np.sum((counts - expected) ** 2 / expected)) / (1.0 + n / known)
        degrees = max(1, len(counts) - 1)
        return (chi_square - degrees) / float(np.sqrt(2.0 * degrees))

    def psi(self, shares: FloatArray) -> float:
        """The population stability index of the current rows against these shares, in ten groups."""
        p = self.by_group(shares)
        tenth = np.minimum((np.cumsum(p) - p / 2) * _PSI_GROUPS, _PSI_GROUPS - 1).astype(np.int64)
        usual, current = (np.bincount(tenth, one, _PSI_GROUPS) + 0.5 for one in (p * self.rows, self.counts))
        usual, current = usual / usual.sum(), current / current.sum()
        return float(np.sum((current - usual) * np.log(current / usual)))


def partition_of(
    usual: Sequence[Curve], current: BinnedColumn, sample: FloatArray, marks: FloatArray
) -> Partition:
    """Cut for these usual rows and the current ones, and around the values of `marks`.

    `sample` are exact values of some of the current rows.
    """
    at = beside(current.edges)
    below = np.cumsum(current.counts)[:-1].astype(np.float64)
    n = float(current.counts.sum())
    levels = int(np.clip(n / _ROWS_A_LEVEL, _FEWEST_LEVELS, _MOST_LEVELS))
    chosen = [_quantile_edges(below / n, levels)]
    chosen += [_quantile_edges(curve.share_below(at), levels) for curve in usual]
    chosen.append(_beyond(at, below, usual))
    marked = exact_edges(np.unique(marks))
    known = np.isin(marked, current.edges)
    chosen.append(np.searchsorted(current.edges, marked[known]))
    picked = np.unique(np.concatenate(chosen))
    picked = picked[picked < len(at)]
    edges, upto = _with_extremes(at[picked], below[picked], usual, current, sample)
    counts = np.diff(upto, prepend=0.0, append=n)
    cuts = _cuts(edges, counts, sample, _WORTH_CUTTING * n / levels)
    cells = np.unique(np.concatenate([edges, cuts, widened(marked)[~known]]))
    starts = np.concatenate([[0], np.searchsorted(cells, edges) + 1])
    sampled = np.bincount(np.searchsorted(cells, sample, side="right"), minlength=len(cells) + 1)
    return Partition(cells, starts, counts, sampled.astype(np.float64))


def _quantile_edges(shares: FloatArray, levels: int) -> IntArray:
    """The edges next to each quantile; both edges of a bin that holds more than half a level."""
    upper = np.searchsorted(shares, np.arange(1, levels) / levels)
    upper = np.clip(upper, 1, len(shares) - 1)
    heavy = shares[upper] - shares[upper - 1] > 0.5 / levels
    return np.asarray(np.concatenate([upper, upper[heavy] - 1]))


def _beyond(at: FloatArray, below: FloatArray, usual: Sequence[Curve]) -> IntArray:
    """Edges outside of the usual range, around each bin there that holds current rows; every second if many do."""
    low, high = min(one.low for one in usual), max(one.high for one in usual)
    held = np.flatnonzero(np.diff(below, prepend=0.0, append=2 * below[-1] + 1) > 0)
    held = held[(held > 0) & (held < len(at))]
    ends = np.unique(np.concatenate([held, held - 1]))
    ends = ends[(at[ends] < low) | (at[ends] > high)]
    return np.asarray(ends[:: 1 + len(ends) // _MOST_BEYOND])


def _with_extremes(
    edges: FloatArray, below: FloatArray, usual: Sequence[Curve], current: BinnedColumn, sample: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The edges and those next to the extreme current rows, if they are beyond all usual ones and one of a kind."""
    n = float(current.counts.sum())
    extremes: list[tuple[float, float]] = []
    if current.low < min(one.low for one in usual) and np.count_nonzero(sample == current.low) < 2:
        extremes.append((float(around(np.array(current.low))[1]), 1.0))
    if current.high > max(one.high for one in usual) and np.count_nonzero(sample == current.high) < 2:
        extremes.append((float(around(np.array(current.high))[0]), n - 1.0))
    for edge, rows in extremes:
        at = int(np.searchsorted(edges, edge))
        fits = (at == 0 or below[at - 1] <= rows) and (at == len(edges) or below[at] >= rows)
        if fits and edge not in edges:
            edges, below = np.insert(edges, at, edge), np.insert(below, at, rows)
    return edges, below


def _cuts(edges: FloatArray, counts: FloatArray, sample: FloatArray, worth: float) -> FloatArray:
    """Where heavy groups are cut: around values that repeat, and half way between neighbours of the others."""
    cuts: list[FloatArray] = []
    bounds = np.concatenate([[-np.inf], edges, [np.inf]])
    for k in np.flatnonzero(counts > worth).tolist():
        values, times = np.unique(
            sample[(sample >= bounds[k]) & (sample < bounds[k + 1])], return_counts=True
        )
        if times.sum() >= 2 * _SAMPLED_A_CELL:
            repeated = values[times >= _SAMPLED_A_CELL]
            middles = ((values[1:] + values[:-1]) / 2)[_SAMPLED_A_CELL - 1 :: _SAMPLED_A_CELL]
            found = np.concatenate([widened(exact_edges(repeated)), middles])
            cuts.append(found[(found > bounds[k]) & (found < bounds[k + 1])])
    return np.concatenate([*cuts, np.empty(0)])
