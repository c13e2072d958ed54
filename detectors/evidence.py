"""Evidence that adds up over windows: an e-detector over structured alternatives, with a tolerance.

Many columns at once: every function works on arrays whose first axis is the column, padded to the widest.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from detectors.pair import FloatArray

DISTANCES: Final = np.array([0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28])
"""Chi distances of the alternatives: each twice the one before, so that the best is never far from the truth."""
RATES: Final = np.array([0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 0.8])
"""By how much, of what is left above it, an alternative's rate exceeds the usual one."""
_NEAR: Final = 1.5
_LEAST: Final = 0.02
_MOST: Final = 0.95
_SMALLEST: Final = 1e-12
_TAIL: Final = 1e-4

BoolArray = NDArray[np.bool_]


def distribution_gains(
    counts: FloatArray,
    proportions: FloatArray,
    tolerance: FloatArray,
    ordered: BoolArray,
    bounds: BoolArray | None = None,
) -> FloatArray:
    """Return how much each alternative gains, in nats, by the counts of one window.

    Parameters
    ----------
    counts : (F, K) float array
        Counts by group of F columns, padded with 0; divided by the column's overdispersion where it is above 1.
    proportions : (F, K) float array
        Proportions of the groups under "nothing has changed"; rows sum to 1, 0 where padded.
    tolerance : (F,) or (F, 2 K + 4) float array
        Chi distance within which a change is too small to matter, for all directions or one by one: each group up,
        each group down, location up and down, spread up and down.
    ordered : (F,) bool array
        Whether a column's groups stand in the order of its values, so that location and scale mean something.
    bounds : (F, K) bool array, optional
        Where a proportion is only an upper bound: such a group has changed only when it is more frequent, and all
        other directions are those of the rows outside of it. Default: nowhere.

    Returns
    -------
    (F, A) float array
        Logarithms of e-values; -inf for alternatives that a column does not have.

    Notes
    -----
    Null hypothesis: the proportions p of the window lie within ``chi(p, p0) <= tolerance`` of ``p0``, where
    ``chi(p, p0)**2 = sum((p - p0)**2 / p0)``; it is enough that they lie so near in the direction u below.
    An alternative is ``q = p0 (1 + D u)`` with direction u (``sum(p0 u) = 0``, ``sum(p0 u**2) = 1``): each group up
    or down, and for ordered columns location and scale both ways, by the normal scores of the groups; D from
    `DISTANCES` that are no less than two thirds of the tolerance (the last at any rate), or as far as q stays
    positive. An event gains about ``D (chi - tolerance) - D**2 / 2``: nothing below four thirds of the tolerance.
    By Cauchy and Schwarz ``sum(p q / p0) = 1 + <p - p0, q - p0> <= 1 + chi(p, p0) chi(q, p0)``, so that
    ``q / p0 / (1 + tolerance chi(q, p0))`` is an e-value of one event for the whole null, and products over
    events are e-values of windows.
    Summed as ``S = max(S, 0) + gain`` they are e-detectors; the mean over alternatives (and any weighted mean over
    columns) of ``exp(S)`` is one too: it exceeds A with a mean time between false alarms of at least A windows,
    whatever the dependence between columns.
    Cost: O(F K D), about 2 ms for 600 columns of 16 groups.

    References
    ----------
    J. Shin, A. Ramdas and A. Rinaldo, "E-detectors: a nonparametric framework for sequential change detection",
    New England Journal of Statistics in Data Science 2(2), 2024, doi:10.51387/23-NEJSDS51.

    Examples
    --------
    >>> same = distribution_gains(
    ...     np.array([[50.0, 50.0]]), np.array([[0.5, 0.5]]), np.array([0.03]), np.array([False])
    ... )
    >>> moved = distribution_gains(
    ...     np.array([[90.0, 10.0]]), np.array([[0.5, 0.5]]), np.array([0.03]), np.array([False])
    ... )
    >>> bool(log_mean_exp(same)[0] < 0), bool(log_mean_exp(moved)[0] > 15)
    (True, True)
    """
    ways = 2 * counts.shape[1] + 4
    slack = np.broadcast_to(tolerance if tolerance.ndim == 2 else tolerance[:, None], (len(counts), ways))
    bounds = np.zeros(counts.shape, np.bool_) if bounds is None else bounds
    known, inside = _known(proportions, bounds), np.where(bounds, 0.0, counts)
    rows = np.where(bounds, counts.sum(axis=1, keepdims=True), inside.sum(axis=1, keepdims=True))
    groups = _group_gains(counts, rows, np.where(bounds, proportions, known), slack[:, :-4])
    groups[:, bounds.shape[1] :][bounds] = -np.inf
    shapes = np.full((len(counts), 4, len(DISTANCES)), -np.inf)
    if ordered.any():
        shapes[ordered] = _shape_gains(inside[ordered], known[ordered], slack[ordered, -4:])
    gains = np.concatenate([groups, shapes], axis=1)
    too_near = slack[:, :, None] > _NEAR * DISTANCES
    too_near[:, :, -1] = False
    gains[too_near] = -np.inf
    return np.asarray(gains.reshape(len(counts), -1))


def _known(proportions: FloatArray, bounds: BoolArray) -> FloatArray:
    """The proportions among the rows outside of groups that have a bound only."""
    kept = np.where(bounds, 0.0, proportions)
    return np.asarray(kept / np.maximum(kept.sum(axis=1, keepdims=True), _SMALLEST))


def _group_gains(
    counts: FloatArray, of_rows: FloatArray, proportions: FloatArray, tolerance: FloatArray
) -> FloatArray:
    p, half = np.clip(proportions, _SMALLEST, 1 - _SMALLEST), counts.shape[1]
    rows, others = of_rows[:, :, None], of_rows - counts
    odds = np.sqrt(p / (1 - p))[:, :, None]
    inside, outside = counts[:, :, None], others[:, :, None]
    up, down = np.minimum(DISTANCES, _MOST / odds), np.minimum(DISTANCES, _MOST * odds)
    rise = (
        inside * np.log1p(up / odds)
        + outside * np.log1p(-up * odds)
        - rows * np.log1p(tolerance[:, :half, None] * up)
    )
    fall = (
        inside * np.log1p(-down / odds)
        + outside * np.log1p(down * odds)
        - rows * np.log1p(tolerance[:, half:, None] * down)
    )
    gains: FloatArray = np.concatenate([rise, fall], axis=1)
    gains[np.tile(proportions <= 0, 2)] = -np.inf
    return gains


def _shape_gains(counts: FloatArray, proportions: FloatArray, tolerance: FloatArray) -> FloatArray:
    p, u = proportions[:, None, :], _shapes(proportions)
    ratio = np.maximum(1 + DISTANCES[:, None, None, None] * u, _LEAST)
    ratio /= (p * ratio).sum(axis=3, keepdims=True)
    chi = np.sqrt((p * (ratio - 1) ** 2).sum(axis=3))
    rows = counts.sum(axis=1)[:, None]
    gains = (np.log(ratio) * counts[:, None, :]).sum(axis=3) - rows * np.log1p(tolerance * chi)
    return np.asarray(gains.transpose(1, 2, 0))


def _shapes(proportions: FloatArray) -> FloatArray:
    """(F, 4, K) the directions of location and spread, up and down."""
    p = proportions[:, None, :]
    middle = np.cumsum(proportions, axis=1) - proportions / 2
    z = ndtri(np.clip(middle, _TAIL, 1 - _TAIL))
    u = np.stack([z, -z, z * z - 1, 1 - z * z], axis=1)
    u = u - (p * u).sum(axis=2, keepdims=True)
    return np.asarray(u / np.sqrt(np.maximum((p * u * u).sum(axis=2, keepdims=True), _SMALLEST)))


def direction_skewness(proportions: FloatArray, bounds: BoolArray) -> FloatArray:
    """Return how skewed the sampling error of proportions is in each direction of `distribution_gains`.

    Parameters
    ----------
    proportions : (F, K) float array
        Proportions by group; rows sum to 1, 0 where padded.
    bounds : (F, K) bool array
        Where a proportion is a bound and no estimate.

    Returns
    -------
    (F, 2 K + 4) float array
        Third moment of the direction, ``sum(p0 u**3)``; 0 for bounds and for groups that a column does not have.
        The error of proportions that were estimated from m rows has the skewness ``sum(p0 u**3) / sqrt(m)`` in it.

    Notes
    -----
    Cost: O(F K).

    Examples
    --------
    >>> direction_skewness(np.array([[0.01, 0.99]]), np.array([[False, False]])).round(2).tolist()[0][:4]
    [9.85, -9.85, -9.85, 9.85]
    """
    known = _known(proportions, bounds)
    p = np.clip(known, _SMALLEST, 1 - _SMALLEST)
    rise = np.where(known > 0, (1 - 2 * p) / np.sqrt(p * (1 - p)), 0.0)
    shapes = (known[:, None, :] * _shapes(known) ** 3).sum(axis=2)
    return np.concatenate([rise, -rise, shapes], axis=1)


def rate_gains(hits: FloatArray, rows: FloatArray, usual: FloatArray) -> FloatArray:
    """Return how much each raised rate gains, in nats, by the hits of one window.

    Parameters
    ----------
    hits, rows : (...) float array
        Hits and rows of a window; both divided by the overdispersion where it is above 1.
    usual : (...) float array
        Highest rate that still counts as "nothing has changed", in [0, 1).

    Returns
    -------
    (..., 8) float array
        Logarithms of e-values, one for each of `RATES`.

    Notes
    -----
    Null hypothesis: the rate is at most `usual`. An alternative's rate is ``q = usual + RATES (1 - usual)``, and
    ``(q / usual)**hits ((1 - q) / (1 - usual))**(rows - hits)`` is an e-value for all lower rates too, since it
    falls with them.
    Cost: O(size), 8 logarithms each.

    Examples
    --------
    >>> gains = rate_gains(np.array([5.0]), np.array([1000.0]), np.array([5e-4]))
    >>> (
    ...     bool(log_mean_exp(gains)[0] > 4),
    ...     bool(log_mean_exp(rate_gains(np.zeros(1), np.ones(1), np.zeros(1)))[0] < 0),
    ... )
    (True, True)
    """
    base = np.maximum(usual, _SMALLEST)[..., None]
    raised = base + RATES * (1 - base)
    misses = (rows - hits)[..., None]
    return np.asarray(hits[..., None] * np.log(raised / base) + misses * np.log((1 - raised) / (1 - base)))


def log_mean_exp(gains: FloatArray) -> FloatArray:
    """Return the logarithm of the mean e-value over the last axis, -inf entries left out of the mean.

    Parameters
    ----------
    gains : (..., A) float array
        Logarithms of e-values; each row has a finite one.

    Returns
    -------
    (...) float array
        In nats.

    Examples
    --------
    >>> log_mean_exp(np.log(np.array([[1.0, 3.0]]))).round(6).tolist() == [round(float(np.log(2)), 6)]
    True
    """
    highest = gains.max(axis=-1, keepdims=True)
    e_values = gains - highest
    np.exp(e_values, out=e_values)
    there = np.maximum(np.count_nonzero(gains > -np.inf, axis=-1), 1)
    return np.asarray(highest[..., 0] + np.log(e_values.sum(axis=-1) / there))
