"""Names from events are hostile; what `clean_name` lets through can be shown, stored and compared."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.names import LONGEST_NAME, clean_name


def test_a_clean_name_stays_the_very_same_object() -> None:
    name = "customer age (years)"
    assert clean_name(name) is name


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("größe", "größe"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\tb\nc\x00\x7f", "abc"),
        ("a\x85b", "ab"),
        ("a\u202eb\u2066c", "abc"),
        ("a\u200b\ufeff\u00adb", "ab"),
        ("a\u2028b\u2029c", "abc"),
        ("a\ud800b", "ab"),
        ("日本 \U0001f600", "日本 \U0001f600"),
    ],
)
def test_invisible_characters_go_and_the_rest_is_composed(text: str, cleaned: str) -> None:
    assert clean_name(text) == cleaned


@pytest.mark.parametrize("text", ["", "\n", "\u202e\u200b", "\ud800"])
def test_a_text_of_which_nothing_is_left_is_no_name(text: str) -> None:
    assert clean_name(text) is None


def test_a_name_has_at_most_200_characters_after_cleaning() -> None:
    assert clean_name("x" * LONGEST_NAME) is not None
    assert clean_name("ü" * LONGEST_NAME) is not None
    assert clean_name("x" * LONGEST_NAME + "\n") is not None
    assert clean_name("x" * (LONGEST_NAME + 1)) is None
    assert clean_name("ü" * (LONGEST_NAME + 1)) is None
    assert clean_name("\n" * 1_000_000 + "x") is None


def test_a_name_has_at_most_450_bytes_so_that_an_index_holds_the_longest_keys() -> None:
    assert clean_name("漢" * 150) is not None
    assert clean_name("漢" * 151) is None


@given(st.text(st.characters(codec=None), max_size=300))
def test_what_is_cleaned_is_clean_and_stays_as_it_is(text: str) -> None:
    name = clean_name(text)
    if name is not None:
        assert clean_name(name) == name
        assert 0 < len(name) <= LONGEST_NAME
        assert unicodedata.is_normalized("NFC", name)
        assert {unicodedata.category(mark) for mark in name}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
        name.encode()
