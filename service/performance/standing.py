"""What the labelled predictions of a slice come to when a model is judged: how many are wrong, and what a naive model
would have made of the same labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from detectors.performance.binary_counts import UNDECIDED, BinaryOutcomes
from detectors.performance.multiclass_counts import MulticlassOutcomes
from detectors.performance.regression_counts import RegressionOutcomes
from detectors.performance.score_grid import fine_grid
from service.performance.counting import BinaryCounting, MulticlassCounting, RegressionCounting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.performance.counting import Arrays, Counting

    IntArray = NDArray[np.int64]

_USUAL_SHARE = 0.9
"""An error of a regression counts as wrong when it is larger than nine in ten of the usual ones."""
_DECIDES = 0.5
"""A score without a decision speaks for the positive class from there on."""


class Duel(NamedTuple):
    """Rows in which only one of two is right: those that the naive model wins, and all of them."""

    lost: int
    rows: int


class Labels(NamedTuple):
    """Labels without their predictions: rows by class; of numbers their count and their sum."""

    counts: tuple[float, ...] = ()
    are_numbers: bool = False

    def plus(self, other: Labels) -> Labels:
        """Both together; only these where the others are counted in another way."""
        if len(other.counts) != len(self.counts) or other.are_numbers is not self.are_numbers:
            return self
        return Labels(tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)), self.are_numbers)

    @property
    def guess(self) -> float | None:
        """What one would say who knows nothing else: the most frequent class, or the mean; None of no labels."""
        if not self.counts or not any(self.counts):
            return None
        if self.are_numbers:
            return self.counts[1] / self.counts[0]
        return float(np.argmax(self.counts))


class Standing(Protocol):
    """The outcomes of one slice, as judging sees them."""

    @property
    def rows(self) -> int:
        """Labelled predictions."""

    @property
    def wrong(self) -> int:
        """How many of them are wrong."""

    @property
    def labels(self) -> Labels:
        """What the labels were."""

    def duel(self, guess: float) -> Duel:
        """Against a model that always says this."""

    def naive(self, guess: float) -> tuple[str, float]:
        """The metric that a model that always says this is measured by, and its value; of at least one row."""


@dataclass(frozen=True, eq=False)
class Classified:
    """(K, K) rows by label and decision; what lies on the diagonal is right. The first `named` classes have a name."""

    table: IntArray
    named: int

    @property
    def rows(self) -> int:
        return int(self.table.sum())

    @property
    def wrong(self) -> int:
        return self.rows - int(np.trace(self.table))

    @property
    def labels(self) -> Labels:
        return Labels(tuple(float(n) for n in self.table.sum(axis=1)[: self.named]))

    def duel(self, guess: float) -> Duel:
        label = int(guess)
        right = int(self.table[label, label])
        lost = int(self.table[label].sum()) - right
        return Duel(lost, lost + int(np.trace(self.table)) - right)

    def naive(self, guess: float) -> tuple[str, float]:
        return "accuracy", float(self.table[int(guess)].sum()) / self.rows


@dataclass(frozen=True, eq=False)
class Measured:
    """Numbers that were predicted; errors from the bins beyond `usual` on are large."""

    outcomes: RegressionOutcomes
    usual: float

    @property
    def rows(self) -> int:
        return self.outcomes.rows

    @property
    def wrong(self) -> int:
        edges = self.outcomes.scales.error_edges
        low = np.searchsorted(edges, -self.usual, side="right")
        high = np.searchsorted(edges, self.usual, side="left") + 1
        return int(self.outcomes.errors[:low].sum() + self.outcomes.errors[high:].sum())

    @property
    def labels(self) -> Labels:
        scales = self.outcomes.scales
        total = self.rows * scales.centre + self.outcomes.sums.label * scales.label_unit
        return Labels((float(self.rows), total), are_numbers=True)

    def duel(self, guess: float) -> Duel:
        """Rows cannot be told apart: the whole window is one, lost when its mean squared error is larger."""
        return Duel(int(self._squared() > self._squared_of(guess)), 1) if self.rows else Duel(0, 0)

    def naive(self, guess: float) -> tuple[str, float]:
        return "rmse", sqrt(self._squared_of(guess) / self.rows)

    def _squared(self) -> float:
        return self.outcomes.sums.squared * self.outcomes.scales.error_unit**2

    def _squared_of(self, guess: float) -> float:
        sums, scales = self.outcomes.sums, self.outcomes.scales
        unit, off = scales.label_unit, scales.centre - guess
        return max(0.0, sums.label_squared * unit**2 + 2 * off * sums.label * unit + self.rows * off**2)


def standing_of(counting: Counting, outcomes: Arrays, usual_error: float | None) -> Standing:
    """`usual_error` is that of a regression, as `usual_error_of` tells it; None: it is not known yet, none is large."""
    match counting:
        case BinaryCounting():
            return Classified(_decided(BinaryOutcomes.from_arrays(outcomes)), 2)
        case MulticlassCounting():
            return Classified(MulticlassOutcomes.from_arrays(outcomes).table, len(counting.classes))
        case RegressionCounting():
            counted = RegressionOutcomes.from_arrays(counting.scales, outcomes)
            return Measured(counted, np.inf if usual_error is None else usual_error)
    raise TypeError(type(counting).__name__)


def _decided(outcomes: BinaryOutcomes) -> IntArray:
    """(2, 2) rows by label and decision; where there is none, by the score."""
    points = fine_grid().points
    undecided = outcomes.counts[:, UNDECIDED, :-1]
    yes = undecided[:, points >= _DECIDES].sum(axis=1)
    return np.asarray(outcomes.confusion + np.stack([undecided.sum(axis=1) - yes, yes], axis=1))


def usual_error_of(counting: Counting, outcomes: Arrays) -> float | None:
    """The error of a regression that nine in ten stay below, to a bin; None of a model that names classes."""
    if not isinstance(counting, RegressionCounting):
        return None
    counted = RegressionOutcomes.from_arrays(counting.scales, outcomes)
    sizes = np.abs(counting.scales.error_edges)
    half = len(sizes) // 2
    both = counted.errors[:half][::-1] + counted.errors[half + 1 :]
    small = int(counted.errors[half])
    below = np.cumsum(np.concatenate([[small], both]))
    place = int(np.searchsorted(below, _USUAL_SHARE * below[-1]))
    return float(sizes[half:][min(place, half - 1)])


def names_of_guesses(counting: Counting) -> Mapping[int, str]:
    """Classes as people call them; nothing for numbers."""
    match counting:
        case BinaryCounting():
            positive = "the positive class" if counting.positive is None else f"'{counting.positive}'"
            return {0: f"anything but {positive}", 1: positive}
        case MulticlassCounting():
            return {place: f"'{name}'" for place, name in enumerate(counting.classes)}
    return {}
