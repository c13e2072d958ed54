from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from detectors.evidence import RATES
from detectors.sequential.rate_evidence import RateEvidence
from tests.detectors.sequential.streams import errors


def test_its_first_sums_are_likelihood_ratios_of_the_binomial_law():
    detector = RateEvidence(50, 1_000)
    state, _ = detector.update(detector.begin(), 9 / 60, 60.0)
    raised = detector.usual + RATES * (1 - detector.usual)
    truth = binom.pmf(9, 60, raised) / binom.pmf(9, 60, detector.usual)
    assert state.sums == pytest.approx(truth, rel=1e-9)


def test_the_statistic_is_the_logarithm_of_their_mean_and_the_limit_that_of_the_run_length():
    detector = RateEvidence(50, 1_000, run_length=5_000)
    state, step = detector.update(detector.begin(), 0.4, 60.0)
    assert step.statistic == pytest.approx(np.log(state.sums.mean()) if not step.drift else step.statistic)
    assert step.statistic > step.limit == pytest.approx(np.log(5_000))


@pytest.mark.parametrize("rows", [1, 20])
def test_its_promise_is_kept_where_the_rate_is_as_high_as_is_let_pass(rows):
    detector = RateEvidence(500, 10_000, run_length=400)
    random = np.random.default_rng(31)
    hits = random.binomial(rows, detector.usual, 200_000)
    _, steps = detector.run(hits / rows, np.full(hits.size, float(rows)))
    between = hits.size / steps.drift.sum()
    assert between > 400
    assert between < 2_000  # and not by ringing never


def test_it_first_warns_where_a_tenth_of_the_promise_would_ring():
    stream = errors(32, 0.05, 0.12)
    warned = RateEvidence(500, 10_000, run_length=4_000).run(stream)[1].warning
    rung = RateEvidence(500, 10_000, run_length=400).run(stream)[1].drifts
    assert np.flatnonzero(warned)[0] == rung[0]


def test_an_unlucky_reference_is_given_its_own_error():
    rung = 0
    for seed in range(200):
        random = np.random.default_rng([33, seed])
        detector = RateEvidence(float(random.binomial(500, 0.1)), 500, tolerance=0.0, run_length=1e6)
        rung += detector.run(random.binomial(50, 0.1, 400) / 50.0, np.full(400, 50.0))[1].drift.any()
    assert rung <= 2


def test_a_larger_reference_finds_a_change_sooner():
    stream = errors(34, 0.1, 0.14, size=4_000)
    delays = []
    for rows in (300.0, 3_000.0, 300_000.0):
        drifts = RateEvidence(rows / 10, rows).run(stream)[1].drifts
        delays.append(int(drifts[drifts >= 4_000][0]) if (drifts >= 4_000).any() else 8_000)
    assert delays == sorted(delays, reverse=True)
    assert delays[2] < 8_000


def test_a_change_within_the_tolerance_rings_nothing():
    _, steps = RateEvidence(1_000, 10_000, tolerance=0.05).run(errors(35, 0.1, 0.14, size=20_000))
    assert not steps.drift.any()


def test_a_fall_is_found_by_what_is_right():
    right = 1.0 - errors(36, 0.4, 0.2)
    _, steps = RateEvidence(6_000, 10_000).run(right)
    assert steps.drifts[0] >= 1_000
    assert not RateEvidence(4_000, 10_000).run(1.0 - right)[1].drift.any()


def test_no_error_in_the_reference_is_not_taken_for_never():
    detector = RateEvidence(0, 1_000, tolerance=0.0)
    assert 0.001 < detector.usual < 0.01
    assert not detector.run(errors(37, 0.001, size=20_000))[1].drift.any()


def test_a_reference_that_was_always_wrong_leaves_nothing_to_find():
    detector = RateEvidence(100, 100)
    assert detector.usual < 1
    assert not detector.run([0.99] * 100, [100.0] * 100)[1].drift.any()
