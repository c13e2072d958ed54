"""A range that is cut off is told from rows that are left out."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.numbers import diagnose_number
from service.messages import Cause
from tests.diagnosis.number_views import skewed, views


def told(current):
    return diagnose_number(*views(skewed(10_000), skewed(500, 1), current))


@pytest.mark.parametrize("share", [0.8, 0.9, 0.95])
def test_a_highest_value_that_collects_all_above_it_is_a_bound(share):
    bound = np.quantile(skewed(10_000), share)
    first = told(np.minimum(skewed(500, 2), bound))[0]
    assert first.cause is Cause.CLIPPING
    assert first.evidence["bound"] == pytest.approx(bound)
    assert first.evidence["share of rows cut off"] == pytest.approx(1 - share, abs=0.03)


def test_a_lowest_value_that_collects_all_below_it_is_a_bound():
    first = told(np.maximum(skewed(500, 2), 1.2))[0]
    assert (first.cause, "lowest" in first.sentence) == (Cause.CLIPPING, True)


def test_rows_left_out_beyond_a_value_are_not_clipped():
    rows = skewed(700, 2)
    assert Cause.CLIPPING not in [one.cause for one in told(rows[rows < 5.0])]


def test_integers_are_clipped_at_one_of_them():
    reference, before, current = (np.rint(skewed(n, n) * 60) for n in (10_000, 500, 501))
    first = diagnose_number(*views(reference, before, np.minimum(current, 300.0)))[0]
    assert (first.cause, first.evidence["bound"]) == (Cause.CLIPPING, 300.0)
