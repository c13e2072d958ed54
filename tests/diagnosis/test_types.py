"""Another type in a column is named, with an example, and read back where it can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from service.diagnosis.types import diagnose_type
from service.messages import Cause
from tests.diagnosis.slices import drawn, grid_of, normal, one_of, pair_of

AGES = [round(40 + 10 * x, 1) for x in normal(4_000, 1)]
NOW = [round(40 + 10 * x, 1) for x in normal(400, 2)]


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ([str(x) for x in NOW], "digits as text"),
        ([f"{x} years" for x in NOW], "numbers with the unit 'years'"),
        ([f"{x}kg" for x in NOW], "numbers with the unit 'kg'"),
        ([str(x).replace(".", ",") for x in NOW], "numbers with a decimal comma"),
        ([f"{x} %" for x in NOW], "numbers with a percent sign"),
        ([f"${x}" for x in NOW], "amounts of money"),
    ],
)
def test_numbers_as_text_are_read_back(texts: list[str], kind: str):
    (found,) = diagnose_type(*_views(AGES, texts))
    assert found.cause is Cause.TYPE_CHANGE
    assert found.confidence > 0.95
    assert f"is text where numbers were, in every row: {kind}" in found.sentence
    assert "such as '" in found.sentence
    assert "read as numbers they fit the reference" in found.sentence


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["true", "false"] * 200, "truth values"),
        (["2026-01-05", "2026-01-06T10:00:00Z"] * 200, "dates or times"),
        (["[1, 2]"] * 400, "lists or objects as text"),
        (["N/A"] * 400, "placeholders"),
        (["tall", "short"] * 200, "texts"),
    ],
)
def test_what_is_no_number_is_named(texts: list[str], kind: str):
    (found,) = diagnose_type(*_views(AGES, texts))
    assert f": {kind}, such as" in found.sentence
    assert "they fit" not in found.sentence


def test_thousands_with_a_separator_are_read():
    amounts = [round(50_000 + 20_000 * abs(x), 2) for x in normal(3_000, 1)]
    (found,) = diagnose_type(*_views(amounts, [f"{x:,.2f}" for x in amounts[:300]]))
    assert "a thousands separator" in found.sentence
    assert "they fit" in found.sentence


def test_texts_in_a_share_of_the_rows_say_their_share():
    mixed = [f"{x:g} years" if i % 10 < 3 else x for i, x in enumerate(NOW)]
    (found,) = diagnose_type(*_views(AGES, mixed))
    assert "in 30 % of the rows" in found.sentence
    assert found.evidence["rows_share"] == pytest.approx(0.3)


def test_texts_that_are_not_the_column_s_numbers_are_not_said_to_fit():
    (found,) = diagnose_type(*_views(AGES, [str(1_000 + i) for i in range(400)]))
    assert "they fit" not in found.sentence
    assert found.evidence["distance_once_read"] == pytest.approx(1.0)


def test_a_truth_value_of_json_where_numbers_were():
    (found,) = diagnose_type(*_views(AGES, [True, False] * 200))
    assert "truth values, such as" in found.sentence


def test_lists_and_objects_are_counted_without_an_example():
    (found,) = diagnose_type(*_views(AGES, [*NOW, *[{"a": 1}] * 100]))
    assert "neither number nor text in 20 % of the rows" in found.sentence


def test_numbers_where_words_were():
    words = drawn({"red": 0.5, "green": 0.5}, 3_000, 1)
    ids = np.random.default_rng(2).integers(0, 10_000, 300).tolist()
    (found,) = diagnose_type(*_views(words, ids))
    assert "holds numbers where words were, in every row" in found.sentence
    assert found.confidence > 0.9


def test_a_few_numbers_for_words_may_be_codes_for_them():
    words = drawn({"red": 0.5, "green": 0.3, "blue": 0.2}, 3_000, 1)
    (found,) = diagnose_type(*_views(words, [0, 1, 2] * 100))
    assert found.confidence < 0.7
    assert found.alternatives == ("the words were given codes",)


def test_digits_that_were_always_text_are_no_change():
    codes = drawn({"1": 0.5, "2": 0.5}, 3_000, 1)
    assert not diagnose_type(*_views(codes, drawn({"1": 0.4, "2": 0.5, "3": 0.1}, 300, 2)))


def test_a_column_that_always_held_some_texts_has_not_changed():
    mixed: list[Any] = [*AGES, *["unknown"] * 400]
    grid = grid_of({"value": AGES})
    reference = one_of(mixed, grid)
    assert not diagnose_type(reference, None, one_of([*NOW, *["unknown"] * 40], grid))
    assert diagnose_type(reference, None, one_of([*NOW, *["unknown"] * 140], grid))


def test_usual_numbers_have_not_changed_their_type():
    assert not diagnose_type(*_views(AGES, NOW))


def _views(reference: list[Any], current: list[Any]) -> tuple[Any, None, Any]:
    before, now = pair_of(reference, current)
    return before, None, now
