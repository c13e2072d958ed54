"""Names that people would take for each other are alike."""

from __future__ import annotations

import pytest

from service.diagnosis.name_similarity import name_similarity


@pytest.mark.parametrize(
    ("old", "new"),
    [("vicprice", "vic_price"), ("userEmail", "user_email"), ("AMOUNT", "amount"), ("ip2", "ip_2")],
)
def test_another_spelling_is_the_same(old: str, new: str):
    assert name_similarity(old, new) == 1.0


@pytest.mark.parametrize(("old", "new"), [("email", "user_email"), ("distance_from_office", "distance")])
def test_one_word_more_or_less_is_alike(old: str, new: str):
    assert 0.8 < name_similarity(old, new) < 1.0
    assert name_similarity(old, new) == name_similarity(new, old)


@pytest.mark.parametrize(
    ("old", "new"), [("age", "balance"), ("temp", "hum"), ("x", "max_x"), ("é", "ü"), ("a", "b")]
)
def test_other_names_are_not(old: str, new: str):
    assert name_similarity(old, new) < 0.6
