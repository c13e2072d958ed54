"""How often a score comes true, learned from a reference's labels: the one thing an estimate without labels assumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.pair import FloatArray, IntArray
from detectors.performance.isotonic import isotonic
from detectors.performance.pooling import joined
from detectors.performance.score_grid import ScoreGrid

SPLITS: Final = 10
"""Random halves on which it is tried whether calibrating helps."""
GROUP_ROWS: Final = 25
MOST_GROUPS: Final = 50
"""Points next to each other share the error of their chance, until they have 25 labels and a fiftieth of all."""
_SEED: Final = 20_261_122


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """The chance of a positive label at each point of a grid.

    Parameters
    ----------
    chances : (B,) float array
        P(label is positive | score) in the reference.
    group : (B,) int64 array
        Which points share their error, from 0 up, ascending.
    group_rows : (G,) float array
        The reference's labels by group.
    group_variance : (G,) float array
        Variance of a label, ``p (1 - p)`` with one half row of each label more.
    lowest, highest : int
        Outermost points that the reference has labels at.
    is_calibrated : bool
        Whether the chances are fitted; else they are the scores as they are.

    Examples
    --------
    >>> from detectors.performance.score_grid import coarse_grid
    >>> labels = np.full((2, coarse_grid().size), 5)
    >>> learned = calibrate(labels, coarse_grid())
    >>> learned.is_calibrated, float(learned.chances[0])
    (True, 0.5)
    """

    chances: FloatArray
    group: IntArray
    group_rows: FloatArray
    group_variance: FloatArray
    lowest: int
    highest: int
    is_calibrated: bool

    def effective_size(self, rows: FloatArray) -> float:
        """Return how many of the reference's labels speak for a window.

        Parameters
        ----------
        rows : (B,) float array
            The window's rows by point.

        Returns
        -------
        float
            Kish's size ``(sum w)**2 / sum(w**2)`` of the labels weighted by the density ratio of window to reference,
            over groups of points; 0 without rows.

        References
        ----------
        L. Kish, "Survey Sampling", Wiley, 1965; for density ratios A. Kong, "A note on importance sampling using
        standardized weights", University of Chicago technical report 348, 1992.
        """
        of_group = np.bincount(self.group, weights=rows, minlength=self.group_rows.size)
        weight = float((of_group**2 / np.maximum(self.group_rows, 1e-9)).sum())
        return float(of_group.sum()) ** 2 / weight if weight > 0 else 0.0

    def share_outside(self, rows: FloatArray) -> float:
        """Return the share of a window's rows below or above all points that the reference has labels at.

        Parameters
        ----------
        rows : (B,) float array
            The window's rows by point.

        Returns
        -------
        float
            In [0, 1]; 0 without rows.
        """
        total = float(rows.sum())
        inside = float(rows[self.lowest : self.highest + 1].sum())
        return 1 - inside / total if total > 0 else 0.0

    def variance_of(self, weights: FloatArray) -> float:
        """Return the variance that the calibration's own error gives to a weighted sum of chances.

        Parameters
        ----------
        weights : (B,) float array
            Of each chance in the sum.

        Returns
        -------
        float
            ``sum over groups (sum of weights)**2 p (1 - p) / labels``.
        """
        of_group = np.bincount(self.group, weights=weights, minlength=self.group_rows.size)
        return float((of_group**2 * self.group_variance / np.maximum(self.group_rows, 1e-9)).sum())


def calibrate(scores: IntArray, grid: ScoreGrid) -> Calibration:
    """Learn from a reference's labels what its scores mean.

    Parameters
    ----------
    scores : (2, B) int array
        The reference's rows by label (negative, positive) and point.
    grid : ScoreGrid
        Of B points.

    Returns
    -------
    Calibration
        With isotonic chances when these have a lower Brier score than the scores as they are on the held-out one of
        two random halves of the reference, on average over 10 splits and both ways; else with the scores.

    Notes
    -----
    The halves are drawn from the counts with a fixed seed: equal counts give equal chances.
    Cost: O(B), about 30 ms on the fine grid; once a reference.

    References
    ----------
    B. Zadrozny, C. Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD
    2002, doi:10.1145/775047.775151.

    Examples
    --------
    >>> from detectors.performance.score_grid import fine_grid
    >>> rows = np.full(fine_grid().size, 1000)
    >>> right = np.round(rows * fine_grid().points).astype(int)
    >>> calibrate(np.stack([rows - right, right]), fine_grid()).is_calibrated
    False
    """
    counts, rows = scores.astype(np.float64), scores.sum(axis=0).astype(np.float64)
    helps = _gain(scores, grid.points) > 0
    there = np.flatnonzero(rows)
    group = joined(scores.sum(axis=0), max(GROUP_ROWS, int(scores.sum()) // MOST_GROUPS))
    size = int(group[-1]) + 1
    group_rows = np.asarray(np.bincount(group, weights=rows, minlength=size), np.float64)
    rate = (np.bincount(group, weights=counts[1], minlength=size) + 0.5) / (group_rows + 1)
    return Calibration(
        isotonic(counts[1], rows) if helps else grid.points,
        group,
        group_rows,
        rate * (1 - rate),
        int(there[0]) if there.size else 0,
        int(there[-1]) if there.size else grid.size - 1,
        helps,
    )


def _gain(scores: IntArray, points: FloatArray) -> float:
    """By how much isotonic chances have a lower Brier score than the points, on held-out halves; summed over rows."""
    random = np.random.default_rng(_SEED)
    gain = 0.0
    for _ in range(SPLITS):
        half = random.binomial(scores, 0.5)
        for fitted, held in ((half, scores - half), (scores - half, half)):
            chances = isotonic(fitted[1].astype(np.float64), fitted.sum(axis=0).astype(np.float64))
            gain += float((held[0] * (points**2 - chances**2)).sum())
            gain += float((held[1] * ((1 - points) ** 2 - (1 - chances) ** 2)).sum())
    return gain
