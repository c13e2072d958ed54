from __future__ import annotations

import numpy as np
import pytest

from detectors.evidence import DISTANCES
from detectors.sequential.mean_evidence import MeanEvidence


def test_its_first_sums_are_likelihood_ratios_of_the_normal_law():
    from scipy.stats import norm

    detector = MeanEvidence(2.0, 3.0, 900, tolerance=0.1, standard_errors=2.0, mode="up")
    values = np.array([4.0, 1.0, 7.5])
    state, _ = detector.update(detector.begin(), float(values.mean()), 3.0)
    edge = 2.0 + detector.slack
    assert detector.slack == pytest.approx(0.3 + 0.2)
    truth = [
        np.exp((norm.logpdf(values, edge + d * 3.0, 3.0) - norm.logpdf(values, edge, 3.0)).sum())
        for d in DISTANCES
    ]
    assert state.sums == pytest.approx(truth, rel=1e-9)


@pytest.mark.parametrize("mode", ["up", "both"])
def test_its_promise_is_kept_where_the_mean_is_as_far_as_is_let_pass(mode):
    detector = MeanEvidence(0.0, 1.0, 10_000, run_length=400, mode=mode)
    random = np.random.default_rng(41)
    _, steps = detector.run(random.normal(detector.slack, 1.0, 200_000))
    assert 400 < 200_000 / steps.drift.sum() < 2_000


def test_bounded_values_keep_it_with_half_their_range_for_scale():
    detector = MeanEvidence(0.5, 0.5, 10_000, run_length=400, tolerance=0.0, standard_errors=0.0)
    random = np.random.default_rng(42)
    _, steps = detector.run((random.random(200_000) < 0.5).astype(float))
    assert 200_000 / steps.drift.sum() > 400


@pytest.mark.parametrize(
    ("mode", "rings"), [("up", (True, False)), ("down", (False, True)), ("both", (True, True))]
)
def test_only_the_sides_that_count_ring(mode, rings):
    random = np.random.default_rng(43)
    noise = random.normal(size=1_000)
    detector = MeanEvidence(0.0, 1.0, 10_000, mode=mode)
    assert tuple(bool(detector.run(noise + shift)[1].drift.any()) for shift in (0.5, -0.5)) == rings


def test_a_mean_within_the_tolerance_rings_nothing():
    random = np.random.default_rng(44)
    _, steps = MeanEvidence(0.0, 1.0, 10_000, tolerance=0.2).run(random.normal(0.18, 1.0, 50_000))
    assert not steps.drift.any()


def test_its_unit_does_not_matter():
    random = np.random.default_rng(45)
    values = random.normal(0.3, 1.0, 2_000)
    plain = MeanEvidence(0.0, 1.0, 1_000).run(values)[1]
    scaled = MeanEvidence(500.0, 40.0, 1_000).run(500.0 + 40.0 * values)[1]
    assert plain.drifts.tolist() == scaled.drifts.tolist()
    assert np.allclose(plain.statistic, scaled.statistic)
