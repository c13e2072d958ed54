"""Values that were counted in bins: their mean, their shares beyond a border, and their quantiles, with intervals."""

from __future__ import annotations

from math import sqrt
from typing import Final, NamedTuple

import numpy as np

from detectors.pair import FloatArray, IntArray
from detectors.performance.intervals import normal_quantile, wilson
from detectors.performance.metric import NO_ROWS, Metric, undefined

LEVEL: Final = 0.95
NOT_PROBABILITIES: Final = "scores_are_no_probabilities"
SATURATED: Final = 0.001


class BinnedValues(NamedTuple):
    """Counts of values between edges.

    Parameters
    ----------
    edges : (B-1,) float array
        Ascending inner edges; bin i is ``[edges[i-1], edges[i])``.
    counts : (B,) int64 array
        Values in each bin.
    low, high : float
        Smallest and largest value; they close the outer bins.

    Examples
    --------
    >>> BinnedValues(np.array([0.5]), np.array([3, 1]), 0.1, 0.9).n
    4
    """

    edges: FloatArray
    counts: IntArray
    low: float
    high: float

    @property
    def n(self) -> int:
        """How many values there are."""
        return int(self.counts.sum())

    def pieces(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Cut the range into pieces in which values are taken as spread evenly.

        Returns
        -------
        start, end, rows : (P,) float arrays
            Ends of each piece, and its values.
        """
        held = np.flatnonzero(self.counts)
        starts = np.concatenate([[self.low], self.edges])[held]
        ends = np.concatenate([self.edges, [self.high]])[held]
        start, end = np.clip(starts, self.low, self.high), np.clip(ends, self.low, self.high)
        return start, end, self.counts[held].astype(np.float64)


def mean_confidence(scores: BinnedValues, *, of_two: bool) -> Metric:
    """Return how sure answers are on average.

    Parameters
    ----------
    scores : BinnedValues
        Probabilities.
    of_two : bool
        They are of the positive one of two classes, and a score p is as sure as ``max(p, 1 - p)``; else of the class
        that was answered, and as sure as p.

    Returns
    -------
    Metric
        "mean_confidence", in [0, 1]. Without value where there are no scores, or some lie outside [0, 1].

    Notes
    -----
    The interval is the normal one of a mean. A bin's values are taken as spread evenly; `resolution` bounds what that
    can be wrong by.
    Cost: O(B).

    Examples
    --------
    >>> scores = BinnedValues(np.array([0.5]), np.array([50, 50]), 0.1, 0.9)
    >>> round(mean_confidence(scores, of_two=True).value, 3)
    0.7
    """
    name = "mean_confidence"
    if (reason := _unusable(scores)) is not None:
        return undefined(name, scores.n, higher_is_better=None, reason=reason)
    start, end, rows = scores.pieces()
    sure = np.stack([_sure(start, of_two=of_two), _sure(end, of_two=of_two)])
    least = np.where(of_two & (start < 0.5) & (end > 0.5), 0.5, sure.min(axis=0))
    middle, n = (least + sure.max(axis=0)) / 2, rows.sum()
    mean = float(rows @ middle / n)
    error = sqrt(float(rows @ (middle - mean) ** 2) / n / n)
    resolution = float(rows @ (sure.max(axis=0) - least) / 2 / n)
    reach = normal_quantile(LEVEL) * error
    low, high = max(0.0, mean - reach), min(1.0, mean + reach)
    return Metric(name, mean, low, high, int(n), resolution, None, error=error)


def saturated_share(scores: BinnedValues) -> Metric:
    """Return the share of scores that say nothing but 0 or 1.

    Parameters
    ----------
    scores : BinnedValues
        Probabilities.

    Returns
    -------
    Metric
        "saturated_scores": the share within 0.001 of 0 or 1, with Wilson's interval. Without value where there are
        no scores, or some lie outside [0, 1].

    Notes
    -----
    `resolution` is the share of the bins that a border runs through.
    Cost: O(B).

    Examples
    --------
    >>> scores = BinnedValues(np.array([0.0005, 0.9995]), np.array([10, 80, 10]), 0.0, 1.0)
    >>> round(saturated_share(scores).value, 3)
    0.201
    """
    name = "saturated_scores"
    if (reason := _unusable(scores)) is not None:
        return undefined(name, scores.n, higher_is_better=None, reason=reason)
    start, end, rows = scores.pieces()
    near, far = _below(start, end, SATURATED), 1.0 - _below(start, end, 1.0 - SATURATED)
    cut = ((near > 0) & (near < 1)) | ((far > 0) & (far < 1))
    n, hits = float(rows.sum()), float(rows @ np.minimum(1.0, near + far))
    resolution = float(rows[cut].sum() / n)
    return Metric(name, hits / n, *wilson(hits, n), int(n), resolution, None, error=_share_error(hits, n))


def binned_quantile(name: str, values: BinnedValues, share: float) -> Metric:
    """Return the value that a share of all values is at most.

    Parameters
    ----------
    name : str
        What it is called.
    values : BinnedValues
        In any unit.
    share : float
        In (0, 1).

    Returns
    -------
    Metric
        In the unit of the values. Without value where there are none.

    Notes
    -----
    The interval holds the quantiles of ``share -+ 1.96 sqrt(share (1 - share) / n)``, widened to the bins they fall
    into; its ends are those of all values where so few cannot tell.
    `resolution` is the width of the quantile's bin.
    Cost: O(B).

    Examples
    --------
    >>> values = BinnedValues(np.arange(1.0, 100.0), np.full(100, 10), 0.0, 100.0)
    >>> round(binned_quantile("p95", values, 0.95).value, 6)
    95.0
    """
    n = values.n
    if n == 0:
        return undefined(name, 0, higher_is_better=False, reason=NO_ROWS)
    start, end, rows = values.pieces()
    upto = np.cumsum(rows)
    reach = normal_quantile(LEVEL) * sqrt(share * (1 - share) / n)
    first, at, last = (
        min(int(np.searchsorted(upto, wanted * n, side="left")), len(rows) - 1)
        for wanted in (max(0.0, share - reach), share, min(1.0, share + reach))
    )
    inside = (share * n - (upto[at] - rows[at])) / rows[at]
    value = float(start[at] + inside * (end[at] - start[at]))
    width = float(end[at] - start[at])
    return Metric(name, value, float(start[first]), float(end[last]), n, width, False)  # noqa: FBT003


def _unusable(scores: BinnedValues) -> str | None:
    if scores.n == 0:
        return NO_ROWS
    return None if scores.low >= 0 and scores.high <= 1 else NOT_PROBABILITIES


def _sure(scores: FloatArray, *, of_two: bool) -> FloatArray:
    return np.maximum(scores, 1 - scores) if of_two else scores


def _below(start: FloatArray, end: FloatArray, border: float) -> FloatArray:
    """The share of each piece that lies at or below a border."""
    single = end <= np.nextafter(start, np.inf)  # the bin of an exact value
    inside = np.clip((border - start) / np.where(single, 1.0, end - start), 0.0, 1.0)
    return np.asarray(np.where(single, start <= border, inside))


def _share_error(hits: float, n: float) -> float:
    return sqrt(hits * (n - hits) / n / n / n)
