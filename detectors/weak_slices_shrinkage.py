"""Losses of slices pulled towards the whole, by a prior that is fitted over the slices."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from scipy.special import betaincinv, ndtri

from detectors.pair import FloatArray

DOUBT: Final = 0.05  # chance that a slice's loss is below its bound, if the prior holds
TINY: Final = 1e-300


class Totals(NamedTuple):
    """Rows of slices with the sums of their losses and of the squares of these; arrays of one shape.

    Examples
    --------
    >>> Totals(np.array([50.0]), np.array([10.0]), np.array([10.0])).mean
    array([0.2])
    """

    rows: FloatArray
    sums: FloatArray
    squares: FloatArray

    @property
    def mean(self) -> FloatArray:
        """The mean loss of each; 0 where there are no rows."""
        return np.asarray(self.sums / np.maximum(self.rows, 1.0))


class Prior(NamedTuple):
    """What is thought of a slice's loss before its own rows are looked at.

    Parameters
    ----------
    mean, variance : float
        Of the losses of all rows.
    weight : float
        In rows: a slice of so many is moved half the way to the whole.
    is_binary : bool
        Losses are 0 or 1: the prior is a beta law, else a normal one.

    Examples
    --------
    >>> prior = Prior(0.1, 0.09, 100.0, is_binary=True)
    >>> shrunk, _ = prior.shrink(Totals(np.array([100.0]), np.array([30.0]), np.array([30.0])))
    >>> shrunk
    array([0.2])
    """

    mean: float
    variance: float
    weight: float
    is_binary: bool

    def shrink(self, of: Totals) -> tuple[FloatArray, FloatArray]:
        """Pull the losses of slices towards the whole.

        Parameters
        ----------
        of : Totals
            Their rows.

        Returns
        -------
        mean, error : float arrays
            Posterior mean and standard deviation, in the unit of the losses.

        Notes
        -----
        ``mean = (sum + w m) / (n + w)`` for the prior's weight w and mean m, which is exact for the beta-binomial law;
        the error is ``sqrt(s^2 / (n + w))`` with s^2 of the n rows and w rows of the whole together.
        """
        rows = of.rows + self.weight
        mean = (of.sums + self.weight * self.mean) / rows
        second = (of.squares + self.weight * (self.variance + self.mean**2)) / rows
        return mean, np.sqrt(np.maximum(second - mean**2, 0.0) / rows)

    def bound(self, of: Totals) -> FloatArray:
        """Return the loss that slices exceed with a chance of 95 %, if the prior holds.

        Parameters
        ----------
        of : Totals
            Their rows.

        Returns
        -------
        float array
            A quantile of the beta law for losses of 0 and 1, of the normal law for others.

        Notes
        -----
        Cost: about 1 us a slice.
        """
        mean, error = self.shrink(of)
        if not self.is_binary:
            return np.asarray(mean + ndtri(DOUBT) * error)
        hits = self.weight * self.mean + of.sums
        misses = self.weight * (1 - self.mean) + of.rows - of.sums
        return np.asarray(betaincinv(np.maximum(hits, TINY), np.maximum(misses, TINY), DOUBT))


def fit_prior(losses: FloatArray, by_feature: list[Totals], most: float) -> Prior:
    """Fit the prior over the atoms of features.

    Parameters
    ----------
    losses : (n,) float array
        Of all rows, at least one.
    by_feature : list of Totals
        The atoms of each feature, which together hold its rows.
    most : float
        The weight is not above it, in rows.

    Returns
    -------
    Prior
        Its weight is at least 1.

    Notes
    -----
    By the moments of a one-way analysis of variance: the squares between atoms, less what chance alone makes of
    them, are the variance t^2 of the atoms' own losses, and the weight is v / t^2 for the variance v of single losses
    (less 1 for the beta law).
    Atoms that do not differ have a weight without end, and a single weak slice among many sound ones would be
    pulled away wholly: hence `most`.
    Cost: O(n + atoms).

    References
    ----------
    W. G. Cochran, "The combination of estimates from different experiments", Biometrics 10(1), 1954,
    doi:10.2307/3001666.

    Examples
    --------
    >>> losses = np.repeat([0.0, 1.0], 500)
    >>> halves = Totals(np.array([500.0, 500.0]), np.array([0.0, 500.0]), np.array([0.0, 500.0]))
    >>> fit_prior(losses, [halves], most=50.0).weight
    1.0
    """
    mean, variance = float(losses.mean()), float(losses.var())
    is_binary = bool(np.isin(losses, (0.0, 1.0)).all())
    between = chance = size = 0.0
    for atoms in by_feature:
        rows = atoms.rows[atoms.rows > 0]
        own = atoms.mean[atoms.rows > 0]
        between += float((rows * (own - mean) ** 2).sum())
        chance += (len(rows) - 1) * variance
        size += float(rows.sum() - (rows**2).sum() / rows.sum()) if len(rows) else 0.0
    apart = (between - chance) / size if size > 0 else 0.0
    weight = variance / apart - is_binary if apart > 0 else most
    return Prior(mean, variance, float(np.clip(weight, 1.0, most)), is_binary)
