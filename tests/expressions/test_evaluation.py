"""A rule says of each row of columns what plain Python says of the row alone, or that it cannot be told."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from simpleeval import FeatureNotAvailable

from service.expressions.columns import Operand, Texts
from service.expressions.evaluation import judge
from service.expressions.parsing import Expression, parse_expression

Row = Mapping[str, float | str | None]
KEPT, BROKEN, UNTOLD = 0.0, 1.0, None


def operand(values: list[float | str | None], *, texts: bool) -> Operand:
    """A column of these values."""
    if not texts:
        return Operand(np.array([np.nan if v is None else v for v in values], np.float64))
    distinct = list(dict.fromkeys(values))
    codes = np.array([distinct.index(v) for v in values], np.int32)
    return Operand(texts=Texts(codes, distinct))  # type: ignore[arg-type]


def judged(check: str, rows: list[Row], texts: tuple[str, ...] = ()) -> list[float | None]:
    """What the rule says of each row; None where it cannot tell."""
    columns = {name: operand([row[name] for row in rows], texts=name in texts) for name in rows[0]}
    said = judge(parse_expression(check), lambda name: columns.get(name, Operand()), len(rows))
    return [None if math.isnan(one) else one for one in said.tolist()]


# ---------------------------------------------------------------- against plain Python
Value = tuple[str, Callable[[Row], float | str | None]]
Truth = tuple[str, Callable[[Row], bool | None]]

NUMBERS, TEXTS = ("a", "b", "c"), ("s", "t")
COMPARISONS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
CALCULATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}

few_numbers = st.sampled_from([-2.5, -1.0, 0.0, 0.5, 1.0, 3.0, 1e200])
few_texts = st.sampled_from(["", "x", "y", "yes", "3", "true"])


def calculated(do: Callable[..., float], *values: float | str | None) -> float | None:
    """The number, None where one is missing or the result is none."""
    if any(value is None or isinstance(value, str) for value in values):
        return None
    try:
        made = do(*values)
    except ZeroDivisionError:
        return None
    return made if math.isfinite(made) else None


def kleene_and(said: list[bool | None]) -> bool | None:
    return False if False in said else None if None in said else True


def negated(said: bool | None) -> bool | None:
    return None if said is None else not said


def compared(
    compare: Callable[[Any, Any], bool], x: float | str | None, y: float | str | None
) -> bool | None:
    if x is None or y is None or isinstance(x, str) != isinstance(y, str):
        return None
    return compare(x, y)


fields: st.SearchStrategy[Value] = st.sampled_from(NUMBERS).map(lambda name: (name, lambda row: row[name]))
constants: st.SearchStrategy[Value] = few_numbers.map(lambda x: (f"({x!r})", lambda _: x))


def both_sides(parts: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    def binary(op: str, x: Value, y: Value) -> Value:
        return f"({x[0]} {op} {y[0]})", lambda row: calculated(CALCULATIONS[op], x[1](row), y[1](row))

    def call(name: str, x: Value, y: Value) -> Value:
        do = {"min": min, "max": max}[name]
        return f"{name}({x[0]}, {y[0]})", lambda row: calculated(do, x[1](row), y[1](row))

    return (
        st.builds(binary, st.sampled_from(sorted(CALCULATIONS)), parts, parts)
        | st.builds(call, st.sampled_from(["min", "max"]), parts, parts)
        | parts.map(lambda x: (f"abs({x[0]})", lambda row: calculated(abs, x[1](row))))
        | parts.map(lambda x: (f"-{x[0]}", lambda row: calculated(operator.neg, x[1](row))))
    )


numbers = st.recursive(fields | constants, both_sides, max_leaves=4)
texts: st.SearchStrategy[Value] = st.sampled_from(TEXTS).map(
    lambda name: (name, lambda row: row[name])
) | few_texts.map(lambda text: (repr(text), lambda _: text))


@st.composite
def comparisons(draw: st.DrawFn) -> Truth:
    side = draw(st.sampled_from([numbers, texts]))
    sides = draw(st.lists(side, min_size=2, max_size=3))
    ops = [draw(st.sampled_from(sorted(COMPARISONS))) for _ in sides[1:]]
    text = " ".join([sides[0][0], *(f"{op} {y[0]}" for op, y in zip(ops, sides[1:], strict=True))])
    triples = list(zip(sides, ops, sides[1:], strict=False))
    return f"({text})", lambda row: kleene_and(
        [compared(COMPARISONS[op], x[1](row), y[1](row)) for x, op, y in triples]
    )


@st.composite
def memberships(draw: st.DrawFn) -> Truth:
    name, items = draw(
        st.tuples(st.sampled_from(NUMBERS), st.lists(few_numbers, min_size=1, max_size=3))
        | st.tuples(st.sampled_from(TEXTS), st.lists(few_texts, min_size=1, max_size=3))
    )
    word = draw(st.sampled_from(["in", "not in"]))

    def said(row: Row) -> bool | None:
        found = None if row[name] is None else row[name] in items
        return found if word == "in" else negated(found)

    return f"({name} {word} {items!r})", said


missing: st.SearchStrategy[Truth] = st.sampled_from([*NUMBERS, *TEXTS]).map(
    lambda name: (f"missing({name})", lambda row: row[name] is None)
)


def combined(parts: st.SearchStrategy[Truth]) -> st.SearchStrategy[Truth]:
    def conjunction(x: Truth, y: Truth) -> Truth:
        return f"({x[0]} and {y[0]})", lambda row: kleene_and([x[1](row), y[1](row)])

    def disjunction(x: Truth, y: Truth) -> Truth:
        return f"({x[0]} or {y[0]})", lambda row: negated(
            kleene_and([negated(x[1](row)), negated(y[1](row))])
        )

    return (
        st.builds(conjunction, parts, parts)
        | st.builds(disjunction, parts, parts)
        | parts.map(lambda x: (f"(not {x[0]})", lambda row: negated(x[1](row))))
    )


truths = st.recursive(comparisons() | memberships() | missing, combined, max_leaves=4)
rows_of_values = st.lists(
    st.fixed_dictionaries(
        {name: st.none() | few_numbers for name in NUMBERS} | {name: st.none() | few_texts for name in TEXTS}
    ),
    min_size=1,
    max_size=6,
)


@given(truths, rows_of_values)
@example(("(a / b) > (0.0)", lambda _: None), [{"a": 1.0, "b": 0.0, "c": None, "s": None, "t": None}])
def test_columns_say_what_plain_python_says_of_each_row(truth: Truth, rows: list[Row]) -> None:
    check, said = truth
    if not any(name in check for name in (*NUMBERS, *TEXTS)):
        return
    try:
        parse_expression(check)
    except ValueError as too_much:
        assert "names no feature" in str(too_much) or "nested" in str(too_much)  # noqa: PT017 - a rare draw
        return
    expected = [{True: KEPT, False: BROKEN, None: UNTOLD}[said(row)] for row in rows]
    assert judged(check, rows, TEXTS) == expected


# ---------------------------------------------------------------- what is told of what is missing
def test_a_missing_operand_leaves_it_open_unless_the_rest_decides() -> None:
    rows: list[Row] = [
        {"loan": "yes", "balance": None},
        {"loan": None, "balance": 5.0},
        {"loan": None, "balance": -5.0},
        {"loan": "no", "balance": -5.0},
        {"loan": "no", "balance": None},
    ]
    assert judged("loan == 'yes' or balance >= 0", rows, ("loan",)) == [KEPT, KEPT, UNTOLD, BROKEN, UNTOLD]


def test_a_field_that_nobody_has_heard_of_can_only_be_missing() -> None:
    assert judged("nobody > 1", [{"a": 1.0}]) == [UNTOLD]
    assert judged("missing(nobody)", [{"a": 1.0}, {"a": 2.0}]) == [KEPT, KEPT]


def test_whether_a_field_is_missing_cannot_be_told_of_a_row_that_does_not_speak_of_it() -> None:
    score = Operand(np.array([0.5, np.nan, np.nan]), silent=np.array([False, False, True]))
    said = judge(parse_expression("not missing(score)"), lambda _: score, 3)
    assert said.tolist()[:2] == [KEPT, BROKEN]
    assert math.isnan(said[2])


def test_a_number_is_held_against_texts_as_events_spell_it() -> None:
    rows: list[Row] = [{"zip": "5"}, {"zip": "05"}, {"zip": "0.5"}]
    assert judged("zip == 5", rows, ("zip",)) == [KEPT, BROKEN, BROKEN]
    assert judged("zip in [5, 0.5]", rows, ("zip",)) == [KEPT, BROKEN, KEPT]


def test_a_column_of_numbers_is_never_held_against_a_text() -> None:
    assert judged("a == '1'", [{"a": 1.0}]) == [UNTOLD]
    assert judged("a < s", [{"a": 1.0, "s": "2"}], ("s",)) == [UNTOLD]


def test_truth_values_are_texts() -> None:
    assert judged("s == True", [{"s": "true"}, {"s": "false"}], ("s",)) == [KEPT, BROKEN]


def test_a_feature_whose_name_is_no_word_is_named_in_quotes() -> None:
    assert judged("feature('capital-gain') >= 0", [{"capital-gain": -1.0}]) == [BROKEN]


def test_a_column_of_numbers_and_texts_is_each_row_what_it_holds() -> None:
    mixed = Operand(np.array([1.0, np.nan, np.nan]), Texts(np.array([0, 1, 0], np.int32), [None, "x"]))
    said = judge(parse_expression("m == 1 or m == 'x'"), lambda _: mixed, 3).tolist()
    assert said[:2] == [KEPT, KEPT]
    assert math.isnan(said[2])


# ---------------------------------------------------------------- the second wall
@pytest.mark.parametrize("text", ["a ** 2", "a.real", "[x for x in a]", "(lambda: 1)()", "a[0]", "f'{a}'"])
def test_what_parsing_would_refuse_is_not_evaluated_either(text: str) -> None:
    smuggled = Expression(text, ast.parse(text, mode="eval").body, frozenset("a"))
    with pytest.raises((FeatureNotAvailable, KeyError)):
        judge(smuggled, lambda _: Operand(np.array([1.0])), 1)
