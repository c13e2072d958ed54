from __future__ import annotations

import numpy as np
import pytest

from detectors.pair import CategoricalPair, NumericPair

COUNTS = np.array([5, 5])


def test_sides_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="one equal length"):
        CategoricalPair(COUNTS, np.array([1, 2, 3]))


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="negative"):
        CategoricalPair(COUNTS, np.array([1, -2]))


def test_fractional_counts_are_refused():
    with pytest.raises(ValueError, match="whole numbers"):
        CategoricalPair(COUNTS, np.array([1.5, 2.0]))


def test_edges_must_be_one_fewer_than_bins():
    with pytest.raises(ValueError, match="2 bins need 1 edges"):
        NumericPair(np.array([0.0, 1.0]), COUNTS, COUNTS, 0.0, 1.0, 1.0)


@pytest.mark.parametrize("edges", [[1.0, 0.0], [0.0, 0.0], [0.0, np.inf], [np.nan, 1.0]])
def test_edges_must_be_finite_and_ascending(edges):
    counts = np.array([1, 2, 3])
    with pytest.raises(ValueError, match="finite and ascending"):
        NumericPair(np.array(edges), counts, counts, 0.0, 1.0, 1.0)


@pytest.mark.parametrize(("low", "high"), [(1.0, 0.0), (-np.inf, 0.0), (0.0, np.nan)])
def test_extremes_must_be_finite_and_in_order(low, high):
    with pytest.raises(ValueError, match="low and high"):
        NumericPair(np.array([0.0]), COUNTS, COUNTS, low, high, 1.0)


@pytest.mark.parametrize("deviation", [-1.0, np.nan, np.inf])
def test_the_standard_deviation_must_be_finite_and_not_negative(deviation):
    with pytest.raises(ValueError, match="reference_std"):
        NumericPair(np.array([0.0]), COUNTS, COUNTS, 0.0, 1.0, deviation)
