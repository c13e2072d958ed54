"""What is wrong, and what a naive model would have made of it, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.performance.binary_counts import UNDECIDED, BinaryOutcomes
from detectors.performance.multiclass_counts import MulticlassOutcomes
from detectors.performance.regression_counts import RegressionOutcomes, RegressionScales
from service.performance.counting import BinaryCounting, MulticlassCounting, RegressionCounting
from service.performance.standing import Duel, standing_of, usual_error_of

BINARY = BinaryCounting("yes")
THREE = MulticlassCounting(("a", "b", "c"))
SCALES = RegressionScales(100.0, 10.0, 1.0)
NUMBERS = RegressionCounting(SCALES)


def test_two_classes_by_decision_and_by_score_where_there_is_no_decision() -> None:
    labels = np.array([1, 1, 0, 0, 1, 0])
    scores = np.array([np.nan, np.nan, np.nan, np.nan, 0.5, 0.7])
    decisions = np.array([1, 0, 0, 0, UNDECIDED, UNDECIDED])
    counted = BinaryOutcomes.zeros().add(labels, scores, decisions)
    standing = standing_of(BINARY, counted.to_arrays(), None)
    assert (standing.rows, standing.wrong) == (6, 2)
    assert standing.labels.counts == (3.0, 3.0)
    # "always no" is right in rows 3, 4 and 6, the model in 1, 3, 4 and 5: alone it is right in row 6 only
    assert standing.duel(0.0) == Duel(lost=1, rows=3)
    assert standing.naive(0.0) == ("accuracy", 0.5)


def test_classes_without_a_name_are_right_when_they_are_the_same() -> None:
    labels, decisions = np.array([0, 1, 2, 3, 3, 4]), np.array([0, 2, 2, 3, 4, -1])
    counted = MulticlassOutcomes.zeros(3).add(labels, decisions, np.full((6, 3), np.nan))
    standing = standing_of(THREE, counted.to_arrays(), None)
    assert (standing.rows, standing.wrong) == (5, 2)
    assert len(standing.labels.counts) == 3
    assert standing.labels.guess == 0.0


def test_errors_of_numbers_are_wrong_beyond_the_usual_ones() -> None:
    rng = np.random.default_rng(1)
    labels = rng.normal(100, 10, 4_000)
    errors = rng.normal(0, 1, 4_000)
    arrays = RegressionOutcomes.zeros(SCALES).add(labels, labels + errors).to_arrays()
    usual = usual_error_of(NUMBERS, arrays)
    assert usual is not None
    assert np.quantile(np.abs(errors), 0.9) <= usual <= 1.1 * np.quantile(np.abs(errors), 0.9)
    standing = standing_of(NUMBERS, arrays, usual)
    assert standing.wrong == int((np.abs(errors) >= usual).sum())
    assert standing_of(NUMBERS, arrays, None).wrong == 0
    guess = standing.labels.guess
    assert guess == pytest.approx(labels.mean(), abs=1e-4)
    assert standing.naive(90.0)[1] == pytest.approx(np.sqrt(np.mean((labels - 90) ** 2)), rel=1e-6)
    assert standing.duel(90.0) == Duel(lost=0, rows=1)
    far_off = RegressionOutcomes.zeros(SCALES).add(labels, labels + 100).to_arrays()
    assert standing_of(NUMBERS, far_off, usual).duel(float(labels.mean())) == Duel(lost=1, rows=1)


def test_without_rows_nothing_is_known() -> None:
    for counting in (BINARY, THREE, NUMBERS):
        standing = standing_of(counting, counting.zeros(), None)
        assert (standing.rows, standing.wrong, standing.labels.guess) == (0, 0, None)
    assert usual_error_of(BINARY, BINARY.zeros()) is None
