"""A pane's sketch is the same bytes however its rows came: in any batches, order and parts."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.messages import Column, Missing, Role
from service.sketches.codec import pane_from_bytes, pane_to_bytes
from service.sketches.pane import MAX_EXTRAS
from service.sketches.sample import SIZE
from tests.sketches.rows import GRID, Row, batch_of, merged, sketch_of

exhaustively = settings(max_examples=60, deadline=None, derandomize=True)

NUMBERS: st.SearchStrategy[Any] = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, math.nan, math.inf, -math.inf, None, "", "text", [], True]
    ),
    st.integers(-(2**70), 2**70),
)
TEXTS: st.SearchStrategy[Any] = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.sampled_from(["DE", "FR", None, "", 7, 7.5, []]),
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"ts": st.integers(0, 2**45), "offset": st.integers(0, 3)},
        optional={
            "amount": NUMBERS, "score": NUMBERS, "country": TEXTS, "answer": TEXTS,
            "x1": NUMBERS, "x2": TEXTS,
            "x3": st.one_of(NUMBERS, TEXTS), "id": st.sampled_from([None, "a", "b", "c", 7]),
        },
    ),
    min_size=1, max_size=40,
)  # fmt: skip


def split(rows: list[Row], cuts: list[int]) -> list[list[Row]]:
    """The rows in runs that end at these places."""
    ends = sorted({min(cut, len(rows)) for cut in cuts} | {len(rows)})
    return [rows[start:end] for start, end in zip([0, *ends], ends, strict=False) if start < end]


@exhaustively
@given(ROWS, st.lists(st.integers(0, 40), max_size=4), st.randoms(use_true_random=False))
def test_any_batches_in_any_order_give_the_same_bytes(
    rows: list[Row], cuts: list[int], chance: random.Random
) -> None:
    at_once = pane_to_bytes(sketch_of(batch_of(rows)))
    chance.shuffle(rows)
    parts = split(rows, cuts)
    assert pane_to_bytes(sketch_of(*map(batch_of, parts))) == at_once
    assert pane_to_bytes(merged(sketch_of(batch_of(part)) for part in parts)) == at_once


@exhaustively
@given(ROWS, ROWS, ROWS)
def test_merging_is_associative_and_commutative(
    first: list[Row], second: list[Row], third: list[Row]
) -> None:
    def made(*parts: list[Row]) -> list[bytes]:
        a, b, c = (sketch_of(batch_of(part)) for part in parts)
        left = merged([merged([a, b]), c])
        right = merged([a, merged([b, c])])
        return [pane_to_bytes(left), pane_to_bytes(right)]

    assert len({*made(first, second, third), *made(third, first, second), *made(second, third, first)}) == 1


@exhaustively
@given(ROWS)
def test_a_sketch_read_back_from_its_bytes_goes_on_as_the_first_one(rows: list[Row]) -> None:
    sketch = sketch_of(batch_of(rows))
    again = pane_from_bytes(pane_to_bytes(sketch), GRID)
    assert pane_to_bytes(again) == pane_to_bytes(sketch)
    again.add(batch_of(rows), slice(None))
    sketch.add(batch_of(rows), slice(None))
    assert pane_to_bytes(again) == pane_to_bytes(sketch)


def test_the_same_rows_in_another_order_of_partitions_leave_the_same_sample() -> None:
    parts = [[{"ts": p, "offset": o, "amount": p * 1000.0 + o} for o in range(90)] for p in range(4)]
    sketches = [sketch_of(batch_of(part)) for part in parts]
    forward, backward = merged(sketches), merged(sketches[::-1])
    assert len(forward.sample.priorities) == SIZE
    assert pane_to_bytes(forward) == pane_to_bytes(backward)


def test_an_unknown_column_does_not_count_the_rows_that_lack_it() -> None:
    with_it, without = {"ts": 1, "x1": 2.0}, {"ts": 1}
    column = Column(Role.FEATURE, "x1")
    sketch = sketch_of(batch_of([with_it, without, without]))
    assert sketch.extras[column].cells == 1
    assert column not in sketch_of(batch_of([without])).extras


def test_of_too_many_unknown_columns_the_same_are_kept_in_any_order() -> None:
    rows = [{"ts": 1, f"x{i % 700}": float(i)} for i in range(2_100)]
    shuffled = random.Random(7).sample(rows, len(rows))
    at_once = sketch_of(batch_of(rows))
    in_parts = merged(sketch_of(batch_of(part)) for part in split(shuffled, [300, 900, 1_000]))
    assert len(at_once.extras) == MAX_EXTRAS
    assert at_once.extras_dropped == 3 * (700 - MAX_EXTRAS)
    assert pane_to_bytes(in_parts) == pane_to_bytes(at_once)


def test_the_six_kinds_of_missing_are_counted_apart() -> None:
    values: dict[Missing, list[Any]] = {
        Missing.NULL: [None] * 1, Missing.NAN: [math.nan] * 3,
        Missing.INFINITE: [math.inf, -math.inf, 10**400, 1.0 * math.inf],
        Missing.EMPTY: [""] * 5, Missing.WRONG_TYPE: ["1.0", "NaN", "null", True, [], {}],
    }  # fmt: skip
    rows = [{"ts": 1, "amount": value} for of_kind in values.values() for value in of_kind] + [{"ts": 1}] * 2
    sketch = sketch_of(batch_of(rows))
    expected = {**{kind: len(of_kind) for kind, of_kind in values.items()}, Missing.ABSENT: 2}
    assert {kind: int(sketch.numbers.missing[0, kind]) for kind in Missing} == expected
    assert sketch.numbers.column_counts(0).sum() == 0


def test_missing_categories_are_counted_apart_too() -> None:
    values: list[Any] = [None, "", math.nan, math.inf, 10**400, [], {}, "DE"]
    sketch = sketch_of(batch_of([{"ts": 1, "country": value} for value in values] + [{"ts": 1}]))
    kinds = {kind: int(sketch.categories.missing[0, kind]) for kind in Missing}
    expected = {
        Missing.NULL: 1,
        Missing.EMPTY: 1,
        Missing.NAN: 1,
        Missing.INFINITE: 2,
        Missing.WRONG_TYPE: 2,
        Missing.ABSENT: 1,
    }
    assert kinds == expected
    assert sketch.categories.column_counts(0).tolist() == [1, 0]


def test_no_rows_change_nothing() -> None:
    assert pane_to_bytes(sketch_of(batch_of([]))) == pane_to_bytes(sketch_of())


@pytest.mark.parametrize("n", [1, 150, 250, 5_000])
def test_categories_are_counted_one_by_one_and_the_unseen_by_their_text(n: int) -> None:
    chance = random.Random(n)
    texts = [chance.choice(["DE", "FR", "US", "GB", "\0", "x" * 300]) for _ in range(n)]
    sketch = sketch_of(batch_of([{"ts": 1, "country": text} for text in texts]))
    true = Counter(texts)
    counted = dict(zip(GRID.texts[0].categories, sketch.categories.column_counts(0).tolist(), strict=True))
    assert counted == {"DE": true["DE"], "FR": true["FR"]}
    unseen = sketch.categories.unseen[0].counts
    assert unseen.get("US", 0) == true["US"]
    assert unseen.get("\ufffd", 0) == true["\0"]
    assert all(len(text) <= 200 for text in unseen)
    assert sum(unseen.values()) + true["DE"] + true["FR"] == n
