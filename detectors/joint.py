"""What a multivariate detector compares, columns together, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.pair import FloatArray, IntArray
from detectors.score import MIN_CURRENT, Score

TOO_FEW_COLUMNS: Final = "too_few_columns"
MIN_BLOCKS: Final = 8
LEAST_VARIANCE: Final = 1e-9
"""Of standardised values: less is what rounding leaves of a constant column."""
_KEPT_BLOCKS: Final = 16
_MOST: Final = 1e9

BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SecondMoments:
    """Means and covariances of d standardised columns over some rows.

    Parameters
    ----------
    rows : int
        Rows counted, at least 0.
    present : (d,) int64 array
        How many of them had a value, by column, 0 to `rows`.
    mean : (d,) float array
        Means of the values, in standard deviations of the reference.
    covariance : (d, d) float array
        Symmetric; missing cells taken as independent of everything, as in `CrossMoments`.
        A column with a variance below 1e-9 or not finite counts as constant.

    Raises
    ------
    ValueError
        When shapes differ or `rows` or `present` are out of range.

    Examples
    --------
    >>> SecondMoments(100, np.array([100, 90]), np.zeros(2), np.eye(2)).rows
    100
    """

    rows: int
    present: IntArray
    mean: FloatArray
    covariance: FloatArray

    def __post_init__(self) -> None:
        columns = self.present.size
        shapes = (self.present.shape, self.mean.shape, self.covariance.shape)
        if shapes != ((columns,), (columns,), (columns, columns)):
            message = f"d columns need shapes (d,), (d,) and (d, d), got {shapes}"
            raise ValueError(message)
        if not ((self.present >= 0) & (self.present <= self.rows)).all() or self.rows < 0:
            message = f"present must be between 0 and {self.rows} rows"
            raise ValueError(message)

    def varies(self) -> BoolArray:
        """Return which columns have a variance and at least 10 values, (d,).

        Examples
        --------
        >>> SecondMoments(100, np.array([100, 9]), np.zeros(2), np.eye(2)).varies().tolist()
        [True, False]
        """
        return np.asarray(self.is_usable() & (self.bounded().diagonal() > LEAST_VARIANCE))

    def is_usable(self) -> BoolArray:
        """Return which columns have at least 10 values and finite moments, (d,); they may be constant.

        Examples
        --------
        >>> SecondMoments(100, np.array([100, 9]), np.zeros(2), np.zeros((2, 2))).is_usable().tolist()
        [True, False]
        """
        finite = np.isfinite(self.mean) & (np.abs(self.covariance.diagonal()) <= _MOST)
        return np.asarray(finite & (self.present >= MIN_CURRENT))

    def bounded(self) -> FloatArray:
        """Return the covariance with 0 for what is no number or beyond one billion, (d, d).

        Examples
        --------
        >>> SecondMoments(10, np.array([10]), np.zeros(1), np.array([[np.nan]])).bounded().tolist()
        [[0.0]]
        """
        return np.asarray(np.where(np.abs(self.covariance) <= _MOST, self.covariance, 0.0))


@dataclass(frozen=True, slots=True)
class MomentsPair:
    """Second moments of a reference, of its parts, and of a current window, of the same d columns.

    Parameters
    ----------
    reference : SecondMoments
        Of all rows of the reference.
    blocks : tuple of SecondMoments
        Of its consecutive parts of equal row count, in time order; they tell how much calm windows vary.
        Fewer than 8 are not used.
    current : SecondMoments
        Of the window.

    Raises
    ------
    ValueError
        When the numbers of columns differ.

    Examples
    --------
    >>> some = SecondMoments(100, np.array([100, 90]), np.zeros(2), np.eye(2))
    >>> MomentsPair(some, (), some).blocks
    ()
    """

    reference: SecondMoments
    blocks: tuple[SecondMoments, ...]
    current: SecondMoments

    def __post_init__(self) -> None:
        columns = {part.present.size for part in (self.reference, self.current, *self.blocks)}
        if len(columns) > 1:
            message = f"all parts need the same columns, got {sorted(columns)}"
            raise ValueError(message)

    def windows(self) -> tuple[SecondMoments, ...]:
        """Return blocks about as long as the current window.

        Returns
        -------
        tuple of SecondMoments
            The blocks, neighbours merged while they stay no longer than the window and 16 remain; none when
            there are fewer than 8.

        Examples
        --------
        >>> part = SecondMoments(32, np.array([32]), np.zeros(1), np.eye(1))
        >>> whole = pooled([part] * 64)
        >>> [window.rows for window in MomentsPair(whole, (part,) * 64, whole).windows()] == [128] * 16
        True
        """
        blocks = [block for block in self.blocks if block.rows >= MIN_CURRENT]
        while len(blocks) >= 2 * _KEPT_BLOCKS and 2 * blocks[0].rows <= self.current.rows:
            blocks = [pooled(blocks[i : i + 2]) for i in range(0, len(blocks) - 1, 2)]
        return tuple(blocks) if len(blocks) >= MIN_BLOCKS else ()


@dataclass(frozen=True, slots=True)
class SamplePair:
    """Rows drawn at random from a reference and from a current window, of the same d columns.

    Parameters
    ----------
    reference : (d, m) float array
        NaN where a cell is missing; infinities count as missing.
    current : (d, n) float array
        The same of the window.

    Raises
    ------
    ValueError
        When the arrays have not two dimensions or not the same columns.

    Examples
    --------
    >>> SamplePair(np.zeros((2, 64)), np.zeros((2, 32))).current.shape
    (2, 32)
    """

    reference: FloatArray
    current: FloatArray

    def __post_init__(self) -> None:
        if self.reference.ndim != 2 or self.reference.shape[:1] != self.current.shape[:1] != ():
            shapes = (self.reference.shape, self.current.shape)
            message = f"both samples need one shape (d, rows), got {shapes}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class ChangedPair:
    """Two columns whose correlation has changed.

    Parameters
    ----------
    first, second : int
        Places of the columns, ascending.
    before, after : float
        Their correlation in the reference and in the window, in [-1, 1].

    Examples
    --------
    >>> ChangedPair(0, 2, before=0.99, after=0.02).before
    0.99
    """

    first: int
    second: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class JointScore:
    """A score of all columns together, and which of them it comes from.

    Parameters
    ----------
    score : Score
        Value, p-value and limit.
    shares : tuple of float
        By column, at least 0: its share of the change; they sum to 1, or are all 0 when nothing has changed.
        A description, not a test: the largest names where to look first.
    pairs : tuple of ChangedPair
        The pairs that changed beyond their limit, the most changed first; only `correlation` has them.

    Examples
    --------
    >>> JointScore(Score("pca", 1.0, 0.5, 1.2, 500, 9000, 0.0), (0.0, 0.0)).pairs
    ()
    """

    score: Score
    shares: tuple[float, ...]
    pairs: tuple[ChangedPair, ...] = ()


def pooled(parts: Sequence[SecondMoments]) -> SecondMoments:
    """Return the moments of the rows of several parts together.

    Parameters
    ----------
    parts : sequence of SecondMoments
        At least one, all of the same d columns.

    Returns
    -------
    SecondMoments
        Exact where no cell is missing, else weighted by the values present.

    Notes
    -----
    Cost: O(len(parts) d**2).

    Examples
    --------
    >>> low = SecondMoments(50, np.array([50]), np.array([-1.0]), np.array([[1.0]]))
    >>> high = SecondMoments(50, np.array([50]), np.array([1.0]), np.array([[1.0]]))
    >>> pooled([low, high]).covariance.tolist()
    [[2.0]]
    """
    rows = np.array([part.rows for part in parts], dtype=np.float64)
    present = np.array([part.present for part in parts])
    means = np.clip(np.nan_to_num([part.mean for part in parts]), -_MOST, _MOST)
    mean = (present * means).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    away = means - mean
    covariance = np.array([part.bounded() for part in parts]) + away[:, :, None] * away[:, None, :]
    # rows in which both values are there, if missing cells are independent
    shares = present / np.maximum(rows, 1)[:, None]
    weights = rows[:, None, None] * shares[:, :, None] * shares[:, None, :]
    total = weights.sum(axis=0)
    covariance = (weights * covariance).sum(axis=0) / np.where(total > 0, total, np.inf)
    return SecondMoments(int(rows.sum()), present.sum(axis=0), mean, covariance)


def shares_of(amounts: FloatArray) -> tuple[float, ...]:
    """Return amounts as shares of their sum.

    Parameters
    ----------
    amounts : (d,) float array
        Negative ones count as 0.

    Returns
    -------
    tuple of float
        d of them, at least 0, summing to 1; all 0 when no amount is positive.

    Examples
    --------
    >>> shares_of(np.array([3.0, -1.0, 1.0]))
    (0.75, 0.0, 0.25)
    """
    positive = np.maximum(np.nan_to_num(amounts, nan=0.0), 0.0)
    total = float(positive.sum())
    return tuple((positive / total).tolist() if total > 0 else np.zeros(amounts.size).tolist())
