"""Strays outside of all that was seen, among rows that are as usual."""

from __future__ import annotations

import numpy as np

from service.diagnosis.numbers import diagnose_number
from service.messages import Cause
from tests.diagnosis.number_views import views


def column(rows, seed):
    return np.random.default_rng(seed).normal(50, 5, rows)


def test_a_few_strays_far_outside_are_out_of_range():
    rows = column(500, 2)
    rows[:12] = np.random.default_rng(9).uniform(-4e5, 4e5, 12)
    first = diagnose_number(*views(column(10_000, 0), column(500, 1), rows))[0]
    assert first.cause is Cause.OUT_OF_RANGE
    assert 0.01 < first.evidence["share of rows outside"] < 0.04
    assert first.evidence["highest now"] > first.evidence["usual highest"]


def test_the_ends_of_a_quiet_column_are_not_out_of_range():
    for seed in range(5):
        assert (
            list(diagnose_number(*views(column(2000, seed), column(500, seed + 9), column(1000, seed + 99))))
            == []
        )


def test_a_column_that_moved_as_a_whole_is_not_out_of_range():
    found = diagnose_number(*views(column(10_000, 0), column(500, 1), column(500, 2) + 12.0))
    assert Cause.OUT_OF_RANGE not in [one.cause for one in found]
