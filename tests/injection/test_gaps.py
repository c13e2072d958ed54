"""Features without their value."""

from __future__ import annotations

from math import isnan

import pytest

from service.errors import ConfigurationError
from service.injection.gaps import DefaultFill, Missing
from tests.injection.logs import faulted, feature, rows

FOUR = rows(4)


@pytest.mark.parametrize(
    ("how", "made"), [("null", None), ("absent", "absent"), ("empty", ""), ("infinite", float("inf"))]
)
def test_a_value_goes_missing_in_the_way_that_was_said(how: str, made: object) -> None:
    values = feature(faulted(Missing("amount", how), FOUR, minute=2), "amount")  # type: ignore[arg-type]
    assert values == [0.0, 1.0, made, made]


def test_nan_is_written_as_python_writes_it() -> None:
    made = faulted(Missing("amount", "nan"), FOUR, minute=2)
    assert b'"amount":NaN' in made[2]
    assert isnan(feature(made, "amount")[2])


def test_a_default_takes_the_values_place() -> None:
    assert feature(faulted(DefaultFill("amount"), FOUR, minute=2), "amount") == [0.0, 1.0, 0, 0]
    assert feature(faulted(DefaultFill("amount", "-1"), FOUR), "amount") == [-1] * 4
    assert feature(faulted(DefaultFill("country"), FOUR), "country") == ["unknown"] * 4


def test_only_one_segment_and_only_a_share_of_it() -> None:
    events = rows(3_000)
    values = feature(faulted(Missing("amount"), events, share=0.1, where=("country", "FR")), "amount")
    gone = [number for number, value in enumerate(values) if value is None]
    assert all(number % 3 == 0 for number in gone)
    assert 70 < len(gone) < 130


def test_a_tag_is_a_segment_too() -> None:
    events = [{**e, "tags": {"channel": "web" if e["id"] == "p-2" else "app"}} for e in FOUR]
    assert feature(faulted(Missing("amount"), events, where=("channel", "web")), "amount") == [
        0.0,
        1.0,
        None,
        3.0,
    ]


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        (("contry", "DE"), r"there is no feature or tag 'contry'; did you mean 'country'\?"),
        (("country", "XX"), "country is never 'XX'; take 'DE' or 'FR'"),
    ],
)
def test_a_segment_that_is_not_there_is_said(where: tuple[str, str], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        faulted(Missing("amount"), FOUR, where=where)
