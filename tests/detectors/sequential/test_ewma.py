from __future__ import annotations

import random

import numpy as np
import pytest

from detectors.sequential.ewma import Ewma


def _plain(values, alpha, threshold, learn, mode):
    """Roberts' chart with a fading variance, each mean as the explicit sum of its weights."""
    rung, start = [], 0
    for index in range(len(values)):
        seen = values[start : index + 1]
        k = len(seen)
        if k < learn:
            continue
        weights = alpha * (1 - alpha) ** np.arange(k - 1, -1, -1)
        weights[0] = (1 - alpha) ** (k - 1)
        z = weights @ seen
        sigma = np.sqrt(weights @ (seen - z) ** 2)
        bound = threshold * sigma * np.sqrt(alpha / (2 - alpha) * (1 - (1 - alpha) ** (2 * k)))
        away = z - seen.mean()
        if {"up": away, "down": -away, "both": abs(away)}[mode] > bound:
            rung.append(index)
            start = index + 1
    return rung


@pytest.mark.parametrize("mode", ["up", "down", "both"])
def test_it_rings_where_the_plain_chart_rings(mode):
    generator = np.random.default_rng(61)
    values = np.concatenate(
        [generator.normal(1e4, 1, 400), generator.normal(1e4 + 2, 1, 300), generator.normal(1e4, 1, 300)]
    )
    rung = _plain(values, 0.2, 3.0, 20, mode)
    assert rung
    assert Ewma(0.2, 3.0, 20, mode).run(values)[1].drifts.tolist() == rung


def test_the_published_example_rings_where_it_is_published_to():
    generator = random.Random(12345)
    values = [generator.gauss(0, 1) if i < 1000 else generator.gauss(3, 1) for i in range(2000)]
    assert Ewma(alpha=0.1, threshold=4, min_instances=50).run(values)[1].drifts.tolist() == [1010]


def test_a_large_mean_takes_no_digits_from_the_variance():
    values = np.random.default_rng(62).normal(size=2_000)
    plain, shifted = Ewma().run(values)[1], Ewma().run(values + 2.0**30)[1]
    assert np.allclose(plain.limit, shifted.limit, rtol=1e-4, atol=1e-6)


def test_the_limit_of_the_first_values_knows_how_few_they_are():
    values = np.array([1.0, 3.0, 2.0, 5.0])
    weights = 0.05 * 0.95 ** np.array([3, 2, 1, 0])
    weights[0] = 0.95**3
    variance = weights @ values**2 - (weights @ values) ** 2
    _, steps = Ewma(alpha=0.05, threshold=99.0, min_instances=1).run(values)
    assert steps.limit[-1] == pytest.approx(99.0 * np.sqrt(variance * 0.05 / 1.95 * (1 - 0.95**8)))
