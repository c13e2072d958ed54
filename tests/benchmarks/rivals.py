"""The plain rules that most teams start with, on the values of windows, feature by feature.

Each is fitted once to the reference's columns (a number column is an array, a category column a list of texts; missing
values are left out, as these rules do) and then says which features of a window drifted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

FloatArray = np.ndarray
Cells = Mapping[str, np.ndarray]
"""Columns by name: floats with NaN, or texts with ''."""
Rule = Callable[[Cells], frozenset[str]]

_BINS = 10


def present(cells: np.ndarray) -> np.ndarray:
    """Without what is missing."""
    return cells[~np.isnan(cells)] if cells.dtype.kind == "f" else cells[cells != ""]


@dataclass(frozen=True)
class Counted:
    """A reference column in bins: quantiles of numbers, categories with all unknown ones last."""

    cuts: FloatArray
    names: tuple[str, ...]
    counts: FloatArray

    def of(self, cells: np.ndarray) -> FloatArray:
        """Counts of other rows in the same bins; a number that came as text is missing here."""
        if self.names:
            found = [int(np.sum(cells == name)) for name in self.names]
            return np.array([*found, len(cells) - sum(found)], float)
        return np.bincount(np.searchsorted(self.cuts, cells, "right"), minlength=len(self.cuts) + 1).astype(
            float
        )


def counted(cells: np.ndarray, bins: int = _BINS) -> Counted:
    """The bins of a reference column."""
    cells = present(cells)
    if cells.dtype.kind != "f":
        made = Counted(np.empty(0), tuple(np.unique(cells).tolist()), np.empty(0))
    else:
        made = Counted(np.unique(np.quantile(cells, np.arange(1, bins) / bins)), (), np.empty(0))
    return Counted(made.cuts, made.names, made.of(cells))


def tests_below(reference: Cells, alpha: float) -> Rule:
    """KS of numbers and chi-square of categories, with a p-value below alpha over the number of features."""
    level = alpha / len(reference)
    sizes = {name: present(cells) for name, cells in reference.items()}
    bins = {name: counted(cells) for name, cells in reference.items() if cells.dtype.kind != "f"}

    def p_value(name: str, cells: np.ndarray) -> float:
        if name in bins:
            table = np.array([bins[name].counts, bins[name].of(cells)])
            table = table[:, table.sum(axis=0) > 0]
            return (
                1.0 if table.shape[1] < 2 else float(stats.chi2_contingency(table, correction=False).pvalue)
            )
        return float(stats.ks_2samp(sizes[name], cells, method="asymp").pvalue)

    return _rule(reference, lambda name, cells: p_value(name, cells) < level)


def psi_above(reference: Cells, limit: float) -> Rule:
    """PSI on deciles or categories, half a row added to each bin."""
    bins = {name: counted(cells) for name, cells in reference.items()}

    def psi(name: str, cells: np.ndarray) -> float:
        p, q = _shares(bins[name].counts), _shares(bins[name].of(cells))
        return float(((q - p) * np.log(q / p)).sum())

    return _rule(reference, lambda name, cells: psi(name, cells) > limit)


def three_sigma(reference: Cells, rows: int) -> Rule:
    """The Jensen-Shannon distance above mean + 3 standard deviations of those of reference chunks of that size."""
    bins = {name: counted(cells, 20) for name, cells in reference.items()}

    def distance(name: str, cells: np.ndarray) -> float:
        p, q = bins[name].counts, bins[name].of(cells)
        p, q = p / p.sum(), q / q.sum()
        middle = (p + q) / 2
        apart = stats.entropy(p, middle, base=2) + stats.entropy(q, middle, base=2)
        return float(np.sqrt(max(0.0, apart / 2)))

    limits = {}
    for name, cells in reference.items():
        chunks = [
            distance(name, present(chunk)) for chunk in np.array_split(cells, max(1, len(cells) // rows))
        ]
        limits[name] = float(np.mean(chunks) + 3 * np.std(chunks))
    return _rule(reference, lambda name, cells: distance(name, cells) > limits[name])


def _shares(counts: FloatArray) -> FloatArray:
    return (counts + 0.5) / (counts.sum() + 0.5 * len(counts))


def _rule(reference: Cells, drifted: Callable[[str, np.ndarray], bool]) -> Rule:
    def rings(window: Cells) -> frozenset[str]:
        there = {name: present(window[name]) for name in reference if name in window}
        return frozenset(name for name, cells in there.items() if len(cells) and drifted(name, cells))

    return rings


RULES: Mapping[str, Callable[[Cells, int], Rule]] = {
    "KS or chi-square, Bonferroni 0.05": lambda reference, _: tests_below(reference, 0.05),
    "the same at 0.0001": lambda reference, _: tests_below(reference, 1e-4),
    "PSI > 0.1": lambda reference, _: psi_above(reference, 0.1),
    "PSI > 0.2": lambda reference, _: psi_above(reference, 0.2),
    "three sigma of chunks": three_sigma,
}
"""Made of the reference, and of how many rows a window has."""


def runs_of(rings: Sequence[bool]) -> int:
    """How many runs of ringing windows there are: each is one page."""
    return sum(now and not before for before, now in zip([False, *rings], rings, strict=False))
