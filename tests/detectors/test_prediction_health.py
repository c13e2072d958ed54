"""What is measured of answers is what numpy and scipy say of the single values, within the stated resolution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy

from detectors.performance.intervals import wilson
from detectors.performance.metric import NO_ROWS
from detectors.prediction_health import (
    NO_TWINS,
    answer_entropy,
    commonest_share,
    contradicted_share,
    difference_p_value,
)
from detectors.prediction_health_bins import (
    NOT_PROBABILITIES,
    BinnedValues,
    binned_quantile,
    mean_confidence,
    saturated_share,
)

NOTHING = np.zeros(0, np.int64)


def counted(values: np.ndarray, edges: np.ndarray) -> BinnedValues:
    """Single values, in bins."""
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return BinnedValues(edges, counts, float(values.min()), float(values.max()))


EDGES = np.linspace(0.01, 0.99, 99)


def test_the_commonest_answer_has_its_share_and_wilsons_interval() -> None:
    found = commonest_share(np.array([20, 70, 10]))
    assert (found.value, (found.low, found.high), found.n) == (0.7, tuple(wilson(70, 100)), 100)


def test_entropy_is_that_of_scipy_less_what_few_rows_take_away() -> None:
    counts = np.array([700, 200, 100, 0])
    assert answer_entropy(counts * 1_000).value == pytest.approx(entropy(counts, base=2), abs=1e-5)
    random = np.random.default_rng(1)
    few = [answer_entropy(random.multinomial(60, counts / 1_000)).value for _ in range(2_000)]
    assert np.mean(few) == pytest.approx(entropy(counts, base=2), abs=0.01)
    assert answer_entropy(np.array([50])).value == 0.0


def test_the_interval_of_entropy_holds_the_true_value_as_often_as_it_says() -> None:
    random, shares = np.random.default_rng(2), np.array([0.6, 0.3, 0.1])
    found = [answer_entropy(random.multinomial(500, shares)) for _ in range(2_000)]
    holds = np.mean([one.low <= entropy(shares, base=2) <= one.high for one in found])
    assert holds == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("of_two", [True, False])
def test_mean_confidence_is_that_of_the_single_scores(of_two: bool) -> None:
    scores = np.random.default_rng(3).beta(2, 5, 5_000)
    sure = np.maximum(scores, 1 - scores) if of_two else scores
    found = mean_confidence(counted(scores, EDGES), of_two=of_two)
    assert abs(found.value - sure.mean()) <= found.resolution <= 0.01
    assert found.error == pytest.approx(sure.std() / np.sqrt(5_000), rel=0.02)


def test_saturated_scores_are_counted_at_both_ends() -> None:
    scores = np.concatenate([np.zeros(30), np.full(20, 1.0), np.linspace(0.02, 0.98, 950)])
    found = saturated_share(counted(scores, np.array([1e-9, 0.001, 0.5, 0.999])))
    assert found.value == pytest.approx(0.05)
    assert found.resolution == 0.0
    coarse = saturated_share(counted(scores, EDGES))
    assert abs(coarse.value - 0.05) <= coarse.resolution


def test_bins_of_exact_values_are_told_exactly() -> None:
    zero, half = np.nextafter(0.0, 1.0), np.nextafter(0.5, 1.0)
    scores = BinnedValues(np.array([0.0, zero, 0.5, half]), np.array([0, 30, 0, 60, 10]), 0.0, 1.0)
    found = saturated_share(scores)
    assert found.value == pytest.approx(0.3 + 0.1 * 0.001 / 0.5)
    assert abs(mean_confidence(scores, of_two=True).value - (30 + 30 + 7.5) / 100) < 1e-9


def test_a_bin_around_a_half_holds_the_least_confident_answers() -> None:
    scores = BinnedValues(np.array([0.4, 0.6]), np.array([0, 100, 0]), 0.4, 0.6)
    found = mean_confidence(scores, of_two=True)
    assert (found.value, found.resolution) == (pytest.approx(0.55), pytest.approx(0.05))


def test_scores_that_are_no_probabilities_or_none_at_all_have_no_value_and_a_reason() -> None:
    logits = counted(np.array([-3.0, 0.5, 2.0]), np.array([0.0]))
    assert mean_confidence(logits, of_two=True).reason == NOT_PROBABILITIES
    assert saturated_share(logits).reason == NOT_PROBABILITIES
    nothing = BinnedValues(np.empty(0), np.zeros(1, np.int64), np.inf, -np.inf)
    for found in (
        mean_confidence(nothing, of_two=True), saturated_share(nothing), binned_quantile("p50", nothing, 0.5),
        commonest_share(NOTHING), answer_entropy(NOTHING),
    ):  # fmt: skip
        assert (found.value, found.low, found.high, found.reason) == (None, None, None, NO_ROWS)


def test_one_single_score_is_told_exactly() -> None:
    one = counted(np.full(40, 0.9), EDGES)
    assert mean_confidence(one, of_two=True).value == pytest.approx(0.9)
    assert binned_quantile("p99", one, 0.99).value == 0.9
    assert saturated_share(counted(np.ones(40), EDGES)).value == 1.0


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_quantiles_are_those_of_the_single_values_and_their_intervals_hold_the_true_ones(
    share: float,
) -> None:
    random = np.random.default_rng(4)
    edges = np.logspace(0, 4, 200)
    truth = np.exp(3 + 0.5 * np.sqrt(2) * _inverse_erf(2 * share - 1))
    holds = 0
    for _ in range(300):
        values = random.lognormal(3, 0.5, 800)
        found = binned_quantile("latency", counted(values, edges), share)
        assert abs(found.value - np.quantile(values, share)) <= 2 * found.resolution
        holds += found.low <= truth <= found.high
    assert holds / 300 >= 0.93


def _inverse_erf(x: float) -> float:
    from scipy.special import erfinv

    return float(erfinv(x))


def test_an_input_that_came_twice_and_was_answered_in_two_ways_is_a_contradiction() -> None:
    inputs = np.array([[1, 1], [1, 1], [1, 2], [2, 2], [2, 2], [2, 2], [3, 3], [4, 4]])
    answers = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, np.nan])
    found = contradicted_share("exact", inputs, answers, 0.0)
    assert (found.value, found.n, (found.low, found.high)) == (0.5, 2, tuple(wilson(1, 2)))
    assert contradicted_share("exact", inputs, answers, 1.0).value == 0.0
    assert contradicted_share("exact", inputs[2:4], answers[2:4], 0.0).reason == NO_TWINS
    assert contradicted_share("exact", inputs, np.full(8, np.nan), 0.0).reason == NO_ROWS


def test_a_difference_that_chance_makes_is_found_as_often_as_chance_makes_it() -> None:
    random = np.random.default_rng(5)
    pairs = [(random.multinomial(400, [0.7, 0.3]), random.multinomial(900, [0.7, 0.3])) for _ in range(2_000)]
    p_values = [difference_p_value(commonest_share(one), commonest_share(other)) for one, other in pairs]
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.015)
    changed = difference_p_value(commonest_share(np.array([380, 20])), commonest_share(pairs[0][1]))
    assert changed < 1e-6


def test_two_shares_of_all_rows_are_no_difference_and_what_has_no_error_is_not_tested() -> None:
    everything = commonest_share(np.array([50]))
    assert difference_p_value(everything, commonest_share(np.array([1_000]))) == 1.0
    assert difference_p_value(commonest_share(np.array([3])), commonest_share(np.array([500, 500]))) > 1e-4
    assert difference_p_value(everything, commonest_share(NOTHING)) is None
    quantile = binned_quantile("p50", counted(np.arange(10.0), EDGES), 0.5)
    assert difference_p_value(quantile, quantile) is None
