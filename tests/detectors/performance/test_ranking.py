from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from detectors.performance.expansion import sampling_error
from detectors.performance.ranking import (
    average_precision,
    average_precision_resolution,
    roc_auc,
    roc_auc_resolution,
)


def _counts(random, bins=20, most=9):
    return random.integers(0, most, (2, bins)).astype(float)


def _rows(counts):
    labels = np.repeat([0, 1], counts.sum(axis=1).astype(int))
    scores = np.concatenate([np.repeat(np.arange(counts.shape[1]), side.astype(int)) for side in counts])
    return labels, scores


def test_the_error_of_the_area_is_delongs():
    """Placements row by row, as in the paper, with sample variances."""
    counts = _counts(np.random.default_rng(1))
    labels, scores = _rows(counts)
    positives, negatives = scores[labels == 1], scores[labels == 0]
    wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    delong = sqrt(
        wins.mean(axis=1).var(ddof=1) / positives.size + wins.mean(axis=0).var(ddof=1) / negatives.size
    )

    found = roc_auc(counts)
    assert found.value == pytest.approx(wins.mean())
    assert sampling_error(found, counts) == pytest.approx(delong, rel=0.01)


@pytest.mark.parametrize("function", [roc_auc, average_precision])
def test_the_slope_is_the_derivative_by_each_count(function):
    counts = _counts(np.random.default_rng(2)) + 1
    slope, step = function(counts).slope, 1e-6
    for cell in np.ndindex(counts.shape):
        moved = [counts.copy(), counts.copy()]
        moved[0][cell] += step
        moved[1][cell] -= step
        numeric = (function(moved[0]).value - function(moved[1]).value) / (2 * step)
        assert slope[cell] == pytest.approx(numeric, abs=1e-7)


@pytest.mark.parametrize(
    ("function", "bound", "truth"),
    [
        (roc_auc, roc_auc_resolution, roc_auc_score),
        (average_precision, average_precision_resolution, average_precision_score),
    ],
)
def test_no_order_within_points_is_farther_than_the_resolution_and_one_reaches_it(function, bound, truth):
    counts = _counts(np.random.default_rng(3), bins=4)
    labels, scores = _rows(counts)
    value, reach = function(counts).value, bound(counts)
    best = truth(labels, scores + 0.5 * labels)
    worst = truth(labels, scores - labels * np.linspace(0.2, 0.5, labels.size))

    assert max(best - value, value - worst) == pytest.approx(reach)
    for seed in range(20):
        jitter = np.random.default_rng(seed).random(scores.size) / 2
        assert abs(truth(labels, scores + jitter) - value) <= reach
