"""Of all that may have happened to a column of numbers, the right cause is told, and drift is told as nothing."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.numbers import diagnose_number
from service.messages import Cause
from tests.diagnosis.number_views import real_column, skewed, split, view, views

CONVERSIONS = {
    "kilograms became pounds": lambda x: x * 2.2046226,
    "pounds became kilograms": lambda x: x / 2.2046226,
    "kilometres became miles": lambda x: x / 1.609344,
    "metres became feet": lambda x: x * 3.28084,
    "became cents": lambda x: x * 100,
    "thousands became units": lambda x: x * 1000,
    "seconds became minutes": lambda x: x / 60,
    "years became months": lambda x: x * 12,
    "m/s became km/h": lambda x: x * 3.6,
    "degrees Celsius became Fahrenheit": lambda x: x * 1.8 + 32,
    "degrees Celsius became kelvin": lambda x: x + 273.15,
    "the sign was turned": lambda x: -x,
}
LATTICES = ("hr", "temp", "hum", "windspeed", "nswprice")


def told(reference, before, current):
    return diagnose_number(*views(reference, before, current))


@pytest.mark.parametrize("column", LATTICES)
@pytest.mark.parametrize("name", CONVERSIONS)
def test_a_known_conversion_of_a_real_column_is_named_by_a_hundred_rows(name, column):
    reference, before, current = split(real_column(column), 100)
    first = told(reference, before, CONVERSIONS[name](current))[0]
    assert first.cause is Cause.UNIT_CHANGE
    assert any(name in said for said in (first.sentence, *first.alternatives))


@pytest.mark.parametrize("column", LATTICES)
def test_no_real_column_has_a_wrong_unit_named(column):
    reference, before, current = split(real_column(column), 100, seed=1)
    for name, convert in CONVERSIONS.items():
        units = [one for one in told(reference, before, convert(current)) if one.cause is Cause.UNIT_CHANGE]
        assert all(any(name in said for said in (one.sentence, *one.alternatives)) for one in units)


def test_one_day_of_wind_speeds_in_another_unit_is_named_by_their_values_alone():
    wind = real_column("windspeed")
    first = told(wind[:9000], wind[11_856:11_880], wind[11_880:11_904] * 1.609344)[0]
    assert (first.cause, "miles became kilometres" in first.sentence) == (Cause.UNIT_CHANGE, True)
    assert first.confidence > 0.9


@pytest.mark.parametrize("column", ["temp", "hum", "windspeed", "nswdemand", "nswprice"])
@pytest.mark.parametrize("rows", [24, 100, 500])
def test_no_unit_is_claimed_while_the_seasons_of_real_columns_change(column, rows):
    values = real_column(column)
    half = len(values) // 2
    for start in np.linspace(half + 8 * rows, len(values) - rows, 6).astype(int):
        found = told(values[:half], values[start - 8 * rows : start], values[start : start + rows])
        assert [one.sentence for one in found if one.cause is Cause.UNIT_CHANGE] == []


@pytest.mark.parametrize(
    "drift",
    [
        lambda x: x,
        lambda x: x + np.std(x),
        lambda x: x * 1.3,
        lambda x: x + np.std(x) * np.linspace(0, 0.5, len(x)),
        lambda x: x[np.random.default_rng(0).random(len(x)) < np.exp(-x / x.max())],
    ],
    ids=["nothing", "a shift", "growth", "a gradual shift", "fewer large ones"],
)
def test_drift_of_a_continuous_column_names_no_cause(drift):
    assert list(told(skewed(10_000), skewed(1000, 1), drift(skewed(1000, 2)))) == []


def test_true_growth_by_two_is_seldom_named_after_units():
    named = 0
    for seed in range(10):
        before, current = skewed(1000, seed + 50), skewed(1000, seed + 100) * 2.0
        found = told(skewed(10_000, seed), before, current)
        named += any("no known units" not in one.sentence for one in found)
    assert named <= 2


def test_several_explanations_of_one_cause_make_it_sure_and_the_rivals_are_told():
    first = told(skewed(10_000), skewed(1000, 1), skewed(100, 2) * 2.2046226)[0]
    assert first.cause is Cause.UNIT_CHANGE
    assert any("kilograms became pounds" in said for said in (first.sentence, *first.alternatives))


def test_nothing_is_said_of_columns_without_numbers():
    reference, before, _ = views(skewed(100), skewed(100), skewed(100))
    nothing = view_without_numbers(reference)
    assert list(diagnose_number(reference, before, nothing)) == []
    assert list(diagnose_number(nothing, before, reference)) == []


def view_without_numbers(like):
    from dataclasses import replace

    return replace(like, numbers=None, sample=np.empty(0))


@pytest.mark.parametrize("constant", [0.0, 1.0, -3.5, 1e-300, 1e300])
@pytest.mark.parametrize("rows", [1, 2, 30])
def test_constant_columns_and_a_handful_of_rows_are_no_trouble(constant, rows):
    values = np.full(50, constant)
    for current in (np.full(rows, constant), np.linspace(0, 1, rows), np.full(rows, -constant)):
        for before in (None, values, np.linspace(-1, 1, 50)):
            assert isinstance(list(told(values, before, current)), list)
            assert isinstance(list(told(np.linspace(0, 1, 60), before, current)), list)


def test_evidence_and_confidence_are_plain_finite_numbers():
    reference, before, current = split(real_column("windspeed"), 200)
    one = told(reference, before, current * 1.609344)[0]
    assert all(isinstance(value, str) or np.isfinite(value) for value in one.evidence.values())
    assert {type(value) for value in one.evidence.values()} <= {float, int, str}
    assert 0.5 <= one.confidence <= 1.0


def test_the_same_views_give_the_same_diagnosis():
    made = views(*split(real_column("hum"), 200))
    assert diagnose_number(*made) == diagnose_number(*made)


def test_rows_on_another_grid_than_the_references_are_read_too():
    from service.sketches.grids import default_number_grid, number_grid
    from tests.diagnosis.number_views import COLUMN

    rng = np.random.default_rng(0)
    reference, before = (view(number_grid(COLUMN, skewed(5000)), skewed(n, n), rng) for n in (5000, 500))
    current = view(default_number_grid(COLUMN), skewed(500, 3) * 1000.0, rng)
    assert diagnose_number(reference, before, current)[0].cause is Cause.UNIT_CHANGE
