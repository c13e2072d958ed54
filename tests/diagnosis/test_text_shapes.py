"""Texts are recognised by their shape, and the numbers in them are read as a person would."""

from __future__ import annotations

import pytest

from service.diagnosis.text_shapes import numeric_share, shape_of, unit_in


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("41", 41.0),
        ("-4.5e3", -4500.0),
        (".5", 0.5),
        ("3,14", 3.14),
        ("1,234,567.5", 1234567.5),
        ("1.234,5", 1234.5),
        ("1 234", 1234.0),
        ("12 %", 12.0),
        ("€ 1,200.50", 1200.5),
        ("99 EUR", 99.0),
        ("0x1F", 31.0),
        ("41 years", 41.0),
        ("12,5 km/h", 12.5),
        ("-3°C", -3.0),
    ],
)
def test_the_number_in_a_text(text: str, number: float):
    assert dict(shape_of({text: 3}).numbers) == {number: 3}


@pytest.mark.parametrize(
    "text", ["married", "1-5", "12 34 x", "2026-01-05", "10:30", "N/A", "[1]", "", "1.2.3", "e5"]
)
def test_texts_that_hold_no_number(text: str):
    assert not shape_of({text: 1}).numbers


def test_the_commonest_shape_wins_and_says_its_share():
    found = shape_of({"41 years": 6, "42 years": 3, "oops": 1})
    assert (found.says, found.share, found.example) == ("numbers with a unit", 0.9, "41 years")


def test_texts_of_no_common_shape_are_just_texts():
    assert shape_of({"41": 1, "a": 1, "b": 1}).says == "texts"


def test_the_unit_is_the_commonest_one():
    assert unit_in({"41 kg": 5, "42 lb": 1, "none": 9}) == "kg"
    assert unit_in({"none": 9}) is None


def test_the_share_of_plain_numbers():
    assert numeric_share({"1": 3, "x": 1}) == 0.75
