"""Two ways to write one text are told, and two texts stay two."""

from __future__ import annotations

import unicodedata

import pytest

from service.diagnosis.rewriting import renaming, rewriting


@pytest.mark.parametrize(
    ("old", "new", "how"),
    [
        ("married", "MARRIED", "in upper case"),
        ("Married", "married", "in lower case"),
        ("north west", "North West", "in other letter case"),
        ("yes", " yes ", "with other spaces"),
        ("café", unicodedata.normalize("NFD", "café"), "in another Unicode form"),
        ("60K+ €", "60K+ €".encode().decode("cp1252"), "as UTF-8 read in another character set"),
        ("R&D", "R&amp;D", "with escapes"),
        ("new york", "new%20york", "with escapes"),
        ("yes", '"yes"', "in quotes"),
        ("1", "1.0", "in another number format"),
        ("07", "7", "in another number format"),
        ("Málaga", "malaga", "without accents"),
        ("self-employed", "self_employed", "with other separators"),
        ("self-employed", "SELF EMPLOYED", "with other separators"),
    ],
)
def test_the_same_text_written_otherwise(old: str, new: str, how: str):
    assert rewriting(old, new) == how


@pytest.mark.parametrize(
    ("old", "new"), [("1-5", "15"), ("1.5", "15"), ("-1", "1"), ("yes", "no"), ("a", "b"), ("10", "1")]
)
def test_other_texts_are_not_the_same(old: str, new: str):
    assert rewriting(old, new) is None


@pytest.mark.parametrize(
    ("old", "new", "how"),
    [
        ("true", "1", "as another word for the same"),
        ("yes", "Y", "as another word for the same"),
        ("married", "mar", "cut off"),
        ("married", "M", "cut off"),
        ("US", "USA", "with something added"),
        ("New South Wales", "NSW", "as initials"),
    ],
)
def test_what_could_stand_for_a_text_by_its_letters(old: str, new: str, how: str):
    assert renaming(old, new) == how


@pytest.mark.parametrize(
    ("old", "new"), [("yes", "no"), ("true", "0"), ("jun", "jul"), ("clerk", "nurse"), ("no", "no")]
)
def test_what_could_not(old: str, new: str):
    assert renaming(old, new) is None
