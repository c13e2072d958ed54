"""Faults of the event's shape."""

from __future__ import annotations

import pytest

from service.errors import ConfigurationError
from service.injection.shape import Merge, Rename, Split, Swap, TypeChange
from tests.injection.logs import faulted, feature, parsed, row, rows

FOUR = rows(4, fee=2.5, name="ann lee")


def test_a_feature_arrives_under_another_name() -> None:
    made = faulted(Rename("amount", "sum"), FOUR, minute=2)
    assert feature(made, "amount") == [0.0, 1.0, "absent", "absent"]
    assert feature(made, "sum") == ["absent", "absent", 2.0, 3.0]
    assert feature(faulted(Rename("amount"), FOUR), "user_amount") == [0.0, 1.0, 2.0, 3.0]


def test_a_name_that_is_taken_is_said() -> None:
    with pytest.raises(
        ConfigurationError, match="there is a feature 'fee' already; name another with --new-name"
    ):
        faulted(Rename("amount", "fee"), FOUR)


def test_two_features_change_places_with_what_is_missing() -> None:
    events = [*FOUR, {**row(4), "features": {"amount": 4.0}}]
    made = faulted(Swap("amount", "fee"), events, minute=3)
    assert feature(made, "amount") == [0.0, 1.0, 2.0, 2.5, "absent"]
    assert feature(made, "fee") == [2.5, 2.5, 2.5, 3.0, 4.0]


def test_two_features_become_one() -> None:
    made = parsed(faulted(Merge("name", "country"), FOUR))
    assert [e["features"]["name_country"] for e in made] == [
        "ann lee FR",
        "ann lee DE",
        "ann lee DE",
        "ann lee FR",
    ]
    assert all({"name", "country"}.isdisjoint(e["features"]) for e in made)
    assert feature(faulted(Merge("amount", "fee", "cost"), FOUR), "cost") == [2.5, 3.5, 4.5, 5.5]


def test_a_feature_becomes_two() -> None:
    assert feature(faulted(Split("name"), FOUR), "name_1") == ["ann"] * 4
    assert feature(faulted(Split("name"), FOUR), "name_2") == ["lee"] * 4
    assert feature(faulted(Split("name"), FOUR), "name") == ["absent"] * 4
    assert feature(faulted(Split("fee"), FOUR), "fee_1") == [2] * 4
    assert feature(faulted(Split("fee"), FOUR), "fee_2") == [0.5] * 4
    assert feature(faulted(Split("country"), FOUR), "country_2") == ["R", "E", "E", "R"]


@pytest.mark.parametrize(("how", "made"), [("digits", "2.5"), ("unit", "2.5 kg"), ("comma", "2,5")])
def test_a_number_arrives_as_a_text(how: str, made: str) -> None:
    assert feature(faulted(TypeChange("fee", how), FOUR, minute=2), "fee") == [2.5, 2.5, made, made]  # type: ignore[arg-type]


def test_whole_numbers_have_a_comma_too() -> None:
    assert feature(faulted(TypeChange("n", "comma"), rows(2, n=7)), "n") == ["7,0", "7,0"]


def test_one_feature_is_not_two() -> None:
    with pytest.raises(ConfigurationError, match="'amount' is both features; name two"):
        faulted(Swap("amount", "amount"), FOUR)
    with pytest.raises(ConfigurationError, match="there is no feature 'fees'; did you mean 'fee'"):
        faulted(Merge("amount", "fees"), FOUR)
