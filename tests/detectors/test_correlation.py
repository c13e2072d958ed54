from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from detectors.correlation import Correlation
from detectors.joint import MomentsPair, SecondMoments
from tests.detectors.rows import draw_rows, moments_of, moments_pair


def _score(reference, current, alpha=1e-6):
    return Correlation().score(moments_pair(reference, current), alpha)


def test_the_value_is_the_change_of_pearsons_correlation():
    random = np.random.default_rng(1)
    reference, current = draw_rows("two factors", random, 4000, 2), draw_rows("normal", random, 300, 2)
    both = [
        np.corrcoef(np.clip((x - reference.mean(0)) / reference.std(0), -8, 8).T)
        for x in (reference, current)
    ]
    assert _score(reference, current).score.value == pytest.approx(abs(both[0][0, 1] - both[1][0, 1]))


@pytest.mark.parametrize("shift", [3.5, 4.5, 5.5])
def test_the_p_value_of_normal_columns_is_that_of_fishers_z_over_all_pairs(shift):
    columns, n, m = 20, 400, 20_000
    reference = moments_of(draw_rows("normal", np.random.default_rng(2), m, columns))
    blocks = tuple(moments_of(draw_rows("normal", np.random.default_rng(i), 400, columns)) for i in range(50))
    r = reference.covariance[0, 1] / np.sqrt(reference.covariance[0, 0] * reference.covariance[1, 1])
    deviation = np.sqrt(1 / (n - 3) + 1 / (m - 3))
    scale = np.sqrt(np.outer(reference.covariance.diagonal(), reference.covariance.diagonal()))
    moved = reference.covariance / scale
    moved[0, 1] = moved[1, 0] = np.tanh(np.arctanh(r) + shift * deviation)
    current = SecondMoments(n, np.full(columns, n), np.zeros(columns), moved)
    fisher = columns * (columns - 1) / 2 * 2 * norm.sf(shift)
    p_value = Correlation().score(MomentsPair(reference, blocks, current), 1e-6).score.p_value
    assert min(fisher, 1) / 2 <= p_value <= min(16 * fisher, 1)


@pytest.mark.parametrize("law", ["near-collinear", "two factors"])
@pytest.mark.parametrize("rows", [200, 500])
def test_a_permuted_column_is_found_and_named(law, rows):
    random = np.random.default_rng(3)
    reference, current = draw_rows(law, random, 6000, 6), draw_rows(law, random, rows, 6)
    current[:, 3] = random.permutation(current[:, 3])
    found = _score(reference, current)
    assert found.score.value > found.score.limit
    assert np.argmax(found.shares) == 3 or law == "near-collinear"
    assert found.shares[2] + found.shares[3] > 0.9 or law == "two factors"
    assert 3 in {found.pairs[0].first, found.pairs[0].second}


def test_a_broken_twin_among_strays_is_found():
    # of the bike-sharing data, the felt temperature: 0.3 % of its rows are stuck, and r is 0.986
    random = np.random.default_rng(4)
    reference, current = (draw_rows("collinear but for strays", random, rows, 4) for rows in (6000, 500))
    current[:, 1] = random.permutation(current[:, 1])
    found = _score(reference, current)
    assert found.score.value == pytest.approx(1, abs=0.15)
    assert found.score.value > found.score.limit
    assert (found.pairs[0].first, found.pairs[0].second) == (0, 1)


def test_pairs_tell_their_correlation_before_and_after():
    random = np.random.default_rng(5)
    reference, current = (draw_rows("near-collinear", random, rows, 4) for rows in (6000, 500))
    current[:, 1] = random.permutation(current[:, 1])
    pair = _score(reference, current).pairs[0]
    assert pair.before == pytest.approx(1, abs=0.01)
    assert pair.after == pytest.approx(0, abs=0.15)


def test_a_value_above_the_limit_is_a_p_value_below_alpha():
    random = np.random.default_rng(6)
    reference = draw_rows("two factors", random, 4000, 5)
    for mixed in np.linspace(0, 1, 21):
        current = draw_rows("two factors", random, 300, 5)
        current[: int(mixed * 300), 2] = random.permutation(current[: int(mixed * 300), 2])
        score = _score(reference, current, alpha=1e-3).score
        assert (score.value > score.limit) == (score.p_value < 1e-3)


def test_shift_and_scale_of_columns_change_no_correlation():
    random = np.random.default_rng(7)
    reference, current = (draw_rows("two factors", random, rows, 4) for rows in (4000, 500))
    pair = moments_pair(reference, current)
    scale = np.array([0.5, 2.2046, 1.0, 3.0])
    moved = SecondMoments(
        500,
        pair.current.present,
        pair.current.mean * scale + 1,
        pair.current.covariance * np.outer(scale, scale),
    )
    plain, after = (
        Correlation().score(MomentsPair(pair.reference, pair.blocks, current), 1e-3).score
        for current in (pair.current, moved)
    )
    assert after.value == pytest.approx(plain.value)
    assert after.p_value == pytest.approx(plain.p_value)


def test_two_rare_marks_that_once_coincide_do_not_ring():
    random = np.random.default_rng(8)
    reference = (random.random((4000, 2)) < 0.02).astype(float)
    current = np.zeros((100, 2))
    current[7] = 1.0
    current[20, 0] = current[30, 1] = 1.0
    found = _score(reference, current, alpha=1e-3)
    assert found.score.value > 0.4
    assert found.score.p_value > 0.01


def test_a_column_that_stands_still_has_no_correlation_to_lose():
    random = np.random.default_rng(9)
    reference, current = (draw_rows("near-collinear", random, rows, 4) for rows in (4000, 500))
    current[:, 1] = 3.0
    found = _score(reference, current)
    assert found.score.value < found.score.limit
    assert found.pairs == ()


def test_what_missing_cells_may_have_caused_is_taken_off():
    # where both are missing together in a fifth of the rows, r = 0.6 looks like 0.75
    random = np.random.default_rng(10)
    r = np.array([[1.0, 0.6], [0.6, 1.0]])
    reference = moments_of(random.multivariate_normal(np.zeros(2), r, 20_000))
    blocks = tuple(moments_of(random.multivariate_normal(np.zeros(2), r, 500)) for _ in range(40))
    rows = 5000
    looks = SecondMoments(rows, np.full(2, 4 * rows // 5), np.zeros(2), np.array([[1.0, 0.75], [0.75, 1.0]]))
    present = SecondMoments(rows, np.full(2, rows), np.zeros(2), looks.covariance)
    excused = Correlation().score(MomentsPair(reference, blocks, looks), 1e-6).score
    plain = Correlation().score(MomentsPair(reference, blocks, present), 1e-6).score
    assert plain.value > plain.limit
    assert excused.p_value > 1e-3


def test_correlations_that_wander_from_block_to_block_widen_the_limit():
    random = np.random.default_rng(11)
    wandering = np.concatenate(
        [
            random.multivariate_normal(np.zeros(2), [[1, r], [r, 1]], 128)
            for r in random.uniform(-0.6, 0.6, 40)
        ]
    )
    current = random.multivariate_normal(np.zeros(2), [[1, 0.5], [0.5, 1]], 128)
    steady = random.normal(size=wandering.shape)
    assert _score(wandering, current).score.p_value > 0.01
    assert _score(steady, current).score.p_value < 1e-3


def test_without_blocks_tails_are_assumed_and_the_limit_is_wider():
    random = np.random.default_rng(12)
    reference, current = random.normal(size=(4000, 3)), random.normal(size=(300, 3))
    with_blocks, without = (
        Correlation().score(moments_pair(reference, current, blocks=blocks), 1e-6).score.limit
        for blocks in (True, False)
    )
    assert without > 1.2 * with_blocks


def test_a_column_that_lost_several_partners_has_the_whole_change():
    random = np.random.default_rng(13)
    reference, current = (draw_rows("two factors", random, rows, 6) for rows in (6000, 500))
    current[:, 3] = random.permutation(current[:, 3])
    assert _score(reference, current).shares[3] > 0.9
