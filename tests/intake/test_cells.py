"""Decoded values become typed cells; each kind of missing keeps its name, and nothing overflows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from msgspec import UNSET

from service.intake.cells import (
    extra_column,
    number_cell,
    number_column,
    odd_texts,
    plain_numbers,
    text_column,
)
from service.messages import NOT_APPLICABLE, Missing, TextColumn
from service.sketches.cells import count_missing, kinds_of

HUGE = 10**400


def decoded(column: TextColumn) -> list[str | int]:
    """What each row of a text column holds."""
    return [column.values[code] for code in column.codes]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, Missing.NULL), (UNSET, Missing.ABSENT), (math.nan, Missing.NAN), (-math.nan, Missing.NAN),
        (math.inf, Missing.INFINITE),
        (-math.inf, Missing.INFINITE), (HUGE, Missing.INFINITE), (-HUGE, Missing.INFINITE),
        ("", Missing.EMPTY), ("1.0", Missing.WRONG_TYPE),
        (True, Missing.WRONG_TYPE), (False, Missing.WRONG_TYPE), ([], Missing.WRONG_TYPE),
        ({}, Missing.WRONG_TYPE),
    ],
)  # fmt: skip
def test_a_missing_number_names_its_kind(value: Any, kind: Missing) -> None:
    assert kinds_of(np.array([number_cell(value)])).tolist() == [kind]
    counted = count_missing(number_column([1.0, value], 2)[None, :])
    assert counted is not None
    assert (counted[0, kind], counted.sum()) == (1, 1)


@pytest.mark.parametrize("value", [0.0, -0.0, 5e-324, 1e308, 7, 2**64, -(2**70), 10**308])
def test_a_number_is_itself(value: float) -> None:
    assert number_cell(value) == float(value)
    assert number_column([value], 1).tolist() == [float(value)]


@pytest.mark.parametrize(
    "values", [[1.0, None], [1, True], [1.0, "1"], [math.nan], [math.inf, 1.0], [HUGE, 1], [[]]]
)
def test_only_finite_numbers_are_plain(values: list[Any]) -> None:
    assert plain_numbers(values) is None
    assert plain_numbers([1, 2.5, 2**64]) is not None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("DE", "DE"), (1, "1"), (1.0, "1"), (1.5, "1.5"), (-0.0, "0"), (True, "true"), (False, "false"),
        (2**63, "9.223372036854776e+18"),
        (2**63 - 1, "9223372036854775807"), (1e300, "1e+300"), ("a\0b", "a\ufffdb"), ("NaN", "NaN"),
        ("null", "null"), (" ", " "),
    ],
)  # fmt: skip
def test_every_scalar_has_one_text(value: Any, text: str) -> None:
    assert decoded(text_column([value])) == [text]
    assert decoded(text_column([value, "other", value])) == [text, "other", text]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, Missing.NULL), (UNSET, Missing.ABSENT), ("", Missing.EMPTY), (math.nan, Missing.NAN),
        (math.inf, Missing.INFINITE), (HUGE, Missing.INFINITE),
        ([], Missing.WRONG_TYPE), ({"a": 1}, Missing.WRONG_TYPE),
    ],
)  # fmt: skip
def test_a_missing_text_names_its_kind(value: Any, kind: Missing) -> None:
    assert decoded(text_column([value, "DE", 5])) == [kind, "DE", "5"]
    assert decoded(text_column([UNSET], NOT_APPLICABLE)) == [NOT_APPLICABLE]


def test_long_texts_are_cut_and_stay_different() -> None:
    one, other = decoded(text_column(["x" * 5_000 + "1", "x" * 5_000 + "2"]))
    assert one != other
    assert len(str(one)) == len(str(other)) == 200


def test_only_texts_and_truth_values_are_odd_among_numbers() -> None:
    odd = odd_texts([1.0, "high", True, None, "", [], UNSET])
    assert odd is not None
    assert odd.texts is not None
    assert decoded(odd.texts) == [NOT_APPLICABLE, "high", "true"] + [NOT_APPLICABLE] * 4
    assert odd_texts([1.0, None, "", []]) is None


@pytest.mark.parametrize(
    "values",
    [[1, 2.5], ["a", None], [1, "a"], [UNSET, 1], [UNSET, "a", True, [], None, "", 1.5, HUGE, math.nan]],
)
def test_a_column_of_unknown_kind_has_each_row_once(values: list[Any]) -> None:
    column = extra_column(values)
    for i, value in enumerate(values):
        number = math.nan if column.numbers is None else column.numbers[i]
        text = NOT_APPLICABLE if column.texts is None else decoded(column.texts)[i]
        if isinstance(value, int | float) and not isinstance(value, bool):
            assert text == NOT_APPLICABLE
            assert column.numbers is not None
            assert not math.isnan(number) or kinds_of(column.numbers[i : i + 1])[0] in {
                Missing.NAN,
                Missing.INFINITE,
            }
        else:
            assert math.isnan(number)
            assert (text == NOT_APPLICABLE) == (value is UNSET)


def test_nothing_missing_is_no_counts() -> None:
    assert count_missing(np.ones((2, 3))) is None
