"""Change of correlation: the pair of columns that no longer moves together as it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from scipy.special import stdtr

from detectors.joint import (
    LEAST_VARIANCE,
    TOO_FEW_COLUMNS,
    BoolArray,
    ChangedPair,
    JointScore,
    MomentsPair,
    SecondMoments,
    shares_of,
)
from detectors.moderation import MOST_FREEDOM, moderated
from detectors.pair import FloatArray, IntArray
from detectors.score import Score, is_too_little, require_alpha, too_little_data

SHRINKAGE: Final = 0.99  # near 1, rounding and single strays decide whether r is 0.99 or 1
USUAL_KURTOSIS: Final = 3.0
ASSUMED_KURTOSIS: Final = 9.0  # without blocks: that of an exponential law
MOST_PAIRS: Final = 10
STRAY: Final = 64.0  # the largest product of values that are clipped at 8 deviations
LEAST_LEFT: Final = 0.1
_BISECTIONS: Final = 40
_DIVISIONS: Final = 20


class Correlation:
    """The largest change of a correlation among the pairs of columns that changed; 0 to 2.

    Notes
    -----
    Null hypothesis: in each of the P pairs of columns, window and reference have the same correlation.
    A pair's statistic is the difference of Fisher's ``z = atanh(0.99 r)``; its variance is
    ``1 / (n - 3) + 1 / (m - 3)`` for normal columns, with the rows in which both values are there.
    For other columns, and rows that depend on each other, the blocks of the reference tell how much more z
    varies: their variances, steadied by each other, give a Student's t law (`moderation.moderated`); what they
    vary beyond normal is not taken to shrink in windows longer than they are.
    Rare rows need two more looks; the pair's p-value is the largest of the three.
    One row in which two rare values coincide makes a correlation, and one in which two columns part that always
    moved together ends it.
    The kurtosis k of a column, and of the sum and the difference of two, is told by the variation of its variance
    from block to block; ``sqrt(k k')`` and ``k / 2`` are the jumps that one such row causes in ``n (r' - r) /
    (1 - r**2)``, and Bernstein's inequality widens the variance by a third of the larger.
    The other look allows for strays that no row of the reference has shown yet: Bennett's inequality with the
    jump that is estimated if in one row more ``(x - y)**2 / 2`` had been 64, the product of values clipped at 8.
    Without blocks, columns are taken to be as heavy-tailed as an exponential law, k = 9.
    Bonferroni over P pairs: the p-value is P times the smallest.
    The value is ``|r' - r|``, the largest among the pairs below ``alpha / P``, or that of the smallest p-value
    when there is none; its limit is that of the same pair.
    Cells that are missing together in a share q of the rows make a pair look ``1 / (1 - q)`` times as
    correlated; so much of a difference as a change of q explains is taken off.
    A constant column, in the window or in the reference, has no correlations: its pairs do not count.
    Range: 0 to 2.
    False alarms: at or below alpha with blocks of about the window's size; 0.1 to 1 alpha on normal columns,
    less on heavy tails, at most about 2 alpha without blocks on tails as assumed.
    Cost: O(B d**2), about 4 ms at 50 columns and 40 blocks.

    References
    ----------
    R. A. Fisher, "On the 'probable error' of a coefficient of correlation deduced from a small sample", Metron
    1, 1921.
    S. Boucheron, G. Lugosi, P. Massart, "Concentration Inequalities", 2013, sections 2.7 and 2.8,
    doi:10.1093/acprof:oso/9780199535255.001.0001.

    Examples
    --------
    >>> def moments(rows, r):
    ...     return SecondMoments(rows, np.array([rows, rows]), np.zeros(2), np.array([[1.0, r], [r, 1.0]]))
    >>> found = Correlation().score(MomentsPair(moments(10_000, 0.99), (), moments(500, 0.02)), alpha=1e-6)
    >>> round(found.score.value, 2), found.score.value > found.score.limit, found.shares
    (0.97, True, (0.5, 0.5))
    """

    name: ClassVar[str] = "correlation"

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
            With the pairs that changed, at most 10.
            A column's share is of the squared deviations beyond ``2 ln(2 P)``, about the largest by chance; each
            pair's is divided between its two columns in proportion to their shares, so that the fewest columns
            that explain the pairs have most.
            Without value below 10 current or 30 reference rows, or when no two columns vary on both sides.

        Raises
        ------
        ValueError
            When alpha is outside (0, 1).
        """
        require_alpha(alpha)
        n, m = pair.current.rows, pair.reference.rows
        nothing = shares_of(np.zeros(pair.current.present.size))
        if is_too_little(n, m):
            return JointScore(too_little_data(self.name, n, m), nothing)
        places = np.flatnonzero(pair.reference.varies() & pair.current.varies())
        if places.size < 2:
            return JointScore(Score(self.name, None, None, None, n, m, 0.0, TOO_FEW_COLUMNS), nothing)
        upper = np.triu_indices(places.size, 1)
        first, second = places[upper[0]], places[upper[1]]
        law = _law_of(pair, first, second)
        before = _correlations(pair.reference, first, second)
        after = _explained_by_missing(pair, first, second, before)
        deviations = law.deviations(before, after)
        p_values = 2 * stdtr(law.freedom, -deviations)
        level = alpha / first.size
        changed = np.abs(after - before)
        counting = p_values < level
        worst = int(np.argmax(np.where(counting, changed, -1.0) if counting.any() else deviations))
        limit = law.of(worst).limit(float(before[worst]), float(after[worst]), level)
        p_value = min(float(p_values.min()) * first.size, 1.0)
        score = Score(self.name, float(changed[worst]), p_value, limit, n, m, 0.0)
        pairs = _changed_pairs(pair, first, second, np.where(counting, changed, 0.0))
        return JointScore(score, _shares(pair.current.present.size, first, second, deviations), pairs)


@dataclass(frozen=True, slots=True)
class _Law:
    """The null law of P pairs' differences."""

    known: BoolArray  # whether the reference knows the correlation better than the window
    base: FloatArray  # variance of the difference of two z of normal columns
    variance: FloatArray  # and what it really is
    freedom: FloatArray  # degrees of freedom with which that is known
    jump: FloatArray  # of one row like those seen, in rows
    stray: FloatArray  # and of one in which two part that always moved together

    def of(self, place: int) -> _Law:
        """Return the law of one pair."""
        one = slice(place, place + 1)
        return _Law(
            self.known[one],
            self.base[one],
            self.variance[one],
            self.freedom[one],
            self.jump[one],
            self.stray[one],
        )

    def deviations(self, before: FloatArray, after: FloatArray) -> FloatArray:
        """Return differences in standard deviations, the smallest of the three looks."""
        apart = np.abs(np.arctanh(SHRINKAGE * after) - np.arctanh(SHRINKAGE * before))
        r = SHRINKAGE * np.where(self.known, before, after)
        slope = np.abs(after - before) / (1 - r * r)
        share = self.base / self.variance * slope
        looks = [apart, slope / np.sqrt(1 + share * self.jump / 3), slope * _bennett(share * self.stray)]
        return np.asarray(np.min(looks, axis=0) / np.sqrt(self.variance))

    def limit(self, before: float, after: float, level: float) -> float:
        """Return the change towards `after` that is exceeded with probability `level`, by bisection."""
        end = 1.0 if after >= before else -1.0
        low, high = 0.0, abs(end - before)
        for _ in range(_BISECTIONS):
            change = (low + high) / 2
            away = self.deviations(np.array([before]), np.array([before + end * change]))
            if 2 * stdtr(self.freedom, -away)[0] < level:
                high = change
            else:
                low = change
        return high


def _law_of(pair: MomentsPair, first: IntArray, second: IntArray) -> _Law:
    n, m = (_joint_rows(part, first, second) for part in (pair.current, pair.reference))
    base = 1 / np.maximum(n - 3, 1) + 1 / np.maximum(m - 3, 1)
    blocks = pair.windows()
    if not blocks:
        assumed = np.full(first.size, ASSUMED_KURTOSIS)
        freedom = np.full(first.size, MOST_FREEDOM)
        jump = assumed - USUAL_KURTOSIS
        return _Law(n <= m, base, base * assumed / USUAL_KURTOSIS, freedom, jump, 0 * jump)
    parts = _Blocks.of(pair.reference, blocks, first, second)
    phi, freedom = parts.dispersion()
    excess = np.maximum(phi - 1, 0) / np.minimum(parts.rows.mean(axis=0), n)
    kurtosis = _kurtosis(pair.reference, blocks)
    coinciding = np.sqrt(kurtosis[first] * kurtosis[second]) - USUAL_KURTOSIS
    parting = (parts.parting_kurtosis() - USUAL_KURTOSIS) / 2
    jump = np.maximum(np.maximum(coinciding, parting), 0.0)
    return _Law(n <= m, base, base + excess, freedom, jump, parts.unseen_jump())


def _bennett(jumps: FloatArray) -> FloatArray:
    """Return what is left of a deviation in so many jumps when these are rare: ``sqrt(2 h(u)) / u``."""
    u = np.maximum(jumps, 1e-3)
    return np.asarray(np.sqrt(2 * ((1 + u) * np.log1p(u) - u)) / u)


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Correlations of P pairs in the whole reference, and in its B blocks."""

    whole: FloatArray  # (P,)
    whole_rows: FloatArray  # (P,)
    each: FloatArray  # (B, P)
    rows: FloatArray  # (B, P)
    known: BoolArray  # (B, P)

    @classmethod
    def of(
        cls, reference: SecondMoments, blocks: tuple[SecondMoments, ...], first: IntArray, second: IntArray
    ) -> _Blocks:
        varies = np.array([block.varies() for block in blocks])
        return cls(
            SHRINKAGE * _correlations(reference, first, second),
            _joint_rows(reference, first, second),
            SHRINKAGE * np.array([_correlations(block, first, second) for block in blocks]),
            np.array([_joint_rows(block, first, second) for block in blocks]),
            varies[:, first] & varies[:, second],
        )

    def left(self) -> FloatArray:
        """Return what the variance of a block's difference from the whole, of which it is a part, loses."""
        return np.maximum(1 - self.rows / self.whole_rows, LEAST_LEFT)

    def dispersion(self) -> tuple[FloatArray, FloatArray]:
        """Return variances of the blocks' z over that of normal columns, and their degrees of freedom."""
        away = np.arctanh(self.each) - np.arctanh(self.whole)
        squares = np.where(self.known, away * away * np.maximum(self.rows - 3, 1) / self.left(), 0.0)
        freedom = np.maximum(self.known.sum(axis=0) - 1.0, 0.0)
        return moderated(squares.sum(axis=0) / np.maximum(freedom, 1.0), freedom)

    def parting_kurtosis(self) -> FloatArray:
        """Return the kurtosis of the sum or of the difference of two standardised columns, the larger."""
        change = (self.each - self.whole) / (1 - np.abs(self.whole))
        return np.asarray(1 + (self.rows * change * change / self.left()).mean(axis=0))

    def unseen_jump(self) -> FloatArray:
        """Return half of what one row more would add to that, if two columns parted in it."""
        return np.asarray((STRAY / (1 - np.abs(self.whole))) ** 2 / self.whole_rows / 2)


def _kurtosis(reference: SecondMoments, blocks: tuple[SecondMoments, ...]) -> FloatArray:
    """Return ``E x**4 / (E x**2)**2`` of each column, (d,), as told by the blocks' variances."""
    spread = np.maximum(reference.bounded().diagonal(), LEAST_VARIANCE)
    ratios = np.array([block.bounded().diagonal() for block in blocks]) / spread
    present = np.array([block.present for block in blocks])
    left = np.maximum(1 - present / np.maximum(reference.present, 1), LEAST_LEFT)
    return np.asarray(1 + (present * (ratios - 1) ** 2 / left).mean(axis=0))


def _joint_rows(part: SecondMoments, first: IntArray, second: IntArray) -> FloatArray:
    """Return in how many rows both values are there, if missing cells are independent."""
    return np.asarray(part.present[first] * part.present[second] / max(part.rows, 1))


def _correlations(part: SecondMoments, first: IntArray, second: IntArray) -> FloatArray:
    """Return the correlation of each pair; 0 where a column does not vary."""
    covariance = part.bounded()
    variance = covariance.diagonal()
    varies = part.is_usable() & (variance > LEAST_VARIANCE)
    scale = np.sqrt(np.where(varies, np.maximum(variance, LEAST_VARIANCE), np.inf))
    return np.asarray(np.clip(covariance[first, second] / scale[first] / scale[second], -1.0, 1.0))


def _explained_by_missing(
    pair: MomentsPair, first: IntArray, second: IntArray, before: FloatArray
) -> FloatArray:
    """Return the current correlations, moved towards `before` by what missing cells may have caused."""
    gone = [
        1 - np.maximum(part.present[first], part.present[second]) / max(part.rows, 1)
        for part in (pair.current, pair.reference)
    ]
    after = _correlations(pair.current, first, second)
    slack = np.abs(gone[0] - gone[1]) * np.maximum(np.abs(after), np.abs(before))
    return np.asarray(before + np.sign(after - before) * np.maximum(np.abs(after - before) - slack, 0.0))


def _changed_pairs(
    pair: MomentsPair, first: IntArray, second: IntArray, changed: FloatArray
) -> tuple[ChangedPair, ...]:
    """Return the pairs that changed at all, the most changed first."""
    before, after = (_correlations(part, first, second) for part in (pair.reference, pair.current))
    order = np.argsort(-changed, kind="stable")[: min(int((changed > 0).sum()), MOST_PAIRS)]
    return tuple(ChangedPair(int(first[i]), int(second[i]), float(before[i]), float(after[i])) for i in order)


def _shares(columns: int, first: IntArray, second: IntArray, deviations: FloatArray) -> tuple[float, ...]:
    """Return each column's share of the squared deviations beyond what the largest is by chance."""
    beyond = deviations**2 - 2 * np.log(2 * first.size)
    shared = np.zeros((columns, columns))
    shared[first, second] = shared[second, first] = np.maximum(beyond, 0.0)
    amounts = shared.sum(axis=1) / 2
    for _ in range(_DIVISIONS):
        together = amounts[:, None] + amounts[None, :]
        amounts = amounts * (shared / np.where(together > 0, together, 1.0)).sum(axis=1)
    return shares_of(amounts)
