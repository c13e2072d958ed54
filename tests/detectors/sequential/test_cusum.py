from __future__ import annotations

import random

import numpy as np
import pytest

from detectors.sequential.cusum import Cusum


def _plain(values, learn, slack, threshold, mode="both"):
    """Page's tabular form, read off the paper: where it rings and begins anew."""
    rung, start, up, down = [], 0, 0.0, 0.0
    for index, x in enumerate(values):
        seen = values[start : index + 1]
        if len(seen) < learn:
            continue
        mean, sigma = np.mean(seen[:learn]), np.std(seen[:learn], ddof=1)
        up, down = max(0.0, up + x - mean - slack * sigma), max(0.0, down - (x - mean) - slack * sigma)
        if {"up": up, "down": down, "both": max(up, down)}[mode] > threshold * sigma:
            rung.append(index)
            start, up, down = index + 1, 0.0, 0.0
    return rung


@pytest.mark.parametrize("mode", ["up", "down", "both"])
def test_it_rings_where_pages_plain_loop_rings(mode):
    generator = np.random.default_rng(51)
    values = np.concatenate(
        [generator.normal(size=700), generator.normal(1.0, 1.0, 300), generator.normal(size=500)]
    )
    rung = _plain(values, 40, 0.4, 6.0, mode)
    assert rung
    assert Cusum(40, 0.4, 6.0, mode).run(values)[1].drifts.tolist() == rung


def test_the_published_example_rings_where_it_is_published_to():
    generator = random.Random(12345)
    values = [generator.gauss(0, 1) for _ in range(200)] + [generator.gauss(3, 1) for _ in range(200)]
    assert Cusum().run(values)[1].drifts.tolist() == [201, 251]


def test_nothing_is_said_while_it_learns():
    _, steps = Cusum(min_instances=50).run([0.0] * 30 + [1.0] * 30)
    assert np.flatnonzero(steps.judged)[0] == 49


def test_its_run_length_with_a_known_mean_and_deviation_is_the_published_one():
    generator = np.random.default_rng(52)
    lengths = []
    for _ in range(400):
        values = np.concatenate([np.tile([-1.0, 1.0], 5_000), generator.normal(size=8_000)])
        scale = np.sqrt(10_000 / 9_999)  # the learned deviation of the first 10,000
        drifts = Cusum(min_instances=10_000, slack=0.5 / scale, threshold=5.0 / scale).run(values)[1].drifts
        lengths.append(drifts[0] - 10_000 + 1)
    assert np.mean(lengths) == pytest.approx(
        465, rel=0.12
    )  # Montgomery, Statistical Quality Control, table 9.3
