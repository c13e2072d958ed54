from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from detectors.pair import CategoricalPair, NumericPair
from detectors.wasserstein import Wasserstein


@pytest.mark.parametrize(
    ("shift", "distance"),
    [(0, 0.0302815), (0.1, 0.1266377), (0.25, 0.2766881), (0.5, 0.5274385), (1, 1.02999)],
)
def test_is_the_published_distance_within_its_resolution(numeric_pair, shift, distance):
    reference = np.random.RandomState(7).normal(0, 1, 5000)
    current = np.random.RandomState(8).normal(shift, 1, 5000)
    score = Wasserstein().score(numeric_pair(reference, current), 0.01)
    assert abs(score.value - distance) <= score.resolution
    assert score.value == pytest.approx(distance, abs=0.005)


def test_is_the_published_distance_of_the_small_pair_ten_times_over():
    a = np.repeat([38.7, 41.5, 43.8, 44.5, 45.5, 46.0, 47.7, 58.0], 10)
    b = np.repeat([39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8], 10)
    edges = np.unique(np.concatenate([a, b]))[:, None] + np.array([-1e-6, 1e-6])
    counts = [np.diff(np.searchsorted(np.sort(x), edges.ravel()), prepend=0, append=80) for x in (a, b)]
    score = Wasserstein().score(NumericPair(edges.ravel(), *counts, 38.7 - 1e-6, 58.1, float(a.std())), 0.01)
    assert score.value == pytest.approx(0.781236, abs=1e-4)


@pytest.mark.parametrize("law", ["normal", "lognormal", "few integers", "mostly zero"])
def test_agrees_with_scipy_within_its_resolution(numeric_pair, law):
    random = np.random.default_rng(6)
    draw = {
        "normal": lambda size: random.normal(size=size),
        "lognormal": lambda size: random.lognormal(size=size),
        "few integers": lambda size: random.binomial(5, 0.3, size).astype(float),
        "mostly zero": lambda size: np.where(random.random(size) < 0.95, 0, random.lognormal(size=size)),
    }[law]
    reference, current = draw(3000), draw(500) * 1.1
    score = Wasserstein().score(numeric_pair(reference, current), 0.01)
    truth = wasserstein_distance(reference, current) / reference.std()
    assert abs(score.value - truth) <= score.resolution


def test_a_stray_far_outside_raises_value_and_limit_alike(numeric_pair):
    random = np.random.default_rng(7)
    reference, current = random.normal(size=10_000), random.normal(size=1000)
    stray = np.append(current[1:], 1e6)
    with_stray, without = (Wasserstein().score(numeric_pair(reference, x), 1e-3) for x in (stray, current))
    assert with_stray.value > 500
    assert with_stray.value < with_stray.limit
    assert with_stray.limit - with_stray.value == pytest.approx(without.limit - without.value, abs=0.01)


def test_a_unit_change_of_everything_is_found(numeric_pair):
    random = np.random.default_rng(8)
    reference, current = random.normal(70, 10, size=10_000), random.normal(70, 10, size=200) * 2.2046
    score = Wasserstein().score(numeric_pair(reference, current), 1e-8)
    assert score.value > score.limit


def test_a_constant_reference_is_measured_in_the_range_of_both_sides():
    edges = np.array([4.999999, 5.000001])
    score = Wasserstein().score(
        NumericPair(edges, np.array([0, 1000, 0]), np.array([0, 100, 100]), 5.0, 9.0, 0.0), 1e-6
    )
    assert score.value == pytest.approx(0.25, abs=0.26)
    assert score.value > score.limit


def test_categories_are_refused():
    with pytest.raises(ValueError, match="no distance"):
        Wasserstein().score(CategoricalPair(np.array([50, 50]), np.array([10, 10])), 0.01)
