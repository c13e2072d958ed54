"""What is usual comes from the rows just before, held by the reference; noise is no change."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from service.diagnosis.shares import beyond, grew, new_texts, surprise, unchanged, usual_texts
from tests.diagnosis.slices import drawn, grid_of, one_of

SHARES = {"a": 0.6, "b": 0.3, "c": 0.1}


def test_the_rows_before_outweigh_the_reference():
    reference = drawn(SHARES, 5_000, 1)
    grid = grid_of({"value": reference})
    before = one_of(drawn({"a": 0.2, "b": 0.7, "c": 0.1}, 2_000, 2), grid)
    usual = usual_texts(one_of(reference, grid), before, before)
    assert usual.shares["b"] == pytest.approx(0.69, abs=0.03)
    assert sum(usual.shares.values()) == pytest.approx(1.0)


def test_few_rows_before_are_filled_up_with_the_reference():
    reference = drawn(SHARES, 5_000, 1)
    grid = grid_of({"value": reference})
    usual = usual_texts(one_of(reference, grid), *[one_of(["b"] * 10, grid)] * 2)
    assert usual.shares["a"] == pytest.approx(0.5, abs=0.03)


def test_a_rollout_that_had_begun_before_is_still_news():
    reference = drawn(SHARES, 5_000, 1)
    grid = grid_of({"value": reference})
    before = one_of([*drawn(SHARES, 990, 2), *["x"] * 10], grid)
    now = one_of([*drawn(SHARES, 80, 3), *["x"] * 20], grid)
    assert new_texts(usual_texts(one_of(reference, grid), before, now), now) == {"x": 20}
    assert not new_texts(usual_texts(one_of(reference, grid), now, now), now)


def test_the_surprise_of_noise_is_that_of_a_chi_square():
    rng = np.random.default_rng(1)
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    found = np.array(
        [surprise(rng.multinomial(2_000, shares).astype(float), shares, 1e9)[0] for _ in range(2_000)]
    )
    g = found * np.sqrt(6.0) + 3.0
    assert np.mean(g > chi2.ppf(0.95, 3)) == pytest.approx(0.05, abs=0.015)


def test_an_estimated_share_is_noisy_as_well():
    shares = np.array([0.5, 0.5])
    now = np.array([560.0, 440.0])
    assert surprise(now, shares, 1e9)[0] > 2 * surprise(now, shares, 1_000)[0]


def test_trifles_in_very_many_rows_are_no_change():
    assert unchanged(np.array([510_000.0, 490_000.0]), np.array([0.5, 0.5]), 1e9)
    assert not unchanged(np.array([600_000.0, 400_000.0]), np.array([0.5, 0.5]), 1e9)


def test_standard_errors_of_a_share():
    assert beyond(60, 100, 0.5, 1e9) == pytest.approx(2.0, abs=0.05)
    assert beyond(40, 100, 0.5, 1e9) == pytest.approx(-2.0, abs=0.05)


@pytest.mark.parametrize(
    ("count", "known", "said"),
    [
        (10, [(0.0, 5_000)], True),
        (1, [(0.0, 5_000)], False),
        (10, [(0.1, 5_000)], False),
        (10, [(0.0, 50), (0.0, 5_000)], True),
        (10, [(0.1, 1_000), (0.0, 5_000)], False),
        (10, [(0.0, 0)], False),
    ],
)
def test_more_than_usual(count: int, known: list[tuple[float, int]], said: bool):
    assert grew(count, 100, *known) is said
