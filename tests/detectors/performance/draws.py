"""Outcomes drawn from known laws."""

from __future__ import annotations

import numpy as np

from detectors.performance.binary_counts import BinaryOutcomes
from detectors.performance.multiclass_counts import MulticlassOutcomes
from detectors.performance.regression_counts import RegressionOutcomes, RegressionScales

SCALES = RegressionScales(centre=50.0, label=10.0, error=3.0)


def binary_rows(random, n, law=(1.0, 1.0), power=1.0, decimals=None):
    """Labels, scores and decisions; a label is positive to the chance score**power."""
    scores = random.beta(*law, n)
    if decimals is not None:
        scores = np.round(scores, decimals)
    labels = (random.random(n) < scores**power).astype(np.int64)
    return labels, scores, (scores >= 0.5).astype(np.int64)


def binary(random, n, law=(1.0, 1.0), power=1.0):
    return BinaryOutcomes.zeros().add(*binary_rows(random, n, law, power))


def multiclass_rows(random, n, law=(0.4, 0.4, 0.4), power=1.0):
    """Labels, decisions and scores of classes; labels follow scores**power, made to add up to 1."""
    scores = random.dirichlet(law, n)
    chances = scores**power / (scores**power).sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) < random.random((n, 1))).sum(axis=1)
    return np.minimum(labels, len(law) - 1), scores.argmax(axis=1), scores


def multiclass(random, n, law=(0.4, 0.4, 0.4), power=1.0):
    return MulticlassOutcomes.zeros(len(law)).add(*multiclass_rows(random, n, law, power))


def regression_rows(random, n, law="normal"):
    """Labels and predictions; errors have mean 1 and the given law."""
    predictions = random.normal(50, 10, n)
    errors = random.normal(1, 3, n) if law == "normal" else 1 + random.laplace(0, 2, n)
    return predictions - errors, predictions


def regression(random, n, law="normal"):
    return RegressionOutcomes.zeros(SCALES).add(*regression_rows(random, n, law))
