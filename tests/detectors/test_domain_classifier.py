from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from detectors.domain_classifier import DomainClassifier, _area
from detectors.joint import SamplePair
from tests.detectors.rows import draw_rows


def _score(reference, current, alpha=1e-6):
    return DomainClassifier().score(SamplePair(reference.T, current.T), alpha)


def _both(law, seed, columns, rows=512):
    random = np.random.default_rng(seed)
    return random, draw_rows(law, random, rows, columns), draw_rows(law, random, rows, columns)


@pytest.mark.parametrize("levels", [3, 1000])
def test_the_area_and_its_deviation_are_those_of_mann_and_whitney(levels):
    random = np.random.default_rng(1)
    scores, is_current = random.integers(0, levels, 60).astype(float), np.arange(60) >= 40
    area, deviation = _area(scores, is_current)
    truth = mannwhitneyu(
        scores[is_current],
        scores[~is_current],
        alternative="greater",
        use_continuity=False,
        method="asymptotic",
    )
    assert area == pytest.approx(truth.statistic / (20 * 40))
    shuffled = [_area(random.permutation(scores), is_current)[0] for _ in range(4000)]
    assert np.std(shuffled) == pytest.approx(deviation, rel=0.05)


@pytest.mark.parametrize("columns", [6, 48])
def test_a_permuted_column_is_found_and_named(columns):
    random, reference, current = _both("two factors", 2, columns)
    current[:, 3] = random.permutation(current[:, 3])
    found = _score(reference, current, alpha=1e-3)
    assert found.score.value > found.score.limit
    assert np.argmax(found.shares) == 3


def test_columns_that_part_are_found_and_named():
    random, reference, current = _both("near-collinear", 3, 48, rows=256)
    current[:, 1] = random.permutation(current[:, 1])
    found = _score(reference, current)
    assert found.score.value > found.score.limit
    assert sum(found.shares[:2]) > 0.8


def test_a_dependence_without_correlation_is_found():
    random, reference, current = _both("normal", 4, 10)
    reference[:, 1] = reference[:, 0] ** 2 + 0.3 * reference[:, 1]
    current[:, 1] = random.permutation(current[:, 0] ** 2 + 0.3 * current[:, 1])
    found = _score(reference, current)
    assert found.score.value > found.score.limit
    assert sum(found.shares[:2]) > 0.8


def test_small_shifts_of_all_columns_add_up():
    _, reference, current = _both("normal", 5, 20)
    found = _score(reference, current + 0.2)
    assert found.score.value > found.score.limit
    assert max(found.shares) < 0.25


def test_a_column_that_goes_missing_is_found_and_named():
    random, reference, current = _both("two factors", 6, 8)
    reference[random.random(512) < 0.02, 5] = np.nan
    current[random.random(512) < 0.3, 5] = np.nan
    found = _score(reference, current)
    assert found.score.value > found.score.limit
    assert np.argmax(found.shares) == 5


def test_cells_that_begin_to_go_missing_together_are_found():
    random, reference, current = _both("normal", 7, 6)
    reference[random.random((512, 6)) < 0.3] = np.nan
    together = random.random(512) < 0.3
    current[together, 1] = current[together, 4] = np.nan
    current[:, [0, 2, 3, 5]] = np.where(random.random((512, 4)) < 0.3, np.nan, current[:, [0, 2, 3, 5]])
    found = _score(reference, current)
    assert found.score.value > found.score.limit
    assert found.shares[1] + found.shares[4] > 0.8


def test_rows_beyond_512_a_side_are_not_used():
    _, reference, current = _both("normal", 8, 3, rows=600)
    noisy = current.copy()
    noisy[512:] = 99.0
    found, same = _score(reference, current), _score(reference, noisy)
    assert same == found
    assert (found.score.n, found.score.m) == (512, 512)


def test_a_value_above_the_limit_is_a_p_value_below_alpha():
    verdicts = set()
    for shift in np.linspace(0, 1, 21):
        _, reference, current = _both("normal", 9, 3, rows=128)
        score = _score(reference, current + shift, alpha=1e-3).score
        verdicts.add(score.value > score.limit)
        assert (score.value > score.limit) == (score.p_value < 1e-3)
    assert verdicts == {True, False}


def test_growing_transformations_and_the_order_of_columns_change_nothing():
    _, reference, current = _both("two factors", 10, 5)
    current[:, 2] += 0.5
    order = np.array([4, 2, 0, 3, 1])
    plain = _score(reference, current)
    other = _score(np.exp(reference[:, order] / 4), np.exp(current[:, order] / 4))
    assert other.score.value == pytest.approx(plain.score.value)
    assert np.array(other.shares) == pytest.approx(np.array(plain.shares)[order])


def test_equal_rows_give_an_equal_score():
    _, reference, current = _both("two factors", 11, 5)
    assert _score(reference, current) == _score(reference.copy(), current.copy())


def test_ten_rows_can_never_ring_at_one_in_a_million():
    _, reference, current = _both("normal", 12, 3, rows=30)
    found = _score(reference, current[:10] + 100)
    assert found.score.value == pytest.approx(1, abs=0.05)
    assert found.score.limit == 1.0


def test_rows_that_the_classifier_was_trained_on_do_not_count():
    values = [_score(*_both("two factors", seed, 12, rows=64)[1:]).score.value for seed in range(40)]
    assert np.mean(values) == pytest.approx(0.5, abs=0.03)


def test_the_limit_at_an_alpha_of_the_p_value_is_the_value():
    _, reference, current = _both("normal", 13, 3)
    found = _score(reference, current + 0.3).score
    assert found.p_value < 0.01
    assert _score(reference, current + 0.3, alpha=found.p_value).score.limit == pytest.approx(found.value)
