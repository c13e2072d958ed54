"""What values a column can take, and whether converted values are led back onto them."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.curve import curve_of
from service.diagnosis.lattice import exact_of, lattice_of, step_of
from tests.diagnosis.number_views import skewed, views


def lattice(values, kept=()):
    return lattice_of(curve_of(views(values, None, values)[0].numbers), np.array(kept, float))


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([1200.0, 300.0, 700.0], 100.0),
        ([3.0, 4.0, 17.0], 1.0),
        ([0.3, 0.7, 1.1], 0.1),
        ([0.07, 0.29, 1.13], 0.01),
        ([0.056443, 0.051699], 1e-6),
        ([np.pi, np.e, np.sqrt(2)], 0.0),
        ([1e-12, 3.3], 0.0),
    ],
)
def test_the_step_is_the_largest_power_of_ten_that_divides_all(values, step):
    assert step_of(np.array(values)) == pytest.approx(step)


def test_a_short_list_of_values_is_known_one_by_one():
    values = np.array([0.0, 0.0896, 0.1045, 0.1343, 0.1642, 0.194])
    made = lattice(np.repeat(values, 50))
    assert made.values == pytest.approx(values)


def test_integers_are_known_by_the_rows_before_and_by_their_ends():
    values = np.rint(skewed(5000) * 300)
    assert lattice(values, values[:60]).step == 1.0
    assert lattice(values).step == 1.0


def test_a_continuous_column_has_no_lattice():
    assert lattice(skewed(5000), skewed(5000)[:60]) is None


def test_the_right_ratio_leads_all_values_back_and_wrong_ones_do_not():
    values = np.rint(skewed(5000) * 300)
    made, exact = lattice(values, values[:60]), exact_of(values[60:124] * 2.2046226)
    right = exact.evidence(made, lambda x: x / 2.2046226).sum()
    wrong = exact.evidence(made, lambda x: x / 2.237).sum()
    assert right > 100
    assert max(wrong, exact.as_is(made).sum()) < -100


def test_values_recorded_with_a_new_step_may_be_anything_on_it():
    values = np.rint(skewed(5000) * 300)
    made, exact = lattice(values, values[:60]), exact_of(values[60:124] * 1.3)
    assert exact.anew(made) > exact.evidence(made, lambda x: x / 1.1).sum()
    assert exact.anew(None) == 0.0


def test_zero_tells_no_ratio_and_is_left_out():
    assert exact_of(np.zeros(10)).values.size == 0
    assert exact_of(np.array([0.0, 2.0, 2.0])).values.tolist() == [2.0]
