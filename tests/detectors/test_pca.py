from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gamma

from detectors.joint import TOO_FEW_COLUMNS, MomentsPair, SecondMoments
from detectors.pca import NOISE, Pca, _Law
from tests.detectors.rows import draw_rows, moments_of, moments_pair


def _score(reference, current, alpha=1e-6):
    return Pca().score(moments_pair(reference, current), alpha)


def _residual(reference, current, kept):
    """Mean squared distance of rows from the plane of the reference, by a singular value decomposition."""
    scale = reference.std(axis=0)
    plane = np.linalg.svd((reference - reference.mean(axis=0)) / scale, full_matrices=False)[2][:kept]
    away = (current - current.mean(axis=0)) / scale
    return ((away - away @ plane.T @ plane) ** 2).sum() / (len(current) - 1)


def test_the_value_is_the_squared_reconstruction_error_over_that_of_the_reference():
    random = np.random.default_rng(1)
    reference = draw_rows("two factors", random, 50_000, 6)
    current = draw_rows("two factors", random, 800, 6)
    current[:, 0] = random.permutation(current[:, 0])
    noise = (6 - 2) * NOISE
    truth = (_residual(reference, current, 2) + noise) / (_residual(reference, reference, 2) + noise)
    for blocks in (True, False):
        pair = moments_pair(reference, current, blocks=blocks)
        assert Pca().score(pair, 1e-6).score.value == pytest.approx(truth, rel=0.005)


def _flattened(current, reference):
    """Rows moved on the plane of the reference's two main components."""
    scale = reference.std(axis=0)
    plane = np.linalg.svd((reference - reference.mean(axis=0)) / scale, full_matrices=False)[2][:2]
    return (current / scale) @ plane.T @ plane * scale


@pytest.mark.parametrize("rows", [200, 1000])
def test_a_permuted_column_is_found_and_named(rows):
    random = np.random.default_rng(2)
    reference, current = draw_rows("two factors", random, 6000, 8), draw_rows("two factors", random, rows, 8)
    current[:, 3] = random.permutation(current[:, 3])
    found = _score(reference, current)
    assert found.score.value > found.score.limit
    assert np.argmax(found.shares) == 3


def test_a_shift_of_columns_is_no_error():
    random = np.random.default_rng(3)
    reference, current = draw_rows("two factors", random, 6000, 5), draw_rows("two factors", random, 500, 5)
    moved = current + reference.std(axis=0) / 3
    plain, shifted = _score(reference, current).score, _score(reference, moved).score
    assert shifted.value == pytest.approx(plain.value, rel=0.01)


def test_columns_that_come_closer_to_the_plane_do_not_ring():
    random = np.random.default_rng(4)
    reference, current = draw_rows("two factors", random, 6000, 4), draw_rows("two factors", random, 500, 4)
    found = _score(reference, _flattened(current, reference))
    assert found.score.value < 1
    assert found.score.p_value > 0.5


def test_a_value_above_the_limit_is_a_p_value_below_alpha():
    random = np.random.default_rng(5)
    reference = draw_rows("two factors", random, 4000, 5)
    verdicts = set()
    for mixed in np.linspace(0, 1, 21):
        current = draw_rows("two factors", random, 300, 5)
        current[: int(mixed * 300), 2] = random.permutation(current[: int(mixed * 300), 2])
        score = _score(reference, current, alpha=1e-3).score
        verdicts.add(score.value > score.limit)
        assert (score.value > score.limit) == (score.p_value < 1e-3)
    assert verdicts == {True, False}


def test_the_order_of_columns_changes_nothing_but_the_order_of_shares():
    random = np.random.default_rng(6)
    reference, current = draw_rows("two factors", random, 4000, 6), draw_rows("normal", random, 500, 6)
    order = np.array([3, 0, 5, 1, 4, 2])
    plain, other = _score(reference, current), _score(reference[:, order], current[:, order])
    assert other.score.value == pytest.approx(plain.score.value)
    assert np.array(other.shares) == pytest.approx(np.array(plain.shares)[order])


def test_neighbours_that_are_alike_widen_the_limit():
    random = np.random.default_rng(7)
    days = np.exp(random.normal(0, 0.5, size=40))
    wandering = draw_rows("two factors", random, 40 * 128, 4) * np.repeat(days, 128)[:, None]
    steady = draw_rows("two factors", random, 40 * 128, 4)
    current = draw_rows("two factors", random, 128, 4)
    limits = [_score(reference, current).score.limit for reference in (wandering, steady)]
    assert limits[0] > 1.5 * limits[1]


def test_the_null_law_is_near_a_gamma_law():
    law = _Law(usual=1.0, variance=0.02, freedom=1e6)
    for alpha in (1e-2, 1e-4, 1e-6):
        assert law.limit(alpha) == pytest.approx(gamma.isf(alpha, 50, scale=1 / 50), rel=2e-3)
        assert law.p_value(law.limit(alpha)) == pytest.approx(alpha)


def test_rounding_of_columns_that_are_one_and_the_same_does_not_ring():
    random = np.random.default_rng(8)
    reference, current = (np.repeat(random.normal(size=(rows, 1)), 4, axis=1) for rows in (4000, 400))
    found = _score(reference, current + 0.01 * random.normal(size=current.shape))
    assert found.score.p_value > 0.01


def test_a_column_that_is_gone_does_not_count():
    random = np.random.default_rng(9)
    pair = moments_pair(draw_rows("two factors", random, 4000, 4), draw_rows("two factors", random, 300, 4))
    present = np.array([300, 0, 300, 300])
    gone = SecondMoments(
        300, present, pair.current.mean, pair.current.covariance * np.outer(present, present > 0)
    )
    found = Pca().score(MomentsPair(pair.reference, pair.blocks, gone), 1e-6)
    assert found.score.value is not None
    assert found.shares[1] == 0


def test_a_reference_without_blocks_knows_how_close_it_is_to_its_own_plane():
    values = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        reference, current = (moments_of(random.normal(size=(rows, 30))) for rows in (600, 60_000))
        values.append(Pca().score(MomentsPair(reference, (), current), 1e-3).score.value)
    assert 0.85 < np.mean(values) < 1.01


def test_short_windows_have_a_value_of_1_on_average():
    random = np.random.default_rng(10)
    reference = draw_rows("normal", random, 20_000, 6)
    values = [_score(reference, draw_rows("normal", random, 12, 6)).score.value for _ in range(120)]
    assert np.mean(values) == pytest.approx(1, abs=0.05)


def test_two_columns_have_no_value_since_their_correlation_says_all():
    random = np.random.default_rng(9)
    reference = draw_rows("collinear but for strays", random, 1_000, 2)
    found = _score(reference, draw_rows("collinear but for strays", random, 500, 2))
    assert (found.score.value, found.score.reason) == (None, TOO_FEW_COLUMNS)
