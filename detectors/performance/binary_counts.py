"""What binary predictions and their labels leave behind: whole numbers that merge by adding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from detectors.pair import FloatArray, IntArray
from detectors.performance.exact_sums import exact_sum, from_limbs, in_units, to_limbs
from detectors.performance.probability_losses import LEAST_PROBABILITY
from detectors.performance.score_grid import fine_grid
from detectors.performance.tally import tally

UNDECIDED: Final = 2
"""The row of `counts` for predictions that came with a score and no decision."""
LOSS_UNIT: Final = 2.0**-30
"""Of the sums of losses, in nats and in squared probability; a 64-bit integer holds 2.3e8 rows of the largest."""
_BINS: Final = "counts"


@dataclass(frozen=True, slots=True, eq=False)
class BinaryPredictions:
    """Predictions without labels.

    Parameters
    ----------
    counts : (3, B + 1) int64 array
        Rows by decision (negative, positive, none) and by point of the fine grid; the last bin has no score.
    off_grid : int
        Scores that differ from their point.

    Examples
    --------
    >>> some = BinaryPredictions.zeros().add(np.array([0.2, 0.9]), np.array([0, 1]))
    >>> some.rows, some.merge(some).rows
    (2, 4)
    """

    counts: IntArray
    off_grid: int

    @classmethod
    def zeros(cls) -> Self:
        """Return no rows."""
        return cls(np.zeros((3, fine_grid().size + 1), np.int64), 0)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, IntArray]) -> Self:
        """Return what `to_arrays` told, also after such arrays were added."""
        return cls(arrays[_BINS], int(arrays["off_grid"][0]))

    @property
    def rows(self) -> int:
        """How many predictions there are."""
        return int(self.counts.sum())

    def add(self, scores: FloatArray, decisions: IntArray) -> Self:
        """Return these and n more.

        Parameters
        ----------
        scores : (n,) float array
            Probabilities of the positive class; NaN, or outside [0, 1], where there is none.
        decisions : (n,) int array
            1 positive, 0 negative, anything else none.

        Returns
        -------
        BinaryPredictions
            New; in O(n log B + B).
        """
        bins, off_grid = fine_grid().place(scores)
        return type(self)(
            self.counts + tally((_row_of(decisions), bins), self.counts.shape), self.off_grid + off_grid
        )

    def merge(self, other: Self) -> Self:
        """Return the rows of both."""
        return type(self)(self.counts + other.counts, self.off_grid + other.off_grid)

    def to_arrays(self) -> dict[str, IntArray]:
        """Return plain arrays, which merge by adding."""
        return {_BINS: self.counts, "off_grid": np.array([self.off_grid])}


@dataclass(frozen=True, slots=True, eq=False)
class BinaryOutcomes:
    """Predictions with their labels.

    Parameters
    ----------
    counts : (2, 3, B + 1) int64 array
        Rows by label, decision (negative, positive, none) and point of the fine grid; the last bin has no score.
    off_grid : int
        Scores that differ from their point.
    squared, logs : int
        Sums of the squared errors of the scores and of their log losses, in `LOSS_UNIT`.

    Notes
    -----
    The sums are of the scores as they came, not of their points.
    Size: 60 KB, of which few bins are not 0.

    Examples
    --------
    >>> some = BinaryOutcomes.zeros().add(np.array([0, 1]), np.array([0.2, 0.9]), np.array([0, 1]))
    >>> some.confusion.tolist(), round(some.squared * LOSS_UNIT, 6)
    ([[1, 0], [0, 1]], 0.05)
    """

    counts: IntArray
    off_grid: int
    squared: int
    logs: int

    @classmethod
    def zeros(cls) -> Self:
        """Return no rows."""
        return cls(np.zeros((2, 3, fine_grid().size + 1), np.int64), 0, 0, 0)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, IntArray]) -> Self:
        """Return what `to_arrays` told, also after such arrays were added."""
        squared, logs = from_limbs(arrays["losses"])
        return cls(arrays[_BINS], int(arrays["off_grid"][0]), squared, logs)

    @property
    def rows(self) -> int:
        """How many labelled predictions there are."""
        return int(self.counts.sum())

    @property
    def confusion(self) -> IntArray:
        """(2, 2) rows by label and decision, with or without a score."""
        return np.asarray(self.counts[:, :UNDECIDED].sum(axis=2))

    @property
    def scores(self) -> IntArray:
        """(2, B) rows by label and point, with or without a decision."""
        return np.asarray(self.counts[:, :, :-1].sum(axis=1))

    def add(self, labels: IntArray, scores: FloatArray, decisions: IntArray) -> Self:
        """Return these and n more.

        Parameters
        ----------
        labels : (n,) int array
            1 positive, 0 negative.
        scores : (n,) float array
            Probabilities of the positive class; NaN, or outside [0, 1], where there is none.
        decisions : (n,) int array
            1 positive, 0 negative, anything else none.

        Returns
        -------
        BinaryOutcomes
            New; in O(n log B + B).

        Raises
        ------
        ValueError
            When a label is neither 0 nor 1.
        """
        if not np.isin(labels, (0, 1)).all():
            message = "labels must be 0 or 1"
            raise ValueError(message)
        bins, off_grid = fine_grid().place(scores)
        has_score = bins < fine_grid().size
        chances = np.where(labels == 1, scores, 1 - scores)[has_score]
        misses = 1 - chances
        logs = -np.log(np.maximum(chances, LEAST_PROBABILITY))
        return type(self)(
            self.counts + tally((labels, _row_of(decisions), bins), self.counts.shape),
            self.off_grid + off_grid,
            self.squared + exact_sum(in_units(misses * misses, LOSS_UNIT)),
            self.logs + exact_sum(in_units(logs, LOSS_UNIT)),
        )

    def merge(self, other: Self) -> Self:
        """Return the rows of both."""
        return type(self)(
            self.counts + other.counts,
            self.off_grid + other.off_grid,
            self.squared + other.squared,
            self.logs + other.logs,
        )

    def predictions(self) -> BinaryPredictions:
        """Return the same rows without their labels: what an estimate of them may know."""
        return BinaryPredictions(np.asarray(self.counts.sum(axis=0)), self.off_grid)

    def to_arrays(self) -> dict[str, IntArray]:
        """Return plain arrays, which merge by adding."""
        losses = to_limbs([self.squared, self.logs])
        return {_BINS: self.counts, "off_grid": np.array([self.off_grid]), "losses": losses}


def _row_of(decisions: IntArray) -> IntArray:
    return np.where((decisions == 0) | (decisions == 1), decisions, UNDECIDED)
