"""Every parser takes what a person means and otherwise says what to write."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.monitor import Task
from service.parsers import (
    any_of,
    choice,
    duration,
    listed,
    matching,
    member,
    nearest,
    number,
    shown,
    suggestion,
    truth,
    whole,
    word,
)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (duration(0, 60_000), "1m", 60_000),
        (number(0, 1), "0.25", 0.25),
        (number(0, 1), "1e-3", 0.001),
        (whole(1, 100_000), "50_000", 50_000),
        (choice("PLAINTEXT", "SSL"), "ssl", "SSL"),
        (member(Task), "Binary", Task.BINARY),
        (truth, "true", True),
        (truth, "False", False),
    ],
)
def test_a_good_text_becomes_its_value(parse: Callable[[str], object], text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "advice"),
    [
        (duration(0, 60_000), "1 min", "write a duration such as 5m, 1h or 30s"),
        (duration(1_000, 60_000), "2m", "write 1s to 1m"),
        (number(0, 1), "nan", "write a number from 0 to 1"),
        (number(0, 1), "inf", "write a number from 0 to 1"),
        (number(0, 1), "one", "write a number from 0 to 1"),
        (whole(1, 9), "1.5", "write a whole number from 1 to 9"),
        (whole(1, 9), "-1", "write a whole number from 1 to 9"),
        (whole(1, 9), "\u0663", "write a whole number from 1 to 9"),
        (whole(1, 9), "9" * 5_000, "write a whole number from 1 to 9"),
        (member(Task), "binry", "did you mean 'binary'?"),
        (truth, "1", "write true or false"),
        (word, "two words", "write up to 200 characters without spaces"),
        (matching("[0-9]{1,3}", "write digits"), "1a", "write digits"),
    ],
)
def test_a_bad_text_is_told_what_to_write(parse: Callable[[str], object], text: str, advice: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert str(caught.value) == advice


def test_messages_quote_hostile_text_escaped_and_short() -> None:
    assert shown("a\u202e\ud800") == r"'a\u202e\ud800'"
    assert len(shown("x" * 1_000)) == 62


def test_words_are_listed_as_in_a_sentence() -> None:
    assert any_of(["a"]) == "a"
    assert any_of(["a", "b", "c"]) == "a, b or c"
    assert suggestion("zebra", ["a", "b"]) == "write a or b"


def test_a_list_holds_each_of_its_items_once() -> None:
    assert listed(word)(" b, a,b,, ") == ("b", "a")


# ---------------------------------------------------------------- what was meant
NAMES = ("churn", "fraud/EU", "Straße")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("chrun", "churn"),
        ("CHURN", "churn"),
        ("churn ", "churn"),
        ("fraud-eu", "fraud/EU"),
        ("strasse", "Straße"),
        ("churn", None),
        ("weather", None),
        ("", None),
        ("churn" * 100, None),
    ],
)
def test_the_nearest_name_is_meant_if_any_is_near(written: str, meant: str | None) -> None:
    assert nearest(written, NAMES) == meant
