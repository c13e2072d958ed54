from __future__ import annotations

import numpy as np
import pytest

from detectors.sequential.shiryaev_roberts import evidence_of, limits_for, shiryaev_roberts


def test_it_is_the_sum_over_all_places_where_the_change_may_have_been():
    gains = np.random.default_rng(101).normal(-0.1, 1.0, (12, 3))
    sums = shiryaev_roberts(np.zeros(3), gains)
    for end in range(12):
        truth = sum(np.exp(gains[start : end + 1].sum(axis=0)) for start in range(end + 1))
        assert sums[end] == pytest.approx(truth)


def test_it_is_never_below_the_cusum():
    gains = np.random.default_rng(102).normal(-0.05, 0.5, (2_000, 1))
    cusum, highest = 0.0, []
    for gain in gains[:, 0]:
        cusum = max(cusum, 0.0) + gain
        highest.append(cusum)
    assert (np.log(shiryaev_roberts(np.zeros(1), gains)[:, 0]) >= np.array(highest) - 1e-9).all()


def test_evidence_is_the_same_however_the_sums_lie_in_memory():
    sums = np.exp(np.random.default_rng(103).normal(0, 9, (200, 14)))
    whole = evidence_of(np.asfortranarray(sums))
    assert np.array_equal(whole, evidence_of(sums))
    assert whole.tolist() == [evidence_of(row[None])[0] for row in sums]


def test_gains_beyond_all_measure_stay_finite():
    for gains in ([[1e30, -1e30]], [[5.0, 400.0]] * 4_000, [[400.0, 1.0]] * 9 + [[-1e30, 0.0]]):
        sums = shiryaev_roberts(np.array([1e15, 0.0]), np.array(gains))
        assert np.isfinite(sums).all()
        assert np.isfinite(evidence_of(sums)).all()


@pytest.mark.parametrize("run_length", [1.0, 0.0, float("nan"), 1e15])
def test_a_run_length_that_promises_nothing_is_refused(run_length):
    with pytest.raises(ValueError, match="run_length must be"):
        limits_for(run_length)
