"""Whether a classifier can tell rows of the window from rows of the reference."""

from __future__ import annotations

from math import sqrt
from typing import ClassVar, Final

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from detectors.joint import TOO_FEW_COLUMNS, BoolArray, JointScore, SamplePair, shares_of
from detectors.pair import FloatArray
from detectors.rank_features import RankFeatures, rank_features
from detectors.score import Score, is_too_little, require_alpha, too_little_data

MOST_ROWS: Final = 512
FOLDS: Final = 2
PRODUCTS: Final = 8
_LEAST: Final = 1e-3


class DomainClassifier:
    """Probability that a classifier ranks a row of the window above one of the reference; 0.5 is chance.

    Notes
    -----
    Each half of the rows (every second one) is scored by a classifier that was trained on the other half; the
    value is the mean of the two areas under the ROC curve, ties counting half.
    The classifier works on ranks (`rank_features`), so that scales and tails do not matter; missing cells are
    marks of their own.
    It is a sum of two scores. The linear one is ``m . y`` in uncorrelated directions y with the difference m of
    their means, shrunk as a whole by James and Stein, to nothing when m is no longer than chance makes it.
    The other is Fisher's discriminant, with as much ridge as variance, of the 8 features that differ most
    between the samples, in standard errors, among: ranks, their squares and missing marks, products of two of
    these, and products of two uncorrelated directions.
    So it finds columns that shift, spread, go missing, or no longer depend on each other as they did, linearly
    or not.
    Null hypothesis: all rows are drawn from one distribution, independently.
    Then each half's area is Mann and Whitney's U of scores that do not know the half's sides, whatever the
    classifier learned; of U the mean and variance are exact, with ties, and its tails are lighter than normal.
    The mean of the two halves exceeds a value only if one of them does: the p-value is twice the tail of one.
    A season, or a reference of which the window is a special part, is a difference for it.
    Range: 0 to 1, and only above 0.5 more drift; the limit is 1 where rows are too few for alpha.
    False alarms: at or below alpha, 0.1 to 1 alpha at 1e-2, less further out.
    Cost: O(d N log N + d**2 N) in N rows of both sides, at most 1024; about 10 ms at 50 columns.

    References
    ----------
    H. B. Mann, D. R. Whitney, "On a test of whether one of two random variables is stochastically larger than
    the other", Annals of Mathematical Statistics 18(1), 1947, doi:10.1214/aoms/1177730491.
    I. Kim, A. Ramdas, A. Singh, L. Wasserman, "Classification accuracy as a proxy for two-sample testing",
    Annals of Statistics 49(1), 2021, doi:10.1214/20-AOS1962.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> usual, now = random.normal(size=(3, 256)), random.normal(size=(3, 256))
    >>> usual[1] = usual[0] + 0.1 * usual[1]
    >>> found = DomainClassifier().score(SamplePair(usual, now), alpha=1e-6)
    >>> round(found.score.value, 1), found.score.value > found.score.limit, found.shares[2] < 0.1
    (0.9, True, True)
    """

    name: ClassVar[str] = "domain_classifier"

    def score(self, pair: SamplePair, alpha: float) -> JointScore:
        """Score one window.

        Parameters
        ----------
        pair : SamplePair
            Rows of both sides, in an order that is independent of their values; the first 512 a side are used.
        alpha : float
            Probability of a false alarm, in (0, 1).

        Returns
        -------
        JointScore
            A column's share is what its features add to the difference of the scores' means on rows that the
            classifier was not trained on; a product's is halved.
            Without value below 10 current or 30 reference rows, or without columns.

        Raises
        ------
        ValueError
            When alpha is outside (0, 1).
        """
        require_alpha(alpha)
        reference, current = pair.reference[:, :MOST_ROWS], pair.current[:, :MOST_ROWS]
        columns, n, m = current.shape[0], current.shape[1], reference.shape[1]
        nothing = shares_of(np.zeros(columns))
        if is_too_little(n, m):
            return JointScore(too_little_data(self.name, n, m), nothing)
        if not columns:
            return JointScore(Score(self.name, None, None, None, n, m, 0.0, TOO_FEW_COLUMNS), nothing)
        features = rank_features(np.concatenate([reference, current], axis=1))
        is_current = np.arange(m + n) >= m
        half = np.concatenate([np.arange(m), np.arange(n)]) % FOLDS
        value, deviation, gains = 0.0, 0.0, np.zeros(columns)
        for fold in range(FOLDS):
            unseen = half == fold
            scores, gained = _scores(features, is_current, unseen, columns)
            area, spread = _area(scores[unseen], is_current[unseen])
            value += area / FOLDS
            deviation = max(deviation, spread)
            gains += gained
        p_value = min(FOLDS * float(ndtr((0.5 - value) / deviation)), 1.0) if deviation > 0 else 1.0
        limit = min(0.5 - float(ndtri(alpha / FOLDS)) * deviation, 1.0)
        return JointScore(Score(self.name, value, p_value, limit, n, m, 0.0), shares_of(gains))


def _scores(
    features: RankFeatures, is_current: BoolArray, unseen: BoolArray, columns: int
) -> tuple[FloatArray, FloatArray]:
    """Return the scores of all rows by a classifier that has not seen some, and each column's gain on these."""
    learn, judge = (_contrast(is_current, rows) for rows in (~unseen, unseen))
    linear, shift = _linear(features.mixed, learn)
    chosen, owners = _chosen(features, learn, ~unseen, columns)
    centred = chosen - chosen[:, ~unseen].mean(axis=1, keepdims=True)
    seen = centred[:, ~unseen]
    covariance = seen @ seen.T / seen.shape[1]
    ridge = np.diag(covariance.diagonal() + _LEAST)
    weights = np.linalg.solve(covariance + ridge, centred @ learn)
    gains = (weights * (centred @ judge)) @ owners
    np.add.at(gains, features.source, (shift @ features.mixing) * (features.single @ judge))
    return weights @ centred + linear, gains


def _contrast(is_current: BoolArray, rows: BoolArray) -> FloatArray:
    """Return the weights that make of values the difference of their means, current less reference."""
    now, before = rows & is_current, rows & ~is_current
    return np.asarray(now / now.sum() - before / before.sum())


def _linear(mixed: FloatArray, learn: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the linear scores, and their weights."""
    shift = mixed @ learn
    length, chance = float(shift @ shift), mixed.shape[0] * float(learn @ learn)
    shift *= max(1 - chance / length, 0.0) if length > 0 else 0.0
    return shift @ mixed, shift


def _chosen(
    features: RankFeatures, learn: FloatArray, seen: BoolArray, columns: int
) -> tuple[FloatArray, FloatArray]:
    """Return the features that differ most in the rows seen, (8, N), and the columns they are of, (8, d)."""
    single, mixed = features.single, features.mixed
    p, q = single.shape[0], mixed.shape[0]
    alone = single[:, seen] @ learn[seen]
    candidates = np.concatenate(
        [
            alone * alone,
            np.triu(_squared_deviations(single[:, seen], learn[seen]), 1).ravel(),
            np.triu(_squared_deviations(mixed[:, seen], learn[seen])).ravel(),
        ]
    )
    kept = min(PRODUCTS, candidates.size)
    owner = np.zeros((p, columns))
    owner[np.arange(p), features.source] = 1.0
    mixed_owner = features.mixing**2 @ owner
    mixed_owner /= np.maximum(mixed_owner.sum(axis=1, keepdims=True), _LEAST)
    made, owners = np.zeros((kept, single.shape[1])), np.zeros((kept, columns))
    for i, place in enumerate(np.argpartition(-candidates, kept - 1)[:kept] if kept else ()):
        if place < p:
            made[i], owners[i] = single[place], owner[place]
        elif place < p + p * p:
            one, two = divmod(place - p, p)
            made[i], owners[i] = single[one] * single[two], (owner[one] + owner[two]) / 2
        else:
            one, two = divmod(place - p - p * p, q)
            made[i], owners[i] = mixed[one] * mixed[two], (mixed_owner[one] + mixed_owner[two]) / 2
    return made, owners


def _squared_deviations(rows: FloatArray, learn: FloatArray) -> FloatArray:
    """Return, for the products of each two features, the squared difference of means over their variance."""
    squares = rows * rows
    mean = rows @ rows.T / rows.shape[1]
    variance = squares @ squares.T / rows.shape[1] - mean * mean
    return np.asarray(((rows * learn) @ rows.T) ** 2 / np.maximum(variance, _LEAST))


def _area(scores: FloatArray, is_current: BoolArray) -> tuple[float, float]:
    """Return the area under the ROC curve, and its standard deviation when the sides mean nothing."""
    now, before, total = int(is_current.sum()), int((~is_current).sum()), scores.size
    ranks = rankdata(scores)
    area = (float(ranks[is_current].sum()) - now * (now + 1) / 2) / (now * before)
    # the mean rank of one side is that of a sample without replacement from all ranks
    return area, sqrt(float(ranks.var()) / ((total - 1) * now * before))
