"""A share of the rows converted: how many, and by what, as far as the rows tell."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.numbers import diagnose_number
from service.messages import Cause
from tests.diagnosis.number_views import real_column, skewed, split, views


def partly(values, share, ratio, seed=7):
    hit = np.random.default_rng(seed).random(len(values)) < share
    return np.where(hit, values * ratio, values)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.7])
def test_a_part_of_a_column_on_a_lattice_is_named_with_its_share(share):
    reference, before, current = split(real_column("windspeed"), 1000)
    first = diagnose_number(*views(reference, before, partly(current, share, 1.609344)))[0]
    assert first.cause is Cause.UNIT_CHANGE
    assert "miles became kilometres" in first.sentence
    assert first.evidence["share of rows"] == pytest.approx(share, abs=0.05)


def test_a_tenth_of_a_continuous_column_in_cents_is_named():
    rows = partly(skewed(1000, 2), 0.1, 100.0)
    first = diagnose_number(*views(skewed(10_000), skewed(1000, 1), rows))[0]
    assert first.cause is Cause.UNIT_CHANGE
    assert any("x100" in said for said in (first.sentence, *first.alternatives))
    assert first.evidence["share of rows"] == pytest.approx(0.1, abs=0.04)


def test_five_percent_of_three_thousand_rows_in_kilometres_are_another_unit():
    """The column of a bounded range: some rows beyond it, by a factor that only an interval tells."""
    values = np.random.default_rng(3).uniform(2.0, 20.0, 30_000)
    rows = partly(values[24_000:27_000], 0.05, 1.609344)
    first = diagnose_number(*views(values[:20_000], values[20_000:24_000], rows))[0]
    assert first.cause is Cause.UNIT_CHANGE
    assert any("miles became kilometres" in said for said in (first.sentence, *first.alternatives))


def test_an_unconverted_column_has_no_converted_part():
    for seed in range(4):
        made = views(skewed(10_000, seed), skewed(1000, seed + 50), skewed(2000, seed + 100))
        assert list(diagnose_number(*made)) == []
