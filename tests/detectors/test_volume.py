from __future__ import annotations

from math import log

import numpy as np
import pytest
from scipy.stats import expon

from detectors.volume import score_volume, silence_limit_seconds


def test_the_value_is_the_logarithm_of_the_ratio_to_the_median():
    assert score_volume(np.array([90, 100, 110, 95, 105]), 50, 0.01).value == pytest.approx(log(100.5 / 50.5))


@pytest.mark.parametrize("events", [40, 260])
def test_a_collapse_and_a_surge_are_both_found(events):
    history = np.random.default_rng(10).poisson(100, 60)
    score = score_volume(history, events, 1e-6)
    assert score.value > score.limit
    assert score.p_value < 1e-6


def test_bursty_traffic_gets_a_wider_limit_than_steady_traffic():
    random = np.random.default_rng(11)
    steady, bursty = random.poisson(100, 60), random.negative_binomial(4, 4 / 104, 60)
    assert score_volume(bursty, 100, 1e-3).limit > 2 * score_volume(steady, 100, 1e-3).limit


def test_a_short_history_gets_a_wider_limit_than_a_long_one():
    history = np.array([95, 105, 100, 90, 110])
    short, long = (score_volume(np.tile(history, times), 100, 1e-6) for times in (1, 12))
    assert short.limit > 2 * long.limit


@pytest.mark.parametrize("mean", [3, 50, 5000])
@pytest.mark.parametrize("size", [None, 5])
def test_false_alarms_stay_near_or_below_alpha(mean, size):
    random = np.random.default_rng(12)
    draws = 1000
    law = (
        random.poisson(mean, (draws, 31))
        if size is None
        else random.negative_binomial(size, size / (size + mean), (draws, 31))
    )
    alarms = sum(score_volume(row[1:], int(row[0]), 0.01).p_value <= 0.01 for row in law)
    assert alarms <= 0.02 * draws


def test_the_limit_is_passed_exactly_when_the_p_value_is_below_alpha():
    history = np.random.default_rng(13).poisson(30, 20)
    for events in range(0, 120, 3):
        score = score_volume(history, events, 1e-3)
        assert (score.value > score.limit) == (score.p_value < 1e-3)


@pytest.mark.parametrize("history", [[0] * 10, [7] * 10, [10**12] * 10, [0, 0, 0, 0, 10**9]])
@pytest.mark.parametrize("events", [0, 1, 10**12])
def test_degenerate_histories_give_finite_scores(history, events):
    score = score_volume(np.array(history), events, 1e-6)
    assert np.isfinite([score.value, score.p_value, score.limit]).all()


def test_too_little_history_is_a_reason():
    assert score_volume(np.array([1, 2]), 3, 0.01).reason == "too_little_data"


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="at least 0"):
        score_volume(np.array([1, 2, -3, 4, 5]), 3, 0.01)


def test_silence_is_certain_when_a_poisson_stream_would_have_spoken():
    assert silence_limit_seconds(0.5, 1e-6) == pytest.approx(expon(scale=2).isf(1e-6))


@pytest.mark.parametrize("rate", [0.0, -1.0, float("inf"), float("nan")])
def test_a_rate_that_is_not_above_zero_is_refused(rate):
    with pytest.raises(ValueError, match="rate must be above 0"):
        silence_limit_seconds(rate, 0.01)
