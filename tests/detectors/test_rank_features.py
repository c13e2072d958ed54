from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from detectors.rank_features import _mid_ranks, rank_features


@pytest.mark.parametrize(
    "values", [np.arange(9.0)[::-1], np.array([3, 1, 1, 2, 3, 3, 0, 0, 5.0]), np.ones(9)]
)
def test_ranks_are_those_of_scipy(values):
    ranks = _mid_ranks(values[None], np.zeros((1, 9), dtype=bool))
    assert ranks[0] == pytest.approx((rankdata(values) - 0.5) / 9)


def test_ranks_count_what_is_present_and_missing_cells_stand_in_the_middle():
    rows = np.array([[np.nan, 5.0, np.inf, 1.0, -np.inf, 3.0, 3.0]])
    ranks = _mid_ranks(rows, ~np.isfinite(rows))
    assert ranks[0] == pytest.approx([0.5, 7 / 8, 0.5, 1 / 8, 0.5, 0.5, 0.5])


def test_features_have_mean_0_and_variance_1_and_directions_are_uncorrelated():
    rows = np.random.default_rng(1).lognormal(size=(4, 600))
    rows[1] = rows[0] * rows[1]
    rows[2, :50] = np.nan
    features = rank_features(rows)
    assert features.single.mean(axis=1) == pytest.approx(np.zeros(9), abs=1e-9)
    assert features.single.var(axis=1) == pytest.approx(np.ones(9))
    assert features.source.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 2]
    assert features.mixing @ features.single == pytest.approx(features.mixed)
    covariance = np.cov(features.mixed)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-9


def test_what_does_not_vary_is_no_feature():
    rows = np.vstack([np.full(20, 7.0), np.arange(20) % 2, np.full(20, np.nan)])
    assert rank_features(rows).source.tolist() == [1]


def test_growing_transformations_of_a_column_change_no_feature():
    rows = np.random.default_rng(2).normal(size=(2, 100))
    assert rank_features(np.exp(5 * rows)).single == pytest.approx(rank_features(rows).single)
