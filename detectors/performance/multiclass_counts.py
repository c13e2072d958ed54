"""What multiclass predictions and their labels leave behind: whole numbers that merge by adding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np

from detectors.pair import FloatArray, IntArray
from detectors.performance.binary_counts import LOSS_UNIT
from detectors.performance.exact_sums import exact_dot, exact_sum, from_limbs, in_units, to_limbs
from detectors.performance.probability_losses import LEAST_PROBABILITY
from detectors.performance.score_grid import coarse_grid, fine_grid
from detectors.performance.tally import tally

UNDECIDED: Final = -1
"""The decision of a prediction that came with scores only."""
_ROUNDING: Final = 1e-6
"""Scores whose sum is so near to 1 leave nothing to the tail."""


class _Placed(NamedTuple):
    """Points of the rows that have all scores, (m, K), how many scores are off the grid, and which rows these are."""

    bins: IntArray
    off_grid: int
    rows: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class MulticlassPredictions:
    """Predictions without labels, of K named classes and a tail of all others.

    Parameters
    ----------
    counts : (K + 2, K, C) int64 array
        Rows by decision (the named classes, the tail, none), by class, and by that class's score on the coarse grid.
        A row counts once for each class, unless one of its scores is missing: then not at all.
    off_grid : int
        Scores that differ from their point.

    Notes
    -----
    Size: 16 KB for 3 classes, 126 KB for 10, 461 KB for 20; few bins are not 0.

    Examples
    --------
    >>> some = MulticlassPredictions.zeros(2).add(np.array([0]), np.array([[0.7, 0.3]]))
    >>> some.rows, some.merge(some).rows
    (1, 2)
    """

    counts: IntArray
    off_grid: int

    @classmethod
    def zeros(cls, classes: int) -> Self:
        """Return no rows of so many named classes."""
        return cls(np.zeros((classes + 2, classes, coarse_grid().size), np.int64), 0)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, IntArray]) -> Self:
        """Return what `to_arrays` told, also after such arrays were added."""
        return cls(arrays["by_decision"], int(arrays["off_coarse_grid"][0]))

    @property
    def classes(self) -> int:
        """How many classes have a name."""
        return int(self.counts.shape[1])

    @property
    def rows(self) -> int:
        """How many predictions with scores there are."""
        return int(self.counts[:, 0].sum())

    def add(self, decisions: IntArray, scores: FloatArray) -> Self:
        """Return these and n more.

        Parameters
        ----------
        decisions : (n,) int array
            Named classes 0 to K-1, K or more of the tail, -1 none.
        scores : (n, K) float array
            Probabilities of the named classes; NaN where there is none.

        Returns
        -------
        MulticlassPredictions
            New; in O(n K log C + K**2 C).
        """
        placed = _placed(scores)
        counts = self.counts + _by_decision(decisions, placed, self.counts.shape)
        return type(self)(counts, self.off_grid + placed.off_grid)

    def merge(self, other: Self) -> Self:
        """Return the rows of both."""
        return type(self)(self.counts + other.counts, self.off_grid + other.off_grid)

    def to_arrays(self) -> dict[str, IntArray]:
        """Return plain arrays, which merge by adding."""
        return {"by_decision": self.counts, "off_coarse_grid": np.array([self.off_grid])}


class LossSums(NamedTuple):
    """Sums of log losses and of Brier scores, and of their squares, in `LOSS_UNIT` and its square.

    Examples
    --------
    >>> LossSums(1, 1, 2, 4).plus(LossSums(1, 1, 2, 4)).brier
    4
    """

    logs: int = 0
    logs_squared: int = 0
    brier: int = 0
    brier_squared: int = 0

    def plus(self, other: LossSums) -> LossSums:
        """Return both, added."""
        return LossSums(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class MulticlassOutcomes:
    """Predictions with their labels, of K named classes and a tail of all others.

    Parameters
    ----------
    confusion : (K + 1, K + 1) int64 array
        Rows by label and decision, the tail last.
    tail_right : int
        Rows whose label and decision are one and the same class of the tail.
    top : (2, B) int64 array
        Rows by whether the decision is wrong or right, and by its score on the fine grid.
    top_off_grid : int
        Such scores that differ from their point.
    of_class : (2, K, C) int64 array
        Rows by whether the label is another or the class, and by the class's score on the coarse grid.
    losses : LossSums
        Over rows with all scores.
    predictions : MulticlassPredictions
        The same rows without their labels: what an estimate of them may know.

    Examples
    --------
    >>> labels, decisions, scores = np.array([0, 1]), np.array([0, 0]), np.array([[0.75, 0.25], [0.5, 0.5]])
    >>> some = MulticlassOutcomes.zeros(2).add(labels, decisions, scores)
    >>> some.confusion.tolist(), some.losses.brier * LOSS_UNIT
    ([[1, 0, 0], [1, 0, 0], [0, 0, 0]], 0.625)
    """

    confusion: IntArray
    tail_right: int
    top: IntArray
    top_off_grid: int
    of_class: IntArray
    losses: LossSums
    predictions: MulticlassPredictions

    @classmethod
    def zeros(cls, classes: int) -> Self:
        """Return no rows of so many named classes."""
        return cls(
            np.zeros((classes + 1, classes + 1), np.int64),
            0,
            np.zeros((2, fine_grid().size), np.int64),
            0,
            np.zeros((2, classes, coarse_grid().size), np.int64),
            LossSums(),
            MulticlassPredictions.zeros(classes),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, IntArray]) -> Self:
        """Return what `to_arrays` told, also after such arrays were added."""
        tail_right, top_off_grid = (int(count) for count in arrays["tail_right_and_off_grid"])
        return cls(
            arrays["confusion"],
            tail_right,
            arrays["top"],
            top_off_grid,
            arrays["of_class"],
            LossSums(*from_limbs(arrays["losses"])),
            MulticlassPredictions.from_arrays(arrays),
        )

    @property
    def classes(self) -> int:
        """How many classes have a name."""
        return len(self.confusion) - 1

    @property
    def table(self) -> IntArray:
        """(K + 2, K + 2) confusion whose diagonal is all that is right: the tail's wrong rows stand beside it."""
        table = np.zeros((self.classes + 2, self.classes + 2), np.int64)
        table[:-1, :-1] = self.confusion
        tail = self.classes
        table[tail, tail], table[tail, tail + 1] = (
            self.tail_right,
            self.confusion[tail, tail] - self.tail_right,
        )
        return table

    def add(self, labels: IntArray, decisions: IntArray, scores: FloatArray) -> Self:
        """Return these and n more.

        Parameters
        ----------
        labels : (n,) int array
            Named classes 0 to K-1; K or more are classes of the tail, equal numbers equal classes.
        decisions : (n,) int array
            Likewise; -1 for none.
        scores : (n, K) float array
            Probabilities of the named classes; NaN where there is none.

        Returns
        -------
        MulticlassOutcomes
            New; in O(n K log C + K**2 C).

        Raises
        ------
        ValueError
            When a label is negative.
        """
        if (labels < 0).any():
            message = "labels must not be negative"
            raise ValueError(message)
        confusion, tail_right = self._confused(labels, decisions)
        top, top_off_grid = self._topped(labels, decisions, scores)
        placed = _placed(scores)
        each = np.arange(self.classes)
        is_it = (labels[placed.rows][:, None] == each).astype(np.int64)
        of_class = tally((is_it, each, placed.bins), self.of_class.shape)
        counts = self.predictions.counts + _by_decision(decisions, placed, self.predictions.counts.shape)
        return type(self)(
            self.confusion + confusion,
            self.tail_right + tail_right,
            self.top + top,
            self.top_off_grid + top_off_grid,
            self.of_class + of_class,
            self.losses.plus(_losses(labels[placed.rows], scores[placed.rows])),
            MulticlassPredictions(counts, self.predictions.off_grid + placed.off_grid),
        )

    def merge(self, other: Self) -> Self:
        """Return the rows of both."""
        return type(self)(
            self.confusion + other.confusion,
            self.tail_right + other.tail_right,
            self.top + other.top,
            self.top_off_grid + other.top_off_grid,
            self.of_class + other.of_class,
            self.losses.plus(other.losses),
            self.predictions.merge(other.predictions),
        )

    def to_arrays(self) -> dict[str, IntArray]:
        """Return plain arrays, which merge by adding."""
        return {
            "confusion": self.confusion,
            "tail_right_and_off_grid": np.array([self.tail_right, self.top_off_grid]),
            "top": self.top,
            "of_class": self.of_class,
            "losses": to_limbs(self.losses),
            **self.predictions.to_arrays(),
        }

    def _confused(self, labels: IntArray, decisions: IntArray) -> tuple[IntArray, int]:
        decided = decisions >= 0
        held = (np.minimum(labels, self.classes)[decided], np.minimum(decisions, self.classes)[decided])
        return tally(held, self.confusion.shape), int(
            np.count_nonzero((labels == decisions) & (labels >= self.classes))
        )

    def _topped(self, labels: IntArray, decisions: IntArray, scores: FloatArray) -> tuple[IntArray, int]:
        named = (decisions >= 0) & (decisions < self.classes)
        places = np.flatnonzero(named)
        bins, off_grid = fine_grid().place(scores[places, decisions[places]])
        there = bins < fine_grid().size
        right = (labels == decisions)[places].astype(np.int64)
        return tally((right[there], bins[there]), self.top.shape), off_grid


def _placed(scores: FloatArray) -> _Placed:
    rows = np.flatnonzero(((scores >= 0) & (scores <= 1)).all(axis=1))
    bins, off_grid = coarse_grid().place(scores[rows].ravel())
    return _Placed(bins.reshape(rows.size, scores.shape[1]), off_grid, rows)


def _by_decision(decisions: IntArray, placed: _Placed, shape: tuple[int, ...]) -> IntArray:
    named = shape[1]
    held = np.where(decisions < 0, named + 1, np.minimum(decisions, named))[placed.rows]
    return tally((held[:, None], np.arange(named), placed.bins), shape)


def _losses(labels: IntArray, scores: FloatArray) -> LossSums:
    """The tail counts as one more class, whose score is what the named ones leave of 1."""
    rest = np.clip(1 - scores.sum(axis=1, keepdims=True), 0.0, 1.0)
    rest[rest < _ROUNDING] = 0.0
    whole = np.concatenate([scores, rest], axis=1)
    held = np.minimum(labels, scores.shape[1])
    chances = np.take_along_axis(whole, held[:, None], axis=1)[:, 0]
    logs = in_units(-np.log(np.maximum(chances, LEAST_PROBABILITY)), LOSS_UNIT)
    brier = in_units((whole**2).sum(axis=1) - 2 * chances + 1, LOSS_UNIT)
    return LossSums(exact_sum(logs), exact_dot(logs, logs), exact_sum(brier), exact_dot(brier, brier))
