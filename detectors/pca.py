"""Reconstruction error: how much of a window lies outside the plane in which the reference lies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import ClassVar, Final

import numpy as np
from scipy.special import stdtr, stdtrit

from detectors.joint import (
    MIN_BLOCKS,
    TOO_FEW_COLUMNS,
    JointScore,
    MomentsPair,
    SecondMoments,
    pooled,
    shares_of,
)
from detectors.moderation import MOST_FREEDOM
from detectors.pair import FloatArray, IntArray
from detectors.score import Score, is_too_little, require_alpha, too_little_data

LEAST_KEPT: Final = 0.5  # of the variance lies in the plane
MOST_KEPT: Final = 0.8
FOLDS: Final = 4
NOISE: Final = 0.01  # variance added to each column: strays and rounding are no error in near-collinear ones
ASSUMED: Final = 4.0  # without blocks: how much more squares of an exponential law vary than a normal law's
FEWEST: Final = (
    3  # of two columns the one thing to say is their correlation; strays from their line have no law
)
OPTIMISM: Final = 3.0  # 2 to first order, and a margin
_LEAST: Final = 1e-9


class Pca:
    """Variance of the window outside the reference's main components, over the reference's; 0 and up.

    Notes
    -----
    The plane is spanned by leading eigenvectors of the reference's correlation matrix, which hold 50 to 80 % of
    the variance and end before its steepest fall; Q projects on what is left.
    ``value = tr(Q S) / e``: S is the window's covariance in standard deviations of the reference, e what the
    reference leaves outside: the mean of ``tr(Q' S')`` over its four quarters, each with a plane that was fitted
    to the other three, since rows are closer to a plane that was fitted to them.
    To each variance 0.01 is added: in near-collinear columns rounding and strays are no error.
    Means are taken off on both sides: a shift of columns is not an error.
    Null hypothesis: window and reference have one covariance.
    Then the value is near a gamma law of mean 1, by Wilson and Hilferty its cube root near a normal one; its
    variance is that of the blocks' own values, which are not taken to vary less in windows longer than they
    are, but at least ``2 tr((Q R)**2) / tr(Q R)**2 (1 / n + 1 / m)``, that of normal rows.
    Estimated from B blocks it gives a Student's t law with B - 1 degrees of freedom.
    With fewer than 8 blocks, the variance is 4 times that of normal rows, and e that of the reference and three
    times the first-order error of its eigenvectors, ``sum l l' / (m (l - l'))`` over those inside and outside.
    Only a rise counts: a window closer to the plane than the reference has a value below 1.
    Range: 0 and up; 1 is no change.
    False alarms: 0.1 to 1 alpha on normal and discrete columns with blocks, less on heavy tails; below alpha
    without blocks on tails as assumed.
    Cost: O(B d**2 + d**3), about 5 ms at 50 columns and 40 blocks.

    References
    ----------
    J. E. Jackson, G. S. Mudholkar, "Control procedures for residuals associated with principal component
    analysis", Technometrics 21(3), 1979, doi:10.1080/00401706.1979.10489779.
    E. B. Wilson, M. M. Hilferty, "The distribution of chi-square", PNAS 17(12), 1931,
    doi:10.1073/pnas.17.12.684.

    Examples
    --------
    >>> def moments(rows, r):
    ...     together = np.full((3, 3), r) + (1 - r) * np.eye(3)
    ...     return SecondMoments(rows, np.full(3, rows), np.zeros(3), together)
    >>> found = Pca().score(MomentsPair(moments(10_000, 0.9), (), moments(500, 0.1)), alpha=1e-6)
    >>> round(found.score.value, 1), found.score.value > found.score.limit, np.round(found.shares, 3).tolist()
    (8.3, True, [0.333, 0.333, 0.333])
    """

    name: ClassVar[str] = "pca"

    def score(self, pair: MomentsPair, alpha: float) -> JointScore:
        """Score one window.

        Parameters
        ----------
        pair : MomentsPair
            Second moments of both sides.
        alpha : float
            Probability of a false alarm, in (0, 1).

        Returns
        -------
        JointScore
            A column's share is that of its variance outside the plane in what all have more than the
            reference.
            Without value below 10 current or 30 reference rows, or when no three columns vary in the reference
            and are present in the window.

        Raises
        ------
        ValueError
            When alpha is outside (0, 1).
        """
        require_alpha(alpha)
        n, m = pair.current.rows, pair.reference.rows
        shares = np.zeros(pair.current.present.size)
        if is_too_little(n, m):
            return JointScore(too_little_data(self.name, n, m), shares_of(shares))
        places = np.flatnonzero(pair.reference.varies() & pair.current.is_usable())
        if places.size < FEWEST:
            score = Score(self.name, None, None, None, n, m, 0.0, TOO_FEW_COLUMNS)
            return JointScore(score, shares_of(shares))
        scale = np.sqrt(pair.reference.covariance.diagonal()[places])
        reference, current = (_standardised(part, places, scale) for part in (pair.reference, pair.current))
        kept = _kept(reference)
        rest = _outside(reference, kept)
        law = _law_of(pair, places, scale, kept)
        value = max(float(np.trace(rest @ current)), 0.0) / law.usual
        score = Score(self.name, value, law.p_value(value), law.limit(alpha), n, m, 0.0)
        shares[places] = (rest @ (current - reference) @ rest).diagonal()
        return JointScore(score, shares_of(shares))


@dataclass(frozen=True, slots=True)
class _Law:
    """The null law of the value: a gamma law of mean 1 whose variance is known with some freedom."""

    usual: float
    variance: float
    freedom: float

    def p_value(self, value: float) -> float:
        ninth = self.variance / 9
        return float(stdtr(self.freedom, -(np.cbrt(value) - (1 - ninth)) / sqrt(ninth)))

    def limit(self, alpha: float) -> float:
        ninth = self.variance / 9
        root = 1 - ninth - float(stdtrit(self.freedom, alpha)) * sqrt(ninth)
        return max(root, 0.0) ** 3


def _law_of(pair: MomentsPair, places: IntArray, scale: FloatArray, kept: int) -> _Law:
    """Return the law of the value, from the blocks where there are enough."""
    n, m = (max(float(part.present[places].min()), 1.0) for part in (pair.current, pair.reference))
    reference = _standardised(pair.reference, places, scale)
    left = reference @ _outside(reference, kept)
    normal = 2 * float(np.sum(left * left.T)) / max(float(np.trace(left)), NOISE) ** 2
    blocks = [block for block in pair.windows() if block.is_usable()[places].all()]
    if len(blocks) < MIN_BLOCKS:
        usual = max(float(np.trace(left)), NOISE) + OPTIMISM * _fitted(reference, kept, m)
        return _Law(usual, ASSUMED * normal * (1 / n + 1 / m), MOST_FREEDOM)
    usual, values = _left_out(blocks, places, scale, kept)
    seen = float(values.var(ddof=1)) / max(float(values.mean()), NOISE) ** 2
    rows = float(np.mean([block.present[places].min() for block in blocks]))
    excess = max(seen - normal / rows, 0.0) * max(rows / n, 1.0)
    variance = normal / n + excess + max(normal / m, seen / values.size)
    # covariances with missing cells may be none; of true ones each direction holds the noise at least
    return _Law(max(usual, NOISE), variance, values.size - 1.0)


def _left_out(
    blocks: list[SecondMoments], places: IntArray, scale: FloatArray, kept: int
) -> tuple[float, FloatArray]:
    """Return what folds, and blocks, have outside a plane that was fitted to the other folds: mean and each."""
    ends = np.arange(FOLDS + 1) * len(blocks) // FOLDS
    folds = [pooled(blocks[start:end]) for start, end in pairwise(ends)]
    mean, values = 0.0, []
    for i, (start, end) in enumerate(pairwise(ends)):
        rest = _outside(_standardised(pooled(folds[:i] + folds[i + 1 :]), places, scale), kept)
        # a block's mean is taken off too, which costs variance where neighbours are alike: so the fold's own
        mean += float(np.sum(rest * _standardised(folds[i], places, scale))) / FOLDS
        values += [np.sum(rest * _standardised(block, places, scale)) for block in blocks[start:end]]
    return mean, np.array(values)


def _fitted(reference: FloatArray, kept: int, m: float) -> float:
    """Return by how much m rows are closer to the plane that was fitted to them than to the true one."""
    values = np.maximum(np.linalg.eigvalsh(reference)[::-1], 0.0)
    inside, outside = values[:kept, None], values[None, kept:]
    # neighbours are not closer than the sampling error of an eigenvalue
    apart = np.maximum(inside - outside, np.sqrt(np.maximum(inside * outside, _LEAST) / m))
    return float((inside * outside / apart).sum()) / m


def _outside(covariance: FloatArray, kept: int) -> FloatArray:
    """Return the projection on what the leading components leave, (d, d)."""
    vectors = np.linalg.eigh(covariance)[1][:, : covariance.shape[0] - kept]
    return np.asarray(vectors @ vectors.T)


def _kept(covariance: FloatArray) -> int:
    """Return how many leading components span the plane: it ends before the steepest fall of variance."""
    values = np.maximum(np.linalg.eigvalsh(covariance)[::-1], _LEAST)
    upto = np.cumsum(values) / values.sum()
    first, last = np.searchsorted(upto, [LEAST_KEPT, MOST_KEPT])
    last = min(max(last, first + 1), values.size - 1)
    first = min(first, last - 1)
    return int(first + np.argmax(values[first:last] / values[first + 1 : last + 1])) + 1


def _standardised(part: SecondMoments, places: IntArray, scale: FloatArray) -> FloatArray:
    """Return some columns' covariance in standard deviations of the reference, unbiased, with a little noise."""
    unbiased = part.rows / max(part.rows - 1, 1)
    covariance = part.bounded()[np.ix_(places, places)] / np.outer(scale, scale)
    return np.asarray(unbiased * covariance + NOISE * np.eye(places.size))
