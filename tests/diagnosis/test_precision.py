"""Lost digits are told by the step of exact values, and by how they were lost."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.numbers import diagnose_number
from service.diagnosis.precision import ROUNDINGS, lost_digits
from service.messages import Cause
from tests.diagnosis.number_views import real_column, setting, skewed, split, views


@pytest.mark.parametrize(
    ("lose", "name"),
    [(np.rint, "rounded"), (np.floor, "rounded down"), (np.ceil, "rounded up")],
)
def test_whole_numbers_where_fractions_were_are_lost_digits(lose, name):
    first = diagnose_number(*views(skewed(10_000), skewed(500, 1), lose(skewed(500, 2))))[0]
    assert first.cause is Cause.PRECISION_LOSS
    assert f"is {name} to whole numbers" in first.sentence or "cut off after the point" in first.sentence


def test_negative_values_cut_off_after_the_point_go_towards_zero():
    values = np.random.default_rng(0).normal(0, 4, 11_000)
    first = diagnose_number(*views(values[:10_000], values[10_000:10_500], np.trunc(values[10_500:])))[0]
    assert "cut off after the point" in first.sentence


def test_two_digits_where_six_were_are_lost_digits():
    reference, before, current = split(real_column("nswdemand"), 500)
    first = diagnose_number(*views(reference, before, np.round(current, 2)))[0]
    assert (first.cause, first.evidence["step"]) == (Cause.PRECISION_LOSS, 0.01)


def test_whole_numbers_that_always_were_lose_nothing():
    reference, before, current = (np.rint(skewed(n, n) * 60) for n in (10_000, 500, 501))
    assert lost_digits(setting(reference, before, current)) == 0.0


def test_every_rounding_undoes_the_edges_that_it_makes():
    """The share below an edge after rounding is that below the undone edge before."""
    values = np.random.default_rng(1).normal(0, 3, 4000)
    ways = (np.rint, np.floor, np.ceil, np.trunc)
    for way, lose in zip(ROUNDINGS, ways, strict=True):
        for edge in (-3.5, -1.0 - 1e-9, -1e-9, 1e-9, 0.5, 1.0 - 1e-9, 2.5):
            below = way.undo(np.array([edge]), 1.0)
            assert (lose(values) < edge).mean() == pytest.approx((values < below).mean(), abs=1e-3)
