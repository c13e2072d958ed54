"""Faults of numbers: the exact values that arrive."""

from __future__ import annotations

import numpy as np
import pytest

from service.errors import ConfigurationError
from service.injection.fault import Fault
from service.injection.numbers import Clipping, Rounding, Shift, Spread, Truncation, Unit
from service.messages import Cause
from tests.injection.logs import faulted, feature, row, rows, surveyed

TEN = rows(10)
FINE = [row(n, amount=n + 0.25) for n in range(10)]


def amounts(fault: Fault, minute: float = 0.0) -> list[float]:
    """What becomes of 0.0 to 9.0."""
    return feature(faulted(fault, TEN, minute=minute), "amount")


def test_kilograms_become_pounds_from_the_faults_begin_on() -> None:
    assert amounts(Unit("amount", "kg:lb"), minute=8) == [
        *map(float, range(8)),
        8 * 2.2046226218,
        9 * 2.2046226218,
    ]


def test_celsius_becomes_fahrenheit_and_back() -> None:
    assert amounts(Unit("amount", "c:f"))[5] == pytest.approx(41.0)
    assert amounts(Unit("amount", "f:c"))[5] == pytest.approx(-15.0)


def test_a_factor_and_an_offset_say_any_other_unit() -> None:
    assert amounts(Unit("amount", factor=10.0, offset=1.0))[:3] == [1.0, 11.0, 21.0]
    assert amounts(Unit("amount", offset=-1.0))[:3] == [-1.0, 0.0, 1.0]


def test_whole_numbers_that_stay_whole_are_written_whole() -> None:
    made = faulted(Unit("amount", factor=3.0), rows(4, amount=7))
    assert all(b'"amount":21,' in line for line in made)
    assert b'"amount":10.5,' in faulted(Unit("amount", factor=1.5), rows(4, amount=7))[0]


def test_what_is_no_number_is_left_alone() -> None:
    events = [
        *rows(9),
        {**rows(10)[9], "features": {"amount": None}},
        {**rows(11)[10], "features": {"amount": "7"}},
    ]
    assert feature(faulted(Unit("amount", "kg:lb"), events), "amount")[-2:] == [None, "7"]


@pytest.mark.parametrize("fault", [Unit("amount"), Unit("amount", "kg:lb", factor=2.0)])
def test_a_unit_is_said_in_one_way(fault: Unit) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^say either --unit, such as kg:lb, or --factor and --offset$"
    ):
        amounts(fault)


def test_an_unknown_unit_is_named_with_what_was_meant() -> None:
    with pytest.raises(ConfigurationError, match=r"no pair of units 'kg:lbs'; did you mean 'kg:lb'\?"):
        amounts(Unit("amount", "kg:lbs"))


def test_a_shift_is_in_standard_deviations_of_the_log() -> None:
    by = 0.5 * surveyed(FINE).feature("amount").std
    assert by == pytest.approx(0.5 * np.std(range(10)), rel=0.01)
    made = feature(faulted(Shift("amount", 0.5), FINE), "amount")
    assert made == pytest.approx([x + 0.25 + by for x in range(10)])


def test_a_gradual_shift_grows_from_nothing_to_all() -> None:
    full = surveyed(FINE).feature("amount").std
    made = feature(faulted(Shift("amount", 1.0, gradual=True), FINE), "amount")
    assert [m - x - 0.25 for x, m in enumerate(made)] == pytest.approx([full * x / 9 for x in range(10)])


@pytest.mark.parametrize("fault", [Shift("amount", 0.1), Spread("amount", 1.05)])
def test_whole_columns_stay_whole_with_the_mean_that_they_should_have(fault: Fault) -> None:
    before = [n % 10 for n in range(5_000)]
    made = feature(faulted(fault, [row(n, amount=x) for n, x in enumerate(before)]), "amount")
    assert {type(x) for x in made} == {int}
    moved = 0.1 * np.std(before) if isinstance(fault, Shift) else 0.0
    assert np.mean(made) - np.mean(before) == pytest.approx(moved, abs=0.04)


def test_spread_grows_around_the_mean() -> None:
    made = feature(faulted(Spread("amount", 2.0), FINE), "amount")
    assert made == pytest.approx([4.75 + 2 * (x - 4.5) for x in range(10)])


def test_rounding_keeps_so_many_decimals() -> None:
    events = [*rows(3), *rows(6, amount=12.3456)[3:]]
    assert feature(faulted(Rounding("amount", 1), events), "amount")[3:] == [12.3] * 3
    assert feature(faulted(Rounding("amount", -1), events), "amount")[3:] == [10.0] * 3


def test_truncation_cuts_numbers_towards_zero_and_texts_to_their_beginning() -> None:
    events = [*rows(3), *rows(6, amount=-12.9, country="Germany")[3:]]
    assert feature(faulted(Truncation("amount"), events), "amount")[3:] == [-12.0] * 3
    assert feature(faulted(Truncation("country", length=3), events), "country")[3:] == ["Ger"] * 3


def test_clipping_cuts_one_end_at_a_bound_of_the_log_or_a_persons() -> None:
    assert amounts(Clipping("amount", 0.5)) == [0.0, 1.0, 2.0, 3.0, *[4.0] * 6]
    assert feature(faulted(Clipping("amount", 0.5), FINE), "amount")[4:] == [4.25, *[4.75] * 5]
    assert amounts(Clipping("amount", bound=7.0))[-3:] == [7.0, 7.0, 7.0]
    assert amounts(Clipping("amount", bound=7.0, below=True)) == [*[7.0] * 8, 8.0, 9.0]


@pytest.mark.parametrize("quantile", [0.0, 1.0, -1.0])
def test_a_quantile_outside_its_range_is_said(quantile: float) -> None:
    with pytest.raises(ConfigurationError, match="--quantile is a share"):
        amounts(Clipping("amount", quantile))


@pytest.mark.parametrize("fault", [Unit("amuont", "kg:lb"), Shift("amuont"), Spread("amuont"), Rounding("amuont"),
                                   Clipping("amuont"), Truncation("amuont")])  # fmt: skip
def test_a_feature_that_is_not_there_is_named_with_what_was_meant(fault: Fault) -> None:
    with pytest.raises(ConfigurationError, match=r"^there is no feature 'amuont'; did you mean 'amount'\?$"):
        amounts(fault)


@pytest.mark.parametrize("fault", [Unit("country", "kg:lb"), Shift("country"), Spread("country"), Rounding("country"),
                                   Clipping("country")])  # fmt: skip
def test_a_feature_without_numbers_is_said_with_one_that_has_them(fault: Fault) -> None:
    expected = f"^feature 'country' holds no numbers, which {fault.name} needs; take 'amount'$"
    with pytest.raises(ConfigurationError, match=expected):
        amounts(fault)


def test_each_says_what_should_ring() -> None:
    faults = [Unit("amount", "kg:lb"), Shift("amount"), Rounding("amount"), Clipping("amount")]
    causes = [Cause.UNIT_CHANGE, Cause.DATA_DRIFT, Cause.PRECISION_LOSS, Cause.CLIPPING]
    assert [f.expects().causes for f in faults] == [{cause} for cause in causes]
    assert all(f.expects().features == {"amount"} for f in faults)
