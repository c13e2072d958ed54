"""Faults of texts: the exact categories that arrive."""

from __future__ import annotations

import re

import pytest

from service.errors import ConfigurationError
from service.injection.fault import Fault
from service.injection.texts import CategoryCase, CategoryMix, Encoding, NewCategory, Whitespace
from tests.injection.logs import faulted, feature, rows

SIX = rows(6)
PLAIN = ["FR", "DE", "DE", "FR", "DE", "DE"]


def countries(fault: Fault, minute: float = 0.0) -> list[str]:
    """What becomes of them."""
    return feature(faulted(fault, SIX, minute=minute), "country")


def test_the_letters_are_those_that_change_most_unless_said() -> None:
    assert countries(CategoryCase("country"), minute=3) == ["FR", "DE", "DE", "fr", "de", "de"]
    assert countries(CategoryCase("country", "title")) == ["Fr", "De", "De", "Fr", "De", "De"]
    lower = rows(2, country="de")
    assert feature(faulted(CategoryCase("country"), lower), "country") == ["DE", "DE"]


def test_a_text_that_stays_the_same_leaves_its_event_as_it_was() -> None:
    made = faulted(CategoryCase("country", "upper"), SIX)
    assert made == faulted(CategoryCase("country", "upper"), SIX, minute=100)


@pytest.mark.parametrize(("how", "made"), [("trailing", "DE "), ("leading", " DE"), ("both", " DE ")])
def test_spaces_stand_where_they_should(how: str, made: str) -> None:
    assert countries(Whitespace("country", how))[1] == made  # type: ignore[arg-type]


def test_an_encoding_is_by_frequency_or_by_a_map() -> None:
    assert countries(Encoding("country")) == ["c1", "c0", "c0", "c1", "c0", "c0"]
    assert countries(Encoding("country", "DE=Germany,XX=Y")) == [
        "FR",
        "Germany",
        "Germany",
        "FR",
        "Germany",
        "Germany",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("DE", "--map has 'DE'; write pairs such as DE=Germany,FR=France"),
        ("DE=Germany,=x", "--map has ''; write pairs such as DE=Germany,FR=France"),
        ("XX=Y", "--map names no category of 'country', which has DE, FR"),
    ],
)
def test_a_map_that_cannot_be_used_is_said(text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(sentence)}$"):
        countries(Encoding("country", text))


def test_a_new_category_is_new() -> None:
    assert countries(NewCategory("country", "XX")) == ["XX"] * 6
    with pytest.raises(
        ConfigurationError, match="'DE' is a category of 'country' already; name another --value"
    ):
        countries(NewCategory("country", "DE"))


def test_a_mix_grows_a_known_category() -> None:
    assert countries(CategoryMix("country", "DE")) == ["DE"] * 6
    assert countries(CategoryMix("country")) == ["FR"] * 6
    with pytest.raises(
        ConfigurationError, match="'XX' is no category of 'country'; for a new one use new-category"
    ):
        countries(CategoryMix("country", "XX"))


@pytest.mark.parametrize(
    "fault",
    [
        CategoryCase("amount"),
        Whitespace("amount"),
        Encoding("amount"),
        NewCategory("amount"),
        CategoryMix("amount"),
    ],
)
def test_numbers_are_no_texts(fault: Fault) -> None:
    expected = f"^feature 'amount' holds no texts, which {fault.name} needs; take 'country'$"
    with pytest.raises(ConfigurationError, match=expected):
        countries(fault)
    assert countries(CategoryMix("country"), minute=100) == PLAIN
