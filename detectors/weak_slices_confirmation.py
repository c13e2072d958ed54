"""Slices that were found on some rows, tested on others."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr
from scipy.stats import hypergeom

from detectors.pair import FloatArray
from detectors.weak_slices_shrinkage import Totals

BoolArray = NDArray[np.bool_]


class Confirmation(NamedTuple):
    """A slice among rows that it was not found on.

    Parameters
    ----------
    inside : Totals
        Of its rows, arrays of one.
    elsewhere : float
        Mean loss of all others; NaN never, the slice's own loss where there are none.
    p_value : float
        Corrected for all slices that were tested, in [0, 1].

    Examples
    --------
    >>> one = np.array([10.0])
    >>> Confirmation(Totals(one, one / 2, one / 2), 0.1, 0.001).inside.mean
    array([0.5])
    """

    inside: Totals
    elsewhere: float
    p_value: float


def confirm_slices(slices: Sequence[BoolArray], losses: FloatArray) -> list[Confirmation]:
    """Test slices one after the other, each on the rows that those before it leave.

    Parameters
    ----------
    slices : sequence of (n,) bool arrays
        The rows of each, in the order in which they were found; not chosen by these losses.
    losses : (n,) float array
        In [0, 1], at least one.

    Returns
    -------
    list of Confirmation
        In the same order.

    Notes
    -----
    Null hypothesis: the losses of the slice's rows, without those of the slices before it, are as the losses of the
    rows in none of these slices. Fisher's exact test for losses of 0 and 1, Welch's for others, both one-sided.
    The p-values are Holm's: the chance that any slice that is as the others has one below alpha is at most alpha.
    Cost: O(n) a slice.

    References
    ----------
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2), 1979.

    Examples
    --------
    >>> weak = np.arange(400) < 100
    >>> (tested,) = confirm_slices([weak], (weak & (np.arange(400) % 2 == 0)).astype(float))
    >>> tested.elsewhere, tested.p_value < 1e-10
    (0.0, True)
    """
    is_binary = bool(np.isin(losses, (0.0, 1.0)).all())
    left, p_values, told = np.ones(len(losses), np.bool_), [], []
    for rows in slices:
        own, others = losses[rows & left], losses[~rows & left]
        p_values.append(_fisher(own, others) if is_binary else _welch(own, others))
        left &= ~rows
        inside = losses[rows]
        outside = losses[~rows]
        told.append((_totals(inside), float((outside if len(outside) else losses).mean())))
    pairs = zip(told, _holm(np.array(p_values)).tolist(), strict=True)
    return [Confirmation(inside, elsewhere, p_value) for (inside, elsewhere), p_value in pairs]


def _totals(losses: FloatArray) -> Totals:
    return Totals(np.array([float(len(losses))]), np.array([losses.sum()]), np.array([(losses**2).sum()]))


def _fisher(own: FloatArray, others: FloatArray) -> float:
    """P(so many hits or more in the slice), given all hits."""
    hits, n = int(own.sum()), len(own) + len(others)
    return float(hypergeom.sf(hits - 1, n, hits + int(others.sum()), len(own)))


def _welch(own: FloatArray, others: FloatArray) -> float:
    if min(len(own), len(others)) < 2:
        return 1.0
    one, other = float(own.var(ddof=1)) / len(own), float(others.var(ddof=1)) / len(others)
    if not one + other > 0:
        return 1.0
    degrees = (one + other) ** 2 / (one**2 / (len(own) - 1) + other**2 / (len(others) - 1))
    return float(stdtr(degrees, -(own.mean() - others.mean()) / sqrt(one + other)))


def _holm(p_values: FloatArray) -> FloatArray:
    order = np.argsort(p_values, kind="stable")
    times = len(p_values) - np.arange(len(p_values))
    stepped = np.minimum(1.0, np.maximum.accumulate(p_values[order] * times))
    corrected = np.empty_like(p_values)
    corrected[order] = stepped
    return corrected
