"""The search for slices of rows whose losses are high: one feature deep, and two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from detectors.pair import FloatArray, IntArray
from detectors.weak_slices_cut import CutFeature
from detectors.weak_slices_shrinkage import DOUBT, Prior, Totals

BoolArray = NDArray[np.bool_]

EVIDENT: Final = 3.0  # standard errors by which a slice must be above the whole to be told of
ADDS: Final = 4.0  # and a slice two features deep above what its parents hold beside it


class Found(NamedTuple):
    """A slice: of each of its one or two features the place among those searched, and the run.

    Examples
    --------
    >>> Found(2.5, ((0, 3),)).parts
    ((0, 3),)
    """

    score: float
    parts: tuple[tuple[int, int], ...]

    def rows(self, features: Sequence[CutFeature]) -> BoolArray:
        """Say which rows it holds.

        Parameters
        ----------
        features : sequence of CutFeature
            Those that were searched, of any n rows.

        Returns
        -------
        (n,) bool array
            True for its rows.
        """
        return np.asarray(np.all([features[place].has(run) for place, run in self.parts], axis=0))


@dataclass(frozen=True, slots=True)
class _Search:
    features: Sequence[CutFeature]
    losses: FloatArray
    prior: Prior
    least: float
    most_promising: int

    def best(self, left: BoolArray) -> Found | None:
        """The best slice of the rows that are left, if one is evident."""
        places = np.flatnonzero(left)
        codes = [one.codes[places] for one in self.features]
        losses = self.losses[places]
        alone = [
            _runs(one, _count(own, one.size, losses, self.prior))
            for one, own in zip(self.features, codes, strict=True)
        ]
        errors = [self._errors(one, len(losses)) for one in alone]
        found = [
            self._best((place,), own, of) for place, (own, of) in enumerate(zip(errors, alone, strict=True))
        ]
        promising = sorted(range(len(found)), key=lambda place: -errors[place].max())[: self.most_promising]
        found += self._pairs(sorted(promising), codes, losses, alone)
        best = max(found, default=None, key=lambda one: one.score)
        return best if best is not None and best.score > 0 else None

    def _pairs(
        self, promising: Sequence[int], codes: Sequence[IntArray], losses: FloatArray, alone: Sequence[Totals]
    ) -> Iterator[Found]:
        for i, j in combinations(promising, 2):
            one, other = self.features[i], self.features[j]
            counted = _count(codes[i] * other.size + codes[j], one.size * other.size, losses, self.prior)
            both = _rectangles(one, other, counted)
            parents = (Totals(*(t[:, None] for t in alone[i])), Totals(*(t[None, :] for t in alone[j])))
            adds = self._adds(both, parents[0]) & self._adds(both, parents[1])
            yield self._best((i, j), np.where(adds, self._errors(both, len(losses)), -np.inf), both)

    def _best(self, places: tuple[int, ...], errors: FloatArray, of: Totals) -> Found:
        """The most evident slice of these features, scored by its rows times how far its bound is above the whole."""
        at = np.unravel_index(int(np.argmax(errors)), errors.shape)
        mean, error = self.prior.shrink(Totals(*(one[at] for one in of)))
        score = float(of.rows[at] * (mean + ndtri(DOUBT) * error - self.prior.mean))
        parts = tuple(zip(places, (int(one) for one in at), strict=True))
        return Found(score if errors[at] >= EVIDENT else -np.inf, parts)

    def _errors(self, of: Totals, n: int) -> FloatArray:
        """Standard errors above the whole; minus infinity where rows are few."""
        beside = np.maximum(1.0 - of.rows / n, 1.0 / n)
        errors = (of.mean - self.prior.mean) * np.sqrt(of.rows / (self.prior.variance * beside))
        return np.where(of.rows >= self.least, errors, -np.inf)

    def _adds(self, child: Totals, parent: Totals) -> BoolArray:
        """Whether the child's rows are evidently worse than the parent's others."""
        beside = Totals(*(whole - part for whole, part in zip(parent, child, strict=True)))
        _, own = self.prior.shrink(child)
        _, others = self.prior.shrink(beside)
        return np.asarray((child.mean - beside.mean >= ADDS * np.hypot(own, others)) & (beside.rows > 0))


def search_slices(
    features: Sequence[CutFeature], losses: FloatArray, prior: Prior, least: float, most: tuple[int, int]
) -> list[Found]:
    """Search slices one after the other, each in the rows that those before it leave.

    Parameters
    ----------
    features : sequence of CutFeature
        Of n rows.
    losses : (n,) float array
        Finite, not all alike.
    prior : Prior
        Fitted on these losses.
    least : float
        Rows that a slice must have.
    most : (int, int)
        How many slices, and among how many of the most promising features pairs are looked at.

    Returns
    -------
    list of Found
        At most so many, in the order in which they were found.

    Notes
    -----
    Of each feature the run of atoms, and of each pair the rectangle of two runs, is taken that is the most standard
    errors above the whole: a bin whose excess is less than half of the others' is left out. Of these the slice of the
    largest score ``n (shrunken mean - 1.645 errors - mean of all)`` is found.
    A rectangle counts only when it is four standard errors worse than either parent's other rows.
    Setting the rows of a found slice aside drops its children, its overlapping siblings, and features that only
    repeat it (sequential covering).
    No p-values: the borders were chosen by these losses. Other rows must confirm what is found.
    Cost: O(n (F + P^2)) and all runs, for F features and P promising ones; 50 ms a slice for 50,000 rows of 50
    features.

    References
    ----------
    Y. Chung et al., "Slice Finder: automated data slicing for model validation", ICDE 2019,
    doi:10.1109/ICDE.2019.00139.
    S. Sagadeeva, M. Boehm, "SliceLine: fast, linear-algebra-based slice finding for ML model debugging", SIGMOD 2021,
    doi:10.1145/3448016.3457323.
    J. H. Friedman, N. I. Fisher, "Bump hunting in high-dimensional data", Statistics and Computing 9, 1999,
    doi:10.1023/A:1008894516817.

    Examples
    --------
    >>> from detectors.weak_slices_cut import cut_numbers
    >>> x = np.arange(1000.0)
    >>> losses = (x < 250).astype(float)
    >>> feature = cut_numbers(0, x, bins=8)
    >>> (found,) = search_slices([feature], losses, Prior(0.25, 0.1875, 50.0, is_binary=True), 50, (5, 12))
    >>> feature.condition(found.parts[0][1]).high
    249.0
    """
    search = _Search(features, losses, prior, least, most[1])
    left = np.ones(len(losses), np.bool_)
    found: list[Found] = []
    while len(found) < most[0] and (best := search.best(left)) is not None:
        found.append(best)
        left &= ~best.rows(features)
    return found


def totals_by_atom(feature: CutFeature, losses: FloatArray, *, is_binary: bool) -> Totals:
    """Count the rows and losses of each atom.

    Parameters
    ----------
    feature : CutFeature
        Of n rows.
    losses : (n,) float array
        Finite.
    is_binary : bool
        They are 0 or 1, so that their squares are themselves.

    Returns
    -------
    Totals
        Arrays of the feature's size.

    Examples
    --------
    >>> from detectors.weak_slices_cut import cut_categories
    >>> feature = cut_categories(0, np.array([0, 0, 1]), least=1)
    >>> totals_by_atom(feature, np.array([1.0, 0.0, 1.0]), is_binary=True).rows
    array([2., 1., 0., 0.])
    """
    return _counted(feature.codes, feature.size, losses, is_binary=is_binary)


def _count(codes: IntArray, size: int, losses: FloatArray, prior: Prior) -> Totals:
    return _counted(codes, size, losses, is_binary=prior.is_binary)


def _counted(codes: IntArray, size: int, losses: FloatArray, *, is_binary: bool) -> Totals:
    rows = np.bincount(codes, minlength=size).astype(np.float64)
    sums = _summed(codes, size, losses)
    if is_binary:
        return Totals(rows, sums, sums)
    return Totals(rows, sums, _summed(codes, size, losses**2))


def _summed(codes: IntArray, size: int, weights: FloatArray) -> FloatArray:
    return np.asarray(np.bincount(codes, weights, minlength=size), np.float64)


def _runs(feature: CutFeature, atoms: Totals) -> Totals:
    first, last = feature.runs[:, 0], feature.runs[:, 1] + 1
    upto = (np.concatenate([[0.0], np.cumsum(one)]) for one in atoms)
    return Totals(*(one[last] - one[first] for one in upto))


def _rectangles(one: CutFeature, other: CutFeature, cells: Totals) -> Totals:
    """The totals of all pairs of runs, (runs of one, runs of the other)."""
    first, last = one.runs[:, 0], one.runs[:, 1] + 1
    left, right = other.runs[:, 0], other.runs[:, 1] + 1

    def of(flat: FloatArray) -> FloatArray:
        upto = np.zeros((one.size + 1, other.size + 1))
        upto[1:, 1:] = flat.reshape(one.size, other.size).cumsum(axis=0).cumsum(axis=1)
        bands = upto[last] - upto[first]
        return np.asarray(bands[:, right] - bands[:, left])

    rows, sums = of(cells.rows), of(cells.sums)
    return Totals(rows, sums, sums if cells.squares is cells.sums else of(cells.squares))
