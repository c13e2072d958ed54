"""Two small models in plain numpy: ridge regression, and logistic regression by Newton's method.

Both see standardised numbers and one-hot categories. A missing number counts as the mean, an unknown category
as none of those known: as in many a service, the model answers whatever it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from service.demo.tables import Features, FloatArray

if TYPE_CHECKING:
    from collections.abc import Mapping

_PENALTY = 1.0
_NEWTON_STEPS = 12
_CONSTANT = 1e-9


@dataclass(frozen=True)
class Design:
    """How columns become a matrix: each number's mean and standard deviation, each category's values."""

    numbers: Mapping[str, tuple[float, float]]
    texts: Mapping[str, tuple[str, ...]]

    def matrix(self, features: Features) -> FloatArray:
        """Rows by columns, the first of them 1. A number that nobody sends is missing in every row."""
        absent = np.full(len(features), np.nan)
        columns: list[FloatArray] = [np.ones(len(features))]
        for name, (mean, scale) in self.numbers.items():
            columns.append((features.numbers.get(name, absent) - mean) / scale)
        for name, values in self.texts.items():
            columns += [(features.texts[name] == value).astype(np.float64) for value in values]
        return np.nan_to_num(np.column_stack(columns), nan=0.0)


def design_for(features: Features) -> Design:
    """The design of these training columns."""
    scales = {name: (float(column.mean()), _scale(column)) for name, column in features.numbers.items()}
    return Design(
        scales, {name: tuple(np.unique(column).tolist()) for name, column in features.texts.items()}
    )


def _scale(column: FloatArray) -> float:
    """The standard deviation; 1 for a constant, of which rounding would make a tiny one."""
    deviation = float(column.std())
    return deviation if deviation > _CONSTANT * max(1.0, float(np.abs(column).max())) else 1.0


def fit_ridge(matrix: FloatArray, target: FloatArray, penalty: float = _PENALTY) -> FloatArray:
    """The weights w that make ``|X w - y|^2 + penalty |w|^2`` least, the intercept unpunished."""
    weights = np.linalg.solve(matrix.T @ matrix + _ridge(matrix, penalty), matrix.T @ target)
    return np.asarray(weights, np.float64)


def fit_logistic(matrix: FloatArray, positive: FloatArray, penalty: float = _PENALTY) -> FloatArray:
    """The weights of the most likely logistic regression with a ridge penalty; `positive` is 1 or 0."""
    weights = np.zeros(matrix.shape[1])
    ridge = _ridge(matrix, penalty)
    for _ in range(_NEWTON_STEPS):
        share = logistic(matrix @ weights)
        slope = matrix.T @ (positive - share) - ridge @ weights
        curvature = (matrix * (share * (1.0 - share))[:, None]).T @ matrix + ridge
        weights += np.linalg.solve(curvature, slope)
    return weights


def logistic(logits: FloatArray) -> FloatArray:
    """Probabilities, without overflow."""
    shares: FloatArray = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return shares


def _ridge(matrix: FloatArray, penalty: float) -> FloatArray:
    diagonal = np.full(matrix.shape[1], penalty)
    diagonal[0] = 1e-9  # the intercept is free, but one-hot columns add up to it
    return np.diag(diagonal)
