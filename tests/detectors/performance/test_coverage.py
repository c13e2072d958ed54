"""How often intervals of realized metrics cover the truth, by simulation; nominal are 95 %."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.performance.realized_binary import realized_binary
from detectors.performance.realized_multiclass import realized_multiclass
from detectors.performance.realized_regression import realized_regression
from tests.detectors.performance.draws import binary, multiclass, regression

pytestmark = pytest.mark.slow
RUNS = 600
WIDE = {"calibration_error", "roc_auc", "average_precision"}
"""Means over classes that are taken as correlated, and what chance raises: covered too often, on purpose."""


def coverage(realized, draw, n):
    random = np.random.default_rng(11)
    truth = realized(draw(random, 1_000_000))
    hits = dict.fromkeys(truth, 0)
    for _ in range(RUNS):
        for name, one in realized(draw(random, n)).items():
            hits[name] += one.low <= truth[name].value <= one.high
    return {name: count / RUNS for name, count in hits.items()}


def in_band(share):
    """93 to 97 %, and two and a half standard deviations of that many runs."""
    return 0.93 - 0.022 <= share <= 0.97 + 0.018


@pytest.mark.parametrize("n", [200, 2000])
@pytest.mark.parametrize("power", [1.0, 1.5])
def test_metrics_of_binary_models_are_covered(n, power):
    found = coverage(realized_binary, lambda random, rows: binary(random, rows, power=power), n)
    assert found.pop("calibration_error") >= 0.93
    assert {name: share for name, share in found.items() if not in_band(share)} == {}


@pytest.mark.parametrize("n", [200, 2000])
def test_metrics_of_multiclass_models_are_covered(n):
    found = coverage(realized_multiclass, multiclass, n)
    assert min(found[name] for name in WIDE) >= 0.93
    assert {name: s for name, s in found.items() if name not in WIDE and not in_band(s)} == {}


@pytest.mark.parametrize("n", [200, 2000])
@pytest.mark.parametrize("law", ["normal", "laplace"])
def test_metrics_of_regressions_are_covered(n, law):
    found = coverage(realized_regression, lambda random, rows: regression(random, rows, law), n)
    assert found.pop("median_absolute_error") >= 0.93
    assert {name: share for name, share in found.items() if not in_band(share)} == {}
