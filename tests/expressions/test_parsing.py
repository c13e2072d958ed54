"""A rule is read when it is one, and else refused at once, with a sentence that says what to write instead."""

from __future__ import annotations

import ast
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.expressions.parsing import MOST_CHARACTERS, parse_expression


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("loan == 'yes' or balance >= 0", {"loan", "balance"}),
        ("not (a < b <= 2 * abs(c - 1) / 3)", {"a", "b", "c"}),
        ("country in ['DE', 'FR'] or country not in ('US',)", {"country"}),
        ("missing(duration) or max(duration, 0, -x) == duration", {"duration", "x"}),
        ("feature('capital-gain') >= 0 and missing(feature('a b'))", {"capital-gain", "a b"}),
        ("  active == True ", {"active"}),
        ("delta in [-1, +1, 0.5]", {"delta"}),
        ("missing == min", {"missing", "min"}),
    ],
)
def test_a_rule_speaks_of_the_fields_that_it_names(text: str, names: set[str]) -> None:
    assert parse_expression(text).names == names


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("__import__('os').system('true') == 0", "attributes (a dot after a name) are not allowed"),
        ("__import__('os') == 0", "'__import__' cannot be called"),
        ("open('/etc/passwd') == ''", "'open' cannot be called"),
        ("().__class__ == 1", "attributes (a dot after a name) are not allowed"),
        ("9 ** 9 ** 9 ** 9 > a", "powers (**) are not allowed"),
        ("a << 99999 > 1", "LShift is not allowed"),
        ("'x' * 999999999 == a or b % 2 == 0", "remainders (%) are not allowed"),
        ("[b for b in a] == 1", "ListComp is not allowed"),
        ("(lambda: a)() == 1", "functions (lambda) are not allowed"),
        ("a[0] > 1", "subscripts are not allowed"),
        ("f'{a}' == 'x'", "f-strings are not allowed"),
        ("(b := a) > 1", "assignments are not allowed"),
        ("a if b > 1 else c", "'if' is not allowed"),
        ("a is None", "'is' is not allowed: missing(x) says whether a value is missing"),
        ("(a > 1) & (b > 1)", "'&' is not allowed"),
        ("~a > 1", "'~' is not allowed"),
        ("max(*a, 2) > 1", "Starred is not allowed"),
        ("a = 1", "it cannot be read (invalid syntax)"),
        ("a > 1; b > 1", "it cannot be read (invalid syntax)"),
        ("import os", "it cannot be read (invalid syntax)"),
        ("", "it cannot be read (invalid syntax)"),
        ("a > '\\x41'", "backslashes are not allowed"),
        ("a >\0 1", "it cannot be read"),
        ("a > '\ud800'", "it cannot be read"),
        ("a", "'a' is a value where yes or no is wanted"),
        ("a + 1", "'a + 1' is a value where yes or no is wanted"),
        ("a > 1 or 7", "'7' is a value where yes or no is wanted"),
        ("not a", "'a' is a value where yes or no is wanted"),
        ("(a > 1) > 0", "'a > 1' is yes or no where a value is wanted"),
        ("abs(not a > 1) > 0", "is yes or no where a value is wanted"),
        ("1 < 2", "it names no feature"),
        ("a in b", "write a list of values after 'in'"),
        ("a in []", "write a list of values after 'in'"),
        ("a in [b]", "a list after 'in' holds texts and numbers only"),
        ("a in [-'x']", "a list after 'in' holds texts and numbers only"),
        ("a == None", "'None' is neither a number nor a text"),
        ("a == 1j", "'1j' is neither a number nor a text"),
        ("a == b'x'", "is neither a number nor a text"),
        ("a > 1e999", "a number in it is too large"),
        (f"a > {'9' * 400}", "a number in it is too large"),
        ("min(a) > 1", "min() takes 2 to 20 values"),
        ("abs(a, b) > 1", "abs() takes 1 value"),
        ("missing(x=a)", "missing() takes 1 value"),
        ("missing(1)", "missing() takes a feature"),
        ("missing(a + b)", "missing() takes a feature"),
        ("feature(a) > 1", "feature() takes a feature's name in quotes"),
    ],
)
def test_what_is_no_rule_is_refused_with_advice(text: str, advice: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_expression(text)
    assert str(refused.value).startswith(advice) or advice in str(refused.value)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("(" * 10_000 + "a > 1" + ")" * 10_000, f"it has 20005 characters: write at most {MOST_CHARACTERS}"),
        ("(" * 240 + "a > 1" + ")" * 240, "it cannot be read (too many nested parentheses)"),
        ("-" * 400 + "a > 1", "it is nested deeper than 20 levels: write less"),
        ("not " * 100 + "a > 1", "it is nested deeper than 20 levels: write less"),
        ("a" + "+a" * 200 + " > 1", "it is nested deeper than 20 levels: write less"),
        ("a in [" + "1," * 240 + "]", "it has more than 200 parts: write less, or two rules"),
    ],
)
def test_what_is_long_deep_or_wide_is_refused(text: str, advice: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_expression(text)
    assert str(refused.value).startswith(advice)


def test_a_refused_text_is_refused_each_time_and_a_rule_is_read_once() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="powers"):
            parse_expression("a ** 2 > 1")
    assert parse_expression("a > 41") is parse_expression("a > 41")


@given(st.text(max_size=40) | st.text("ab1.>=()'[]+-*/ \tnotradinissg,_:{}@\"", max_size=40))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        read = parse_expression(text)
        assert isinstance(read.tree, ast.expr)
        assert read.names
