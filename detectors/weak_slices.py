"""Weak slices: where, among labelled rows, a model is wrong more often than elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.pair import FloatArray, IntArray
from detectors.weak_slices_confirmation import Confirmation, confirm_slices
from detectors.weak_slices_cut import Condition, CutFeature, cut_categories, cut_numbers
from detectors.weak_slices_search import search_slices, totals_by_atom
from detectors.weak_slices_shrinkage import Prior, fit_prior

BoolArray = NDArray[np.bool_]

TOO_FEW_ROWS: Final = "too_few_rows"
LOSSES_ALIKE: Final = "losses_do_not_vary"


@dataclass(frozen=True, slots=True)
class SliceSearch:
    """What to search for.

    Parameters
    ----------
    least_rows : int
        Rows that a slice must have, at least 4.
    least_share : float
        And the share of all rows, in [0, 1).
    bins : int
        A number is cut into about so many, at least 2.
    promising : int
        Pairs are made of so many features.
    candidates : int
        At most so many slices are found on one half and tested on the other.
    alpha : float
        Probability that anything is named where nothing is weak, in (0, 1).

    Raises
    ------
    ValueError
        When a parameter is out of its range.

    Examples
    --------
    >>> SliceSearch(least_share=0.02).least_of(10_000)
    200
    """

    least_rows: int = 50
    least_share: float = 0.01
    bins: int = 8
    promising: int = 12
    candidates: int = 10
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if self.least_rows < 4 or not 0 <= self.least_share < 1 or self.bins < 2 or self.candidates < 1:
            message = (
                "least_rows must be at least 4, least_share in [0, 1), bins at least 2, candidates at least 1"
            )
            raise ValueError(message)
        if not 0 < self.alpha < 1:
            message = f"alpha must be between 0 and 1, got {self.alpha}"
            raise ValueError(message)

    def least_of(self, n: int) -> int:
        """Return how many of n rows a slice must have.

        Parameters
        ----------
        n : int
            All rows.

        Returns
        -------
        int
            The larger of both limits.
        """
        return max(self.least_rows, ceil(self.least_share * n))


@dataclass(frozen=True, slots=True, eq=False)
class SlicedRows:
    """n labelled rows.

    Parameters
    ----------
    numbers : (F, n) float array
        Number features; NaN or infinite is missing, which is a bin of its own.
    categories : (C, n) int array
        Category features as codes from 0 on; below 0 is missing.
    losses : (n,) float array
        0 or 1 (wrong), or any number that is larger when the answer is worse; rows without a finite one are left out.
    confirms : (n,) bool array
        The half of the rows that slices are tested on; they are searched on the others. It must not depend on features
        and losses: a bit of the hash of the inference id, say.

    Raises
    ------
    ValueError
        When lengths differ.

    Examples
    --------
    >>> rows = SlicedRows(np.zeros((2, 3)), np.zeros((0, 3), np.int64), np.zeros(3), np.ones(3, np.bool_))
    >>> rows.losses.size
    3
    """

    numbers: FloatArray
    categories: IntArray
    losses: FloatArray
    confirms: BoolArray

    def __post_init__(self) -> None:
        n = self.losses.shape
        if not n == self.confirms.shape == self.numbers.shape[1:] == self.categories.shape[1:]:
            message = "numbers, categories, losses and confirms must be of the same rows"
            raise ValueError(message)


class WeakSlice(NamedTuple):
    """Rows that have something in common, and a higher loss than the others. All figures are of the confirming half.

    Parameters
    ----------
    conditions : tuple of Condition
        One or two.
    rows : int
        In the slice.
    share : float
        Of all rows.
    loss, elsewhere : float
        Mean loss in the slice and outside it.
    shrunken, bound : float
        The slice's loss pulled towards the whole, and what it exceeds with a chance of 95 % if the prior holds.
    p_value : float
        P(a difference at least this | the slice is as the rest), corrected for all slices that were tested.

    Examples
    --------
    >>> WeakSlice((), 100, 0.1, 0.3, 0.1, 0.25, 0.2, 1e-6).loss
    0.3
    """

    conditions: tuple[Condition, ...]
    rows: int
    share: float
    loss: float
    elsewhere: float
    shrunken: float
    bound: float
    p_value: float


class WeakSlices(NamedTuple):
    """All weak slices of some rows.

    Parameters
    ----------
    slices : tuple of WeakSlice
        The most excess loss first: rows times how far the bound is above the loss of all.
    searched, confirming : int
        Rows of both halves.
    least : int
        Half so many rows a slice had to have in either half.
    tested : int
        Slices that were found on one half and tested on the other.
    loss : float or None
        Mean loss of all rows; None without rows.
    weight : float or None
        Of the prior, in rows.
    reason : str or None
        Why nothing could be searched.

    Examples
    --------
    >>> WeakSlices((), 10, 10, 50, 0, 0.1, None, TOO_FEW_ROWS).reason
    'too_few_rows'
    """

    slices: tuple[WeakSlice, ...]
    searched: int
    confirming: int
    least: int
    tested: int
    loss: float | None
    weight: float | None
    reason: str | None = None


def find_weak_slices(rows: SlicedRows, search: SliceSearch) -> WeakSlices:
    """Find where losses are higher than elsewhere, one and two features deep.

    Parameters
    ----------
    rows : SlicedRows
        Labelled rows.
    search : SliceSearch
        What to search for.

    Returns
    -------
    WeakSlices
        Without slices, and with a reason, below twice the rows that a slice must have, or when all losses are alike.

    Notes
    -----
    Found on one half of the rows (see `search_slices`), tested on the other: so the many borders that were tried cost
    nothing, and no loss is told of rows that a border was chosen by.
    Null hypothesis of a test: the slice's losses are as those of the rows outside it and outside the slices found
    before it. For losses of 0 and 1 Fisher's exact test, else Welch's; both one-sided.
    False alarms: where nothing is weak anything is named with a probability of at most alpha, by Holm's step-down
    over the slices tested, however these depend on each other. Welch's test keeps it roughly for very skewed losses.
    What a slice must exceed by its bound is the loss of all rows.
    A slice of fewer rows than half of `least_of` in either half, however weak, is not named.
    A pair of features of which neither alone is above the whole in any run is found only among the most promising.
    Cost: O(n (F log n + K (F + P^2))); 0.4 s for 100,000 rows of 50 features, 0.7 s with 10 slices found.

    References
    ----------
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2), 1979.
    B. L. Welch, "The generalization of Student's problem when several different population variances are involved",
    Biometrika 34(1-2), 1947, doi:10.1093/biomet/34.1-2.28.
    See `search_slices` for the search.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> amount = random.uniform(0, 80, 4000)
    >>> wrong = random.random(4000) < np.where(amount < 20, 0.3, 0.1)
    >>> halves = np.arange(4000) % 2 == 0
    >>> rows = SlicedRows(amount[None], np.zeros((0, 4000), np.int64), wrong.astype(float), halves)
    >>> (weak,) = find_weak_slices(rows, SliceSearch()).slices
    >>> round(weak.conditions[0].high), weak.bound > weak.elsewhere
    (20, True)
    """
    known = np.isfinite(rows.losses)
    losses, confirms = rows.losses[known], rows.confirms[known]
    nothing = _nothing(losses, confirms, search)
    if nothing.reason is not None:
        return nothing
    low, high = float(losses.min()), float(losses.max())
    unit = (losses / 2 - low / 2) / (high / 2 - low / 2)
    features = _cut(rows, known, search, nothing.least)
    searched, confirming = ([_part(one, half) for one in features] for half in (~confirms, confirms))
    prior = _prior(searched, unit[~confirms], search)
    most = (search.candidates, search.promising)
    found = search_slices(searched, unit[~confirms], prior, nothing.least / 2, most)
    found = [one for one in found if 2 * one.rows(confirming).sum() >= nothing.least]
    tested = confirm_slices([one.rows(confirming) for one in found], unit[confirms])
    named = [
        _named(tuple(features[at].condition(run) for at, run in one.parts), test, prior, nothing.confirming)
        for one, test in zip(found, tested, strict=True)
        if test.p_value <= search.alpha
    ]
    weak = [one for one in named if one.bound > prior.mean]
    told = sorted(weak, key=lambda one: one.rows * (prior.mean - one.bound))
    in_unit = tuple(_scaled(one, low, high) for one in told)
    return nothing._replace(slices=in_unit, tested=len(found), weight=prior.weight)


def _nothing(losses: FloatArray, confirms: BoolArray, search: SliceSearch) -> WeakSlices:
    """What is said when no slice is named; a reason when none can be searched."""
    confirming = int(confirms.sum())
    searched, least = len(losses) - confirming, search.least_of(len(losses))
    mean = float(np.mean(losses / len(losses)) * len(losses)) if len(losses) else None
    told = WeakSlices((), searched, confirming, least, 0, mean, None)
    if min(searched, confirming) < least:
        return told._replace(reason=TOO_FEW_ROWS)
    halves = (losses[confirms], losses[~confirms])
    return told if all(one.min() < one.max() for one in halves) else told._replace(reason=LOSSES_ALIKE)


def _cut(rows: SlicedRows, known: BoolArray, search: SliceSearch, least: int) -> list[CutFeature]:
    numbers = [cut_numbers(place, one[known], search.bins) for place, one in enumerate(rows.numbers)]
    categories = [
        cut_categories(len(numbers) + place, one[known].astype(np.int64), least)
        for place, one in enumerate(rows.categories)
    ]
    return [*numbers, *categories]


def _part(feature: CutFeature, half: BoolArray) -> CutFeature:
    return feature._replace(codes=feature.codes[half])


def _prior(features: Sequence[CutFeature], losses: FloatArray, search: SliceSearch) -> Prior:
    is_binary = bool(np.isin(losses, (0.0, 1.0)).all())
    atoms = [totals_by_atom(one, losses, is_binary=is_binary) for one in features]
    return fit_prior(losses, atoms, most=float(search.least_rows))


def _named(conditions: tuple[Condition, ...], test: Confirmation, prior: Prior, n: int) -> WeakSlice:
    (shrunken,), _ = prior.shrink(test.inside)
    (bound,) = prior.bound(test.inside)
    rows = int(test.inside.rows[0])
    loss = float(test.inside.mean[0])
    return WeakSlice(
        conditions, rows, rows / n, loss, test.elsewhere, float(shrunken), float(bound), test.p_value
    )


def _scaled(one: WeakSlice, low: float, high: float) -> WeakSlice:
    """Its losses in their own unit again."""
    names = ("loss", "elsewhere", "shrunken", "bound")
    return one._replace(**{name: low + getattr(one, name) * (high - low) for name in names})
