"""Binomial tails are those of scipy.stats, and estimates of distinct values ring as rarely as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detectors.allowed_share import breach_p_value, highest_likely_share, repeats_p_value


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.floats(0, 1))
def test_the_p_value_of_a_breach_is_the_upper_binomial_tail(a: int, b: int, allowed: float) -> None:
    hits, n = min(a, b), max(a, b)
    expected = float(stats.binom.sf(hits - 1, n, allowed))
    assert breach_p_value(hits, n, allowed) == pytest.approx(expected, rel=1e-6, abs=1e-290)


def test_where_none_is_allowed_one_row_is_enough_and_where_all_are_none_is() -> None:
    assert breach_p_value(1, 10**9, 0.0) == 0.0
    assert breach_p_value(0, 10**9, 0.0) == 1.0
    assert breach_p_value(10, 10, 1.0) == 1.0


@pytest.mark.parametrize(("hits", "n", "allowed"), [(-1, 5, 0.1), (6, 5, 0.1), (1, 5, -0.1), (1, 5, 1.1)])
def test_what_is_no_count_and_no_share_is_refused(hits: int, n: int, allowed: float) -> None:
    with pytest.raises(ValueError, match="must be between"):
        breach_p_value(hits, n, allowed)


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (0, 1_000), (3, 1_000), (999, 1_000)])
def test_the_highest_likely_share_makes_so_few_as_likely_as_alpha(hits: int, n: int) -> None:
    share = highest_likely_share(hits, n, 0.01)
    assert float(stats.binom.cdf(hits, n, share)) == pytest.approx(0.01)


def test_a_reference_without_a_row_that_keeps_it_allows_everything() -> None:
    assert highest_likely_share(5, 5, 0.01) == highest_likely_share(0, 0, 0.01) == 1.0


def kept_of(distinct: int, kept: int, rng: np.random.Generator) -> float:
    """The estimate that the smallest hashes of so many distinct values give."""
    return (kept - 1) / float(np.partition(rng.random(distinct), kept - 1)[kept - 1])


def test_as_many_distinct_values_as_there_should_be_ring_as_rarely_as_alpha() -> None:
    rng = np.random.default_rng(7)
    p_values = np.array([repeats_p_value(kept_of(2_000, 64, rng), 64, 2_000) for _ in range(2_000)])
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_half_as_many_ring() -> None:
    rng = np.random.default_rng(7)
    assert repeats_p_value(kept_of(1_000, 256, rng), 256, 2_000) < 1e-9


def test_fewer_values_wanted_than_hashes_kept_are_there() -> None:
    assert repeats_p_value(300.0, 256, 100) == 1.0


@pytest.mark.parametrize(("distinct", "kept", "least"), [(10.0, 1, 5.0), (10.0, 256, 5.0), (300.0, 256, 0.0)])
def test_what_is_no_estimate_is_refused(distinct: float, kept: int, least: float) -> None:
    with pytest.raises(ValueError, match="no such estimate"):
        repeats_p_value(distinct, kept, least)
