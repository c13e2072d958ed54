"""Texts that nobody saw before are counted, shown safely, and told from a rare text of many."""

from __future__ import annotations

from service.diagnosis.texts import diagnose_text
from service.messages import Cause
from tests.diagnosis.slices import drawn, grid_of, one_of, pair_of

KINDS = {"a": 0.5, "b": 0.3, "c": 0.2}


def test_the_most_frequent_of_many_new_texts_are_listed():
    current = drawn(KINDS, 800, 2) + ["x"] * 100 + ["y"] * 90 + ["z"] * 5 + ["w"] * 5
    reference, now = pair_of(drawn(KINDS, 5_000, 1), current)
    found = diagnose_text(reference, None, now)[0]
    assert found.cause is Cause.NEW_CATEGORY
    assert "4 new texts in 20 % of the rows, most often 'x' in 10 % of the rows" in found.sentence


def test_a_hostile_text_is_shown_without_what_does_not_print():
    hostile = "\u202eevil\n" + "x" * 500
    reference, now = pair_of(drawn(KINDS, 5_000, 1), drawn(KINDS, 90, 2) + [hostile] * 10)
    sentence = diagnose_text(reference, None, now)[0].sentence
    assert sentence.isprintable()
    assert len(sentence) < 150


def test_a_text_that_can_only_mean_no_value_is_a_default_and_no_category():
    reference, now = pair_of(drawn(KINDS, 5_000, 1), drawn(KINDS, 900, 2) + ["N/A"] * 100)
    found = diagnose_text(reference, None, now)[0]
    assert found.cause is Cause.DEFAULT_FILL
    assert found.alternatives == ("'N/A' is a new category",)


def test_in_a_column_of_countless_texts_a_new_one_is_no_news():
    reference = [f"order {i}" for i in range(3_000)]
    current = [f"order {i}" for i in range(2_500, 3_500)]
    before, now = pair_of(reference, current)
    assert Cause.NEW_CATEGORY not in {one.cause for one in diagnose_text(before, None, now)}


def test_texts_that_only_the_rows_before_had_are_usual_and_a_newer_one_is_news():
    usual = drawn({"old": 1.0}, 3_000, 1)
    grid = grid_of({"value": usual})
    before = one_of(drawn({"old": 0.2, "newer": 0.8}, 1_000, 2), grid)
    now = one_of(drawn({"old": 0.2, "newer": 0.7, "newest": 0.1}, 1_000, 3), grid)
    found = diagnose_text(one_of(usual, grid), before, now)[0]
    assert found.cause is Cause.NEW_CATEGORY
    assert "'newest' in" in found.sentence
    assert "'newer'" not in found.sentence
