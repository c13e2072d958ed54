"""Losses of two versions side by side, stratum by stratum: what both had to answer at the same time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.pair import FloatArray


class Losses(NamedTuple):
    """Sums of one version's losses, by stratum (an hour, say).

    Parameters
    ----------
    rows, total, squares : (K,) float array
        Labelled rows, and their losses and squared losses added up; of errors all three are counts.

    Examples
    --------
    >>> errors_of(np.array([100.0]), np.array([7.0])).total.tolist()
    [7.0]
    """

    rows: FloatArray
    total: FloatArray
    squares: FloatArray


class Beside(NamedTuple):
    """Two versions on the strata that both have rows in.

    Parameters
    ----------
    means : (2,) tuple of float
        Mean losses, of both versions with the same weight of each stratum.
    rows : (2,) tuple of float
        Labelled rows.
    variances : (2,) tuple of float
        Of a loss, over all rows.
    shares : (2,) tuple of float
        What a unit of either variance adds to the variance of the difference; one over the rows in a single stratum.
    """

    means: tuple[float, float]
    rows: tuple[float, float]
    variances: tuple[float, float]
    shares: tuple[float, float]


def errors_of(rows: FloatArray, hits: FloatArray) -> Losses:
    """Return the losses of rows that are wrong or right.

    Parameters
    ----------
    rows, hits : (K,) float array
        Labelled rows by stratum, and how many of them are wrong.

    Returns
    -------
    Losses
        1 where wrong, 0 where right.

    Examples
    --------
    >>> errors_of(np.array([10.0, 20.0]), np.array([1.0, 0.0])).squares.tolist()
    [1.0, 0.0]
    """
    return Losses(rows, hits, hits)


def beside(version: Losses, against: Losses) -> Beside | None:
    """Compare like with like.

    Parameters
    ----------
    version, against : Losses
        Of the same K strata.

    Returns
    -------
    Beside or None
        None when no stratum has rows of both.

    Raises
    ------
    ValueError
        When shapes differ, or a number is not finite or negative.

    Notes
    -----
    Strata weigh ``n m / (n + m)`` (Cochran; Mantel and Haenszel), the best for a difference that is the same in all.
    A rollout whose share grows while the world changes would otherwise be compared with another time.
    Variances are over all rows of a version: where strata differ among themselves this is wider than needed.
    Cost: O(K).

    Examples
    --------
    >>> new = errors_of(np.array([10.0, 90.0]), np.array([1.0, 18.0]))
    >>> old = errors_of(np.array([90.0, 10.0]), np.array([9.0, 2.0]))
    >>> [round(mean, 6) for mean in beside(new, old).means]
    [0.15, 0.15]
    """
    _check(version, against)
    shared = (version.rows > 0) & (against.rows > 0)
    if not shared.any():
        return None
    mine, theirs = (Losses(*(sums[shared] for sums in one)) for one in (version, against))
    weights = mine.rows * theirs.rows / (mine.rows + theirs.rows)
    weights = weights / weights.sum()
    sides = [_side(one, weights) for one in (mine, theirs)]
    means, rows, variances, shares = zip(*sides, strict=True)
    return Beside(means, rows, variances, shares)


def _side(losses: Losses, weights: FloatArray) -> tuple[float, float, float, float]:
    rows = float(losses.rows.sum())
    mean = float(losses.total.sum()) / rows
    variance = max(0.0, float(losses.squares.sum()) / rows - mean * mean)
    standardised = float(np.sum(weights * losses.total / losses.rows))
    return standardised, rows, variance, float(np.sum(weights**2 / losses.rows))


def _check(version: Losses, against: Losses) -> None:
    shape = version.rows.shape
    for sums in (*version, *against):
        if sums.shape != shape or sums.ndim != 1:
            message = f"losses need one number a stratum each, got {sums.shape} and {shape}"
            raise ValueError(message)
        if not (np.isfinite(sums).all() and (sums >= 0).all()):
            message = "sums of losses must be finite and at least 0"
            raise ValueError(message)
