"""A default that stands in for values is told from all else that makes one value frequent."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.numbers import diagnose_number
from service.messages import Cause
from tests.diagnosis.number_views import real_column, skewed, split, views


def filled(values, value, share, seed=7):
    return np.where(np.random.default_rng(seed).random(len(values)) < share, value, values)


@pytest.mark.parametrize("value", [0.0, -1.0, 999.0, -9999.0, 1e9])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_default_in_a_share_of_the_rows_is_named_with_value_and_share(value, share):
    rows = filled(skewed(500, 2), value, share)
    first = diagnose_number(*views(skewed(10_000), skewed(500, 1), rows))[0]
    assert first.cause is Cause.DEFAULT_FILL
    assert first.evidence["value"] == pytest.approx(value)
    assert first.evidence["share of rows filled"] == pytest.approx(share, abs=0.05)


def test_the_mean_as_a_default_is_named_as_the_mean():
    reference = skewed(10_000)
    first = diagnose_number(*views(reference, skewed(500, 1), filled(skewed(500, 2), reference.mean(), 0.2)))[
        0
    ]
    assert first.cause is Cause.DEFAULT_FILL
    assert "the mean of the column" in first.sentence


def test_more_of_a_value_that_was_frequent_before_is_found_by_what_is_more():
    rows = filled(skewed(11_000), 0.0, 0.2)
    first = diagnose_number(*views(rows[:9000], rows[9000:10_000], filled(rows[10_000:], 0.0, 0.3)))[0]
    assert first.cause is Cause.DEFAULT_FILL
    assert first.evidence["share of rows filled"] == pytest.approx(0.3, abs=0.06)
    assert first.evidence["usual share of the value"] == pytest.approx(0.2, abs=0.03)


def test_a_frequent_value_among_rows_that_changed_too_is_no_fill():
    rows = filled(skewed(500, 2) * 1.6 + 1.0, 3.217, 0.03)
    found = diagnose_number(*views(skewed(10_000), skewed(500, 1), rows))
    assert Cause.DEFAULT_FILL not in [one.cause for one in found]


def test_quiet_columns_with_frequent_values_are_not_filled():
    for column in ("hr", "temp", "windspeed"):
        assert list(diagnose_number(*views(*split(real_column(column), 300)))) == []
