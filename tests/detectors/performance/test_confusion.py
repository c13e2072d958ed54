from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from detectors.performance.catalogue import OF_A_CLASS, OF_ALL_CLASSES
from detectors.performance.expansion import sampling_error

TABLE = np.array([[50.0, 7.0, 3.0], [9.0, 30.0, 6.0], [2.0, 4.0, 11.0]])
METRICS = {
    **{name: (lambda table, m=metric: m.expand(table, 1)) for name, metric in OF_A_CLASS.items()},
    **{name: (lambda table, m=metric: m.expand(table, None)) for name, metric in OF_ALL_CLASSES.items()},
}


@pytest.mark.parametrize("name", METRICS)
def test_the_slope_is_the_derivative_by_each_cell(name):
    slope, step = METRICS[name](TABLE).slope, 1e-6
    for cell in np.ndindex(TABLE.shape):
        up, down = TABLE.copy(), TABLE.copy()
        up[cell] += step
        down[cell] -= step
        numeric = (METRICS[name](up).value - METRICS[name](down).value) / (2 * step)
        assert slope[cell] == pytest.approx(numeric, abs=1e-8)


@pytest.mark.parametrize("name", METRICS)
def test_twice_the_rows_change_no_value_and_shrink_the_error_by_the_root_of_two(name):
    once, twice = METRICS[name](TABLE), METRICS[name](2 * TABLE)
    assert twice.value == pytest.approx(once.value)
    ratio = sampling_error(once, TABLE) / sampling_error(twice, 2 * TABLE)
    assert ratio == pytest.approx(sqrt(2), rel=0.01)


@pytest.mark.parametrize("name", METRICS)
def test_an_empty_table_has_a_reason(name):
    assert isinstance(METRICS[name](np.zeros((3, 3))), str)


def test_only_named_classes_are_averaged_over():
    whole = OF_ALL_CLASSES["macro_recall"].expand(TABLE, None).value
    named = OF_ALL_CLASSES["macro_recall"].expand(TABLE, 2).value
    assert named == pytest.approx((50 / 60 + 30 / 45) / 2)
    assert named != pytest.approx(whole)
