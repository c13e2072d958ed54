"""What needs no fault: each kind of drift explains itself better than the others do."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.drifts import drifts_of
from tests.diagnosis.number_views import setting, skewed

NOTHING, OTHER_ODDS, SHIFT, ANY_FORM, _, _, GROWTH = range(7)
WEIGHED = np.random.default_rng(5).random(4000)


def likeliest(current):
    made = setting(skewed(10_000), skewed(1000, 1), current)
    return int(np.argmax([one.weight for one in drifts_of(made, made.usual[0]).explanations]))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda x: x, NOTHING),
        (lambda x: x[x / 8 > WEIGHED], OTHER_ODDS),
        (lambda x: x + 1.0, SHIFT),
        (lambda x: x * 1.25, GROWTH),
        (lambda x: np.concatenate([x, np.repeat(np.linspace(4, 4.5, 400), 2)]), ANY_FORM),
    ],
    ids=["nothing", "other odds", "a shift", "growth", "a bump"],
)
def test_each_drift_is_its_own_best_explanation(change, kind):
    assert likeliest(change(skewed(4000, 2))) == kind


def test_columns_that_cannot_be_scaled_have_no_growth():
    made = setting(np.where(np.arange(1000) < 990, 0.0, 1.0), None, np.zeros(50))
    assert drifts_of(made, made.usual[0]).scale is None
