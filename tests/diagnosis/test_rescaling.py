"""Ratios without a name, and columns that were prepared for training once more."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.numbers import diagnose_number
from service.messages import Cause
from tests.diagnosis.number_views import real_column, skewed, split, views


def test_values_off_their_lattice_by_one_ratio_are_another_scale_without_a_name():
    reference, before, current = split(real_column("hr"), 500)
    first = diagnose_number(*views(reference, before, current * 1.3713))[0]
    assert (first.cause, "no known units" in first.sentence) == (Cause.UNIT_CHANGE, True)
    assert first.evidence["ratio"] == pytest.approx(1.3713, rel=1e-6)
    assert first.confidence > 0.9


def test_a_ratio_far_from_growth_is_a_unit_without_a_name():
    first = diagnose_number(*views(skewed(10_000), skewed(1000, 1), skewed(1000, 2) * 47.0))[0]
    assert (first.cause, "no known units" in first.sentence) == (Cause.UNIT_CHANGE, True)
    assert first.evidence["lowest ratio"] < 47.0 < first.evidence["highest ratio"]


def test_a_standardised_column_is_told_as_such():
    rows = skewed(10_000) * 40 + 100
    current = (skewed(500, 2) * 40 + 100 - rows.mean()) / rows.std()
    first = diagnose_number(*views(rows, skewed(500, 1) * 40 + 100, current))[0]
    assert first.cause is Cause.UNIT_CHANGE
    assert "standardised" in first.sentence


def test_a_column_scaled_to_its_range_is_told_as_such():
    rng = np.random.default_rng(0)
    rows = rng.uniform(300, 900, 11_000)
    first = diagnose_number(*views(rows[:10_000], rows[10_000:10_500], (rows[10_500:] - 300) / 600))[0]
    assert first.cause is Cause.UNIT_CHANGE
    assert "range from 0 to 1" in first.sentence
