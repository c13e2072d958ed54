from __future__ import annotations

import numpy as np
import pytest

from detectors.sequential.kswin import Kswin, sampled
from detectors.sequential.same_size_ks import tail_probability


def test_a_sample_has_no_value_twice_and_every_value_as_often():
    kswin = Kswin(window_size=50, stat_size=10)
    picks = sampled(kswin, np.arange(50, 8_050, dtype=np.uint64))
    assert (np.diff(picks, axis=1) > 0).all()
    assert picks.min() == 0
    assert picks.max() == 39
    counts = np.bincount(picks.ravel(), minlength=40)
    assert ((counts - 2_000) ** 2 / (2_000 * 0.75)).sum() < 80  # chi-square of 39 degrees of freedom


def test_another_seed_takes_other_samples():
    ends = np.array([100], dtype=np.uint64)
    assert sampled(Kswin(seed=1), ends).tolist() != sampled(Kswin(seed=2), ends).tolist()
    assert sampled(Kswin(seed=1), ends).tolist() == sampled(Kswin(seed=1), ends).tolist()


def test_the_limit_is_the_largest_distance_that_is_likely_enough():
    _, steps = Kswin(alpha=0.01, window_size=60, stat_size=20).run(np.arange(60.0) % 2)
    at_limit = round(float(steps.limit[-1]) * 20)
    assert tail_probability(20, at_limit + 1) <= 0.01 < tail_probability(20, at_limit)


def test_a_distance_of_a_tenth_is_never_drift():
    _, steps = Kswin(alpha=0.05, window_size=4_000, stat_size=2_000).run(np.zeros(4_000))
    assert tail_probability(2_000, 200) < 0.05
    assert steps.limit[-1] == 0.1


def test_tests_that_do_not_overlap_ring_as_often_as_alpha():
    random = np.random.default_rng(72)
    kswin = Kswin(alpha=0.05, window_size=60, stat_size=30)
    rung = sum(bool(kswin.run(random.normal(size=60))[1].drift[-1]) for _ in range(3_000))
    assert 3_000 * tail_probability(30, 11) == pytest.approx(rung, abs=40)
