from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom

from detectors.proportion import score_proportion


@pytest.mark.parametrize(
    ("reference_hits", "m", "hits", "n"), [(0, 10_000, 2, 500), (37, 5000, 12, 600), (4000, 9000, 480, 1000)]
)
def test_the_p_value_is_the_beta_binomial_tail_of_scipy(reference_hits, m, hits, n):
    truth = betabinom(n, reference_hits + 1, m - reference_hits).sf(hits - 1)
    assert score_proportion(reference_hits, m, hits, n, 0.01).p_value == pytest.approx(truth, rel=1e-6)


def test_a_law_that_spans_too_many_counts_is_summed_on_every_other_one():
    truth = betabinom(100_000, 501, 500).sf(54_999)
    assert score_proportion(500, 1000, 55_000, 100_000, 0.01).p_value == pytest.approx(truth, rel=0.02)


def test_one_hit_against_none_has_the_chance_that_the_largest_of_all_is_new():
    assert score_proportion(0, 900, 1, 100, 0.01).p_value == pytest.approx(0.1)


def test_the_limit_is_passed_exactly_when_the_p_value_is_at_most_alpha():
    for hits in range(40):
        score = score_proportion(20, 2000, hits, 1000, 1e-3)
        assert (score.value > score.limit) == (score.p_value <= 1e-3)


def test_only_a_rise_counts():
    score = score_proportion(500, 1000, 0, 100, 1e-3)
    assert score.value == -0.5
    assert score.p_value == pytest.approx(1.0)


def test_a_reference_where_all_hit_cannot_be_exceeded():
    score = score_proportion(1000, 1000, 100, 100, 1e-3)
    assert (score.value, score.p_value, score.limit) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize("rate", [0.0001, 0.003, 0.2, 0.97])
@pytest.mark.parametrize(("n", "m"), [(200, 10_000), (10_000, 1000)])
def test_false_alarms_stay_at_or_below_alpha(rate, n, m):
    random = np.random.default_rng(9)
    draws = 1000
    alarms = sum(
        score_proportion(int(r), m, int(c), n, 0.01).p_value <= 0.01
        for r, c in zip(random.binomial(m, rate, draws), random.binomial(n, rate, draws), strict=True)
    )
    assert alarms <= 0.015 * draws


def test_too_little_data_is_a_reason():
    assert score_proportion(0, 10, 0, 5, 0.01).reason == "too_little_data"


@pytest.mark.parametrize("counts", [(5, 4, 0, 10), (0, 100, 11, 10), (-1, 100, 0, 10)])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError, match="hits must be between"):
        score_proportion(*counts, 0.01)
