"""Hostile YAML is refused in one sentence, before it can cost memory, time or safety."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.monitor_yaml import MAX_ALIASES, MAX_BYTES, MAX_DEPTH, Mistake, Place, read_yaml


def refusal(text: str) -> str:
    """The one sentence, with its line, that refuses the text."""
    mistakes: list[Mistake] = []
    assert read_yaml(text, mistakes) is None
    (mistake,) = mistakes
    return f"{mistake.line}: {mistake.sentence}"


def read(text: str) -> tuple[Place, list[Mistake]]:
    """The top of a text that can be read, and the list that its mistakes will go to."""
    mistakes: list[Mistake] = []
    top = read_yaml(text, mistakes)
    assert top is not None
    return top, mistakes


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "a: !!python/object:os.system x",
            "tags such as 'tag:yaml.org,2002:python/object:os.system' are not",
        ),
        ("a: !mine\n  b: 1", "tags such as '!mine' are not allowed"),
        ("a: !!str 5", "tags such as 'tag:yaml.org,2002:str' are not allowed"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), f"nested deeper than {MAX_DEPTH} levels"),
        ("a: &a 1\nb: [" + "*a," * (MAX_ALIASES + 1) + "]", f"more than {MAX_ALIASES} aliases"),
        ("x" * (MAX_BYTES + 1), f"larger than {MAX_BYTES} bytes"),
        ("ü" * (MAX_BYTES // 2 + 1), f"larger than {MAX_BYTES} bytes"),
        ("a: [", "expected the node content"),
        ("\n\na: 1\n b: 2", "4: the file cannot be read: mapping values are not allowed here"),
        ("a: 1\n---\nb: 2", "2: the file cannot be read: expected a single document"),
        ("a: *b", "undefined alias"),
        ("\n\ta: 1", "2: the file cannot be read: while scanning"),
        ("a: 1\nb: \x07", "2: the file cannot be read: remove the character 0x0007"),
        ("a: \ud800", "remove the character 0xd800"),
        (r'"\UFFFFFFFF"', "the file cannot be read"),
        ("", "the file is empty"),
        ("# nothing but a comment\n", "the file is empty"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, sentence: str) -> None:
    assert sentence in refusal(text)


@pytest.mark.parametrize("text", ["[" * 1_000_000, "- " * 500_000, "{a: " * 200_000, "? " * 500_000])
def test_a_nesting_bomb_is_refused_at_once(text: str) -> None:
    before = time.perf_counter()
    refusal(text)
    assert time.perf_counter() - before < 2


def test_an_alias_may_be_used_and_may_even_point_at_what_holds_it() -> None:
    top, mistakes = read("a: &a {b: *a}")
    again = top.members()["a"].members()["b"]
    assert list(again.members()) == ["b"]
    assert not mistakes


def test_a_scalar_is_taken_as_written_not_as_yaml_1_1_means_it() -> None:
    top, _ = read("[no, 0123, 1:30, 2026-01-01, 'quoted']")
    assert [item.text() for item in top.items(0, 9, "")] == ["no", "0123", "1:30", "2026-01-01", "quoted"]


def test_an_emoji_that_json_escaped_as_two_surrogates_is_one_character() -> None:
    top, _ = read(r'{"\ud83d\ude00": 1}')
    assert list(top.members()) == ["\U0001f600"]


def test_a_key_written_twice_is_told_with_both_lines_even_if_only_alike_when_cleaned() -> None:
    top, mistakes = read('a: 1\n"\\u200ba": 2\n')
    assert list(top.members()) == ["a"]
    assert mistakes == [Mistake(2, r"\u200ba is written twice, first on line 1; keep one")]


@given(st.text(st.characters(codec=None)) | st.text(" \n:-?[]{}&*!#|>'\"%@ab0~<=,\\\t"))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    mistakes: list[Mistake] = []
    assert (read_yaml(text, mistakes) is None) == bool(mistakes)
