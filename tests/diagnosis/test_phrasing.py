"""Shares and texts are said so that nobody is misled."""

from __future__ import annotations

import pytest

from service.diagnosis.phrasing import listed, named, of_rows, percent, shown
from service.messages import LABEL, LATENCY, PREDICTION
from tests.diagnosis.slices import column


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0 %"),
        (0.00012, "0.012 %"),
        (0.025, "2.5 %"),
        (0.5, "50 %"),
        (0.994, "99.4 %"),
        (0.99999, "99.99 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_in_percent(share: float, said: str):
    assert percent(share) == said


def test_nearly_all_is_every_row_only_if_nothing_is_left_to_speak_of():
    assert of_rows(0.9999) == "in every row"
    assert of_rows(0.99) == "in 99 % of the rows"


def test_columns_have_their_names():
    assert [named(one) for one in (column("weight"), PREDICTION, LABEL, LATENCY)] == [
        "feature weight", "the prediction", "the label", "the latency",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a b", "'a b'"),
        ("a\x00\u202eb", "'ab'"),
        ("\u200b", "(a text that does not print)"),
        ("\ud800", "(a text that does not print)"),
    ],
)
def test_a_text_is_shown_clean(text: str, said: str):
    assert shown(text) == said


def test_a_long_text_is_cut():
    assert len(shown("x" * 10_000)) == 42


def test_lists_end_with_what_is_left_out():
    assert [listed(list("abcde"[:n])) for n in range(5)] == [
        "",
        "a",
        "a and b",
        "a, b and c",
        "a, b, c and 1 more",
    ]
