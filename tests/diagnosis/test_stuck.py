"""A column that stands still is told from one that always did, and from one that nothing fills any more."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.numbers import diagnose_number
from service.messages import Cause
from tests.diagnosis.number_views import skewed, views


def told(reference, before, current):
    return [one.cause for one in diagnose_number(*views(reference, before, current))]


@pytest.mark.parametrize("rows", [24, 500])
def test_one_ordinary_value_in_every_row_is_stuck(rows):
    assert told(skewed(5000), skewed(500, 1), np.full(rows, 2.125)) == [Cause.STUCK_FEATURE]


def test_nearly_all_rows_are_enough():
    rows = np.append(np.full(495, 2.125), skewed(5, 2))
    assert told(skewed(5000), skewed(500, 1), rows) == [Cause.STUCK_FEATURE]


def test_only_zeros_are_a_default_and_may_be_stuck():
    first = diagnose_number(*views(skewed(5000), skewed(500, 1), np.zeros(500)))[0]
    assert (first.cause, first.alternatives) == (Cause.DEFAULT_FILL, ("it is stuck",))


def test_a_value_that_nearly_all_rows_had_before_is_not_stuck():
    mostly = np.where(np.random.default_rng(0).random(6000) < 0.97, 1.0, skewed(6000))
    assert told(mostly[:5000], mostly[5000:], np.full(200, 1.0)) == []


def test_two_rows_alike_say_nothing():
    assert told(np.rint(skewed(5000)), np.rint(skewed(500, 1)), np.full(2, 3.0)) == []


def test_days_that_come_one_after_another_are_not_stuck():
    """The rows of a window share their day of the month: so did those of the windows before."""
    day = np.repeat(np.arange(20_000 // 250) % 30 + 1.0, 250)
    assert told(day[:10_000], day[10_000:10_400], day[11_000:11_100]) == []


def test_five_values_over_and_over_where_all_differed_are_stale():
    first = diagnose_number(
        *views(skewed(5000), skewed(500, 1), np.repeat(skewed(5000)[[7, 90, 411, 800, 1200]], 40))
    )
    assert first[0].cause in {Cause.STUCK_FEATURE, Cause.DEFAULT_FILL}
