"""Features cut into atoms, so that slices of rows are runs of atoms."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from detectors.pair import FloatArray, IntArray

NO_PLACE: Final = -1


class Condition(NamedTuple):
    """What all rows of a slice have in common in one feature.

    Parameters
    ----------
    feature : int
        Its place: numbers first, then categories.
    low, high : float or None
        Smallest and largest value, both included, in the feature's unit; None where that side is open, and for both
        in a category or when missing.
    category : int or None
        The category's code; None for a number or when missing.
    is_missing : bool
        The rows have no value.

    Examples
    --------
    >>> Condition(0, 12.5, None, None, is_missing=False).low
    12.5
    """

    feature: int
    low: float | None
    high: float | None
    category: int | None
    is_missing: bool


class CutFeature(NamedTuple):
    """One feature of n rows in `size` atoms: bins or categories, and the missing.

    Parameters
    ----------
    place : int
        Of the feature: numbers first, then categories.
    codes : (n,) int64 array
        Each row's atom, 0 .. size - 1.
    size : int
        Atoms; the last two are the missing and what no slice is made of.
    runs : (R, 2) int64 array
        First and last atom of what may be a slice.
    lows, highs : (size,) float array
        Smallest and largest value of each bin; empty for categories.
    categories : (size,) int64 array
        The category of each atom; empty for numbers.

    Examples
    --------
    >>> cut_numbers(0, np.array([1.0, 1.0, 2.0, np.nan]), bins=8).size
    4
    """

    place: int
    codes: IntArray
    size: int
    runs: IntArray
    lows: FloatArray
    highs: FloatArray
    categories: IntArray

    @property
    def missing(self) -> int:
        """The atom of the rows without a value."""
        return self.size - 2

    def condition(self, run: int) -> Condition:
        """Say what the rows of a run have in common.

        Parameters
        ----------
        run : int
            Place in `runs`.

        Returns
        -------
        Condition
            In the feature's unit.
        """
        first, last = self.runs[run].tolist()
        if first == self.missing:
            return Condition(self.place, None, None, None, is_missing=True)
        if len(self.categories):
            return Condition(self.place, None, None, int(self.categories[first]), is_missing=False)
        low = float(self.lows[first]) if first > 0 else None
        high = float(self.highs[last]) if last < self.missing - 1 else None
        return Condition(self.place, low, high, None, is_missing=False)

    def has(self, run: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Say which rows a run holds.

        Parameters
        ----------
        run : int
            Place in `runs`.

        Returns
        -------
        (n,) bool array
            True for its rows.
        """
        first, last = self.runs[run].tolist()
        return np.asarray((self.codes >= first) & (self.codes <= last))


def cut_numbers(place: int, values: FloatArray, bins: int) -> CutFeature:
    """Cut a number at its quantiles.

    Parameters
    ----------
    place : int
        Of the feature.
    values : (n,) float array
        NaN or infinite where missing.
    bins : int
        About so many bins of equal mass, at least 2.

    Returns
    -------
    CutFeature
        Its runs are all runs of neighbouring bins but the whole, and the missing.

    Notes
    -----
    A value that fills a bin's mass alone is a bin of its own; up to `bins` distinct values are one bin each.
    Borders are chosen without looking at losses, and so may be of all rows.
    Cost: O(n log n), about 4 ms for 100,000 rows.

    Examples
    --------
    >>> feature = cut_numbers(0, np.array([0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, np.nan]), bins=2)
    >>> feature.codes.tolist(), feature.condition(0)
    ([0, 0, 0, 0, 1, 1, 1, 2], Condition(feature=0, low=None, high=0.0, category=None, is_missing=False))
    """
    present = np.isfinite(values)
    ordered = np.sort(values[present])
    edges = _edges(ordered, bins)
    kept = len(edges) + 1
    codes = np.where(present, np.searchsorted(edges, values, side="right"), kept)
    starts = np.concatenate([[0], np.searchsorted(ordered, edges, side="left")])
    ends = np.append(starts[1:], len(ordered))
    lows = ordered[starts] if len(ordered) else np.zeros(1)
    highs = ordered[ends - 1] if len(ordered) else np.zeros(1)
    runs = [(i, j) for i in range(kept) for j in range(i, kept) if j - i + 1 < kept]
    nothing = np.empty(0, np.int64)
    return CutFeature(
        place, codes.astype(np.int64), kept + 2, np.array([*runs, (kept, kept)], np.int64), lows, highs, nothing
    )  # fmt: skip


def _edges(ordered: FloatArray, bins: int) -> FloatArray:
    """Ascending values that begin a bin, but for the first; every bin holds a row."""
    if not len(ordered):
        return ordered
    begins = np.concatenate([[True], np.diff(ordered) > 0])
    distinct = ordered[begins]
    if len(distinct) <= bins:
        return np.asarray(distinct[1:])
    edges = np.unique(ordered[np.arange(1, bins) * len(ordered) // bins])
    ends = np.searchsorted(ordered, edges, side="right")
    heavy = (ends - np.searchsorted(ordered, edges, side="left")) * bins >= len(ordered)
    after = ends[heavy & (ends < len(ordered))]
    edges = np.union1d(edges, ordered[after])
    return np.asarray(edges[edges > ordered[0]])


def cut_categories(place: int, codes: IntArray, least: int) -> CutFeature:
    """Take each category that is common enough as an atom.

    Parameters
    ----------
    place : int
        Of the feature.
    codes : (n,) int64 array
        Categories from 0 on; below 0 where missing.
    least : int
        A category of fewer rows is in no slice.

    Returns
    -------
    CutFeature
        Its runs are the single categories, and the missing.

    Notes
    -----
    Cost: O(n).

    Examples
    --------
    >>> feature = cut_categories(3, np.array([0, 0, 5, 5, 7, -1]), least=2)
    >>> feature.codes.tolist(), feature.condition(1).category
    ([0, 0, 1, 1, 3, 2], 5)
    """
    counts = np.bincount(np.maximum(codes, NO_PLACE) + 1)
    common = np.flatnonzero(counts[1:] >= least)
    kept = len(common)
    atoms = np.full(len(counts), kept + 1, np.int64)
    atoms[0] = kept
    atoms[common + 1] = np.arange(kept)
    single = np.arange(kept + 1)
    runs = np.stack([single, single], axis=1).astype(np.int64)
    categories = np.concatenate([common, [NO_PLACE, NO_PLACE]]).astype(np.int64)
    found = atoms[np.maximum(codes, NO_PLACE) + 1]
    return CutFeature(place, found, kept + 2, runs, np.empty(0), np.empty(0), categories)
