from __future__ import annotations

import numpy as np
import pytest

from detectors.joint import MomentsPair, SamplePair, SecondMoments, pooled, shares_of
from tests.detectors.rows import draw_rows, moments_of, moments_pair


def test_moments_of_parts_pool_to_those_of_all_rows():
    rows = draw_rows("two factors", np.random.default_rng(1), 500, 4) + np.arange(500)[:, None] / 100
    parts = pooled([moments_of(rows[:100]), moments_of(rows[100:350]), moments_of(rows[350:])])
    whole = moments_of(rows)
    assert (parts.rows, parts.present.tolist()) == (500, [500] * 4)
    assert parts.mean == pytest.approx(whole.mean)
    assert parts.covariance == pytest.approx(whole.covariance)


def test_a_part_without_rows_changes_nothing():
    whole = moments_of(draw_rows("normal", np.random.default_rng(2), 100, 3))
    with_empty = pooled([whole, SecondMoments(0, np.zeros(3, int), np.zeros(3), np.zeros((3, 3)))])
    assert with_empty.covariance == pytest.approx(whole.covariance)
    assert with_empty.mean == pytest.approx(whole.mean)


def test_a_column_without_values_or_variance_or_with_broken_moments_does_not_vary():
    covariance = np.diag([1.0, 1e-12, np.nan, 1.0, np.inf])
    moments = SecondMoments(100, np.array([100, 100, 100, 9, 100]), np.zeros(5), covariance)
    assert moments.varies().tolist() == [True, False, False, False, False]
    assert moments.is_usable().tolist() == [True, True, False, False, False]
    assert np.isfinite(moments.bounded()).all()


@pytest.mark.parametrize(("rows", "length", "blocks"), [(50, 32, 64), (100, 64, 32), (1000, 128, 16)])
def test_blocks_grow_to_the_length_of_the_window_while_16_remain(rows, length, blocks):
    draw = np.random.default_rng(3)
    pair = moments_pair(draw.normal(size=(2048, 2)), draw.normal(size=(rows, 2)))
    assert [window.rows for window in pair.windows()] == [length] * blocks


def test_fewer_than_8_blocks_are_none():
    draw = np.random.default_rng(4)
    pair = moments_pair(draw.normal(size=(7 * 32, 2)), draw.normal(size=(50, 2)))
    assert len(pair.blocks) == 7
    assert pair.windows() == ()


def test_shares_are_of_what_is_positive_and_a_number():
    assert shares_of(np.array([3.0, -5.0, np.nan, 1.0])) == (0.75, 0.0, 0.0, 0.25)
    assert shares_of(np.array([-1.0, 0.0])) == (0.0, 0.0)


def test_moments_whose_shapes_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="shapes"):
        SecondMoments(10, np.array([10, 10]), np.zeros(2), np.eye(3))


def test_more_values_than_rows_are_refused():
    with pytest.raises(ValueError, match="present"):
        SecondMoments(10, np.array([11]), np.zeros(1), np.eye(1))


def test_sides_of_different_columns_are_refused():
    one, two = (moments_of(np.zeros((10, columns))) for columns in (1, 2))
    with pytest.raises(ValueError, match="same columns"):
        MomentsPair(one, (), two)
    with pytest.raises(ValueError, match="one shape"):
        SamplePair(np.zeros((1, 10)), np.zeros((2, 10)))
