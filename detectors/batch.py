"""All columns of a window scored at once, by the formulas that score one pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.catalogue import CATEGORICAL, DIVERGENCES, NUMERIC
from detectors.cells import Cells, cells_of
from detectors.column_scores import ColumnScores
from detectors.divergence import ExactPairs
from detectors.grouping import CategoryReference, category_reference, group_categories, group_numbers
from detectors.ks import Ks
from detectors.l_infinity import LInfinity
from detectors.ladder import Ladder
from detectors.number_columns import NumberColumns, NumberReference, number_reference
from detectors.pair import FloatArray, IntArray
from detectors.score import MIN_CURRENT, MIN_REFERENCE, require_alpha
from detectors.wasserstein import Wasserstein

ORDERED: Final[Mapping[str, Ks | Wasserstein]] = {"ks": Ks(), "wasserstein": Wasserstein()}


@dataclass(frozen=True, slots=True, eq=False)
class WindowCounts:
    """Current counts of one window: C number columns, then D category columns, in the order of the plan.

    Parameters
    ----------
    numbers : (sum of bins,) int64 array
        Counts per bin, one column after the other.
    low, high : (C,) float array
        Smallest and largest value seen on either side; any number where a column has no values.
    categories : (sum of categories,) int64 array
        Counts per category, one column after the other.
    """

    numbers: IntArray
    low: FloatArray
    high: FloatArray
    categories: IntArray


class BatchPlan:
    """What is known of the reference's columns, kept for the reference's life.

    Parameters
    ----------
    edges : sequence of C float arrays
        Inner edges of the number columns.
    numbers : sequence of C int64 arrays
        The reference's counts in their bins.
    std : sequence of C floats
        Their standard deviations.
    categories : sequence of D int64 arrays
        The reference's counts of the category columns, one place or more for the unseen among them.

    Notes
    -----
    Values equal those of `catalogue.score_all`; p-values and limits too, but for the divergences', whose nulls
    are interpolated (see `ladder`).
    Cost: about 40 us a column with all methods, once the ladder knows the window's size.
    A plan is for one thread.

    Examples
    --------
    >>> plan = BatchPlan([np.array([0.0])], [np.array([500, 500])], [1.0], [np.array([700, 300])])
    >>> far = np.array([3.0])
    >>> window = WindowCounts(np.array([250, 50]), -far, far, np.array([70, 30]))
    >>> scores = plan.score(window, alpha=1e-6, methods=["tv", "ks"])
    >>> scores["tv"].value.round(3).tolist(), scores["ks"].value.round(3).tolist()
    ([0.333, 0.0], [0.333])
    """

    def __init__(
        self,
        edges: Sequence[FloatArray],
        numbers: Sequence[IntArray],
        std: Sequence[float],
        categories: Sequence[IntArray],
    ) -> None:
        self._numbers: NumberReference = number_reference(edges, numbers, std)
        self._categories: CategoryReference = category_reference(list(categories))
        self._ladder = Ladder(DIVERGENCES)

    def score(
        self, window: WindowCounts, alpha: float, methods: Sequence[str] | None = None
    ) -> dict[str, ColumnScores]:
        """Score one window.

        Parameters
        ----------
        window : WindowCounts
            Current counts.
        alpha : float
            Probability of a false alarm of each score, in (0, 1); correcting for their number is the caller's.
        methods : sequence of str, optional
            Names from the catalogue; all of them when absent.

        Returns
        -------
        dict from method to ColumnScores
            In the order of `methods`; of the number columns and then the category columns, or for methods
            that categories do not know, of the number columns.

        Raises
        ------
        ValueError
            When a method is unknown, alpha is outside (0, 1), or counts do not fit the plan.
        """
        require_alpha(alpha)
        names = tuple(NUMERIC) if methods is None else tuple(methods)
        if not NUMERIC.keys() >= set(names):
            message = f"unknown methods {sorted(set(names) - NUMERIC.keys())}, known are {sorted(NUMERIC)}"
            raise ValueError(message)
        columns = _Columns(self._numbers, self._categories, window)
        grouped = columns.score_groups(self._ladder, [name for name in names if name in CATEGORICAL], alpha)
        ordered = columns.score_numbers([name for name in names if name in ORDERED], alpha)
        return {name: (grouped | ordered)[name] for name in names}


class _Columns:
    """One window beside the reference, with what is too small to judge set apart."""

    def __init__(self, numbers: NumberReference, categories: CategoryReference, window: WindowCounts) -> None:
        if (window.numbers.size, window.categories.size) != (int(numbers.bins.sum()), categories.counts.size):
            message = (
                f"the plan has {int(numbers.bins.sum())} bins and {categories.counts.size} categories, "
                f"the window {window.numbers.size} and {window.categories.size}"
            )
            raise ValueError(message)
        current = numbers.padded(window.numbers)
        self._numbers = NumberColumns.beside(numbers, current, window.low, window.high)
        self._categories, self._current = categories, window.categories
        self._n: FloatArray = np.concatenate([self._numbers.n, categories.total(window.categories)])
        self._m: FloatArray = np.concatenate([numbers.m, categories.m])
        self._enough: NDArray[np.bool_] = (self._n >= MIN_CURRENT) & (self._m >= MIN_REFERENCE)
        self._split = len(current)

    def score_groups(self, ladder: Ladder, names: Sequence[str], alpha: float) -> dict[str, ColumnScores]:
        if not names:
            return {}
        if not self._enough.any():
            return {name: ColumnScores.too_little(name, self._n, self._m) for name in names}
        cells = self._cells()
        fitted = [name for name in names if name in DIVERGENCES]
        nulls = ladder.cumulants(cells) if fitted else {}
        exact = ExactPairs(cells)
        scores = [DIVERGENCES[name].judge(cells, nulls[name], exact, alpha) for name in fitted]
        if LInfinity.name in names:
            scores.append(LInfinity().judge(cells, alpha))
        return {s.method: s.spread(self._enough, self._n, self._m) for s in scores}

    def score_numbers(self, names: Sequence[str], alpha: float) -> dict[str, ColumnScores]:
        enough, n, m = self._enough[: self._split], self._n[: self._split], self._m[: self._split]
        if not enough.any():
            return {name: ColumnScores.too_little(name, n, m) for name in names}
        columns = self._numbers if enough.all() else self._numbers.of(enough)
        return {name: ORDERED[name].judge(columns, alpha).spread(enough, n, m) for name in names}

    def _cells(self) -> Cells:
        parts = []
        numbers, categories = self._enough[: self._split], self._enough[self._split :]
        if numbers.any():
            parts.append(group_numbers(self._numbers if numbers.all() else self._numbers.of(numbers)))
        if categories.all() and categories.size:
            parts.append(group_categories(self._categories, self._current))
        elif categories.any():
            current = self._current[self._categories.places(categories)]
            parts.append(group_categories(self._categories.of(categories), current))
        return _join(parts)


def _join(parts: Sequence[Cells]) -> Cells:
    if len(parts) == 1:
        return parts[0]
    first, second = parts
    starts = np.concatenate([first.starts, second.starts + first.reference.size])
    reference, current = (
        np.concatenate(sides)
        for sides in ((first.reference, second.reference), (first.current, second.current))
    )
    return cells_of(reference, current, starts)
