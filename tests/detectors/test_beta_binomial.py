from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln

from detectors.beta_binomial import upper_tail


def _truth(n, hits, misses):
    """All tails by adding up the masses, since scipy's own are lost in rounding far out."""
    a, b, counts = hits + 0.5, misses + 0.5, np.arange(n + 1.0)
    rest = n - counts
    log_mass = gammaln(counts + a) - gammaln(counts + 1) + gammaln(rest + b) - gammaln(rest + 1)
    mass = np.exp(log_mass - log_mass.max())
    return np.cumsum(mass[::-1])[::-1] / mass.sum()


def _ratios(n, hits, misses, least):
    truth = _truth(n, hits, misses)
    counts = np.flatnonzero(truth[1:] > least) + 1.0
    ours = upper_tail(counts, np.array(float(n)), np.array(float(hits)), np.array(float(misses)))
    return ours / truth[counts.astype(int)]


@pytest.mark.parametrize("n", [20, 200, 5000])
@pytest.mark.parametrize(("hits", "misses"), [(8, 992), (16, 84), (625, 9375), (500, 500), (900, 100)])
def test_the_tail_is_that_of_the_summed_masses_within_a_sixth_down_to_1e_8(n, hits, misses):
    ratios = _ratios(n, hits, misses, 1e-8)
    assert ratios.min() > 0.93
    assert ratios.max() < 1.18


@pytest.mark.parametrize(("n", "hits", "misses"), [(1000, 62, 938), (5000, 625, 9375), (1000, 5000, 5000)])
def test_common_groups_are_right_to_a_thousandth(n, hits, misses):
    assert _ratios(n, hits, misses, 1e-8) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("n", [10, 50, 1000, 10_000])
@pytest.mark.parametrize(("m", "hits"), [(100, 0), (1000, 0), (1000, 1), (1000, 3)])
def test_a_group_that_the_reference_hardly_saw_has_no_tail_that_is_too_light(n, m, hits):
    assert _ratios(n, hits, m - hits, 1e-8).min() > 0.93


def test_a_tail_falls_from_count_to_count():
    counts = np.arange(1.0, 101)
    tails = upper_tail(counts, np.array(100.0), np.array(5.0), np.array(95.0))
    assert (np.diff(tails) < 0).all()
