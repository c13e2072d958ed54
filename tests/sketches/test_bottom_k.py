"""Counts of the texts with the smallest hashes: exact, bounded, and blind to the order of arrival."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from service.sketches.bottom_k import SIZE, BottomK


def counted(texts: list[str]) -> BottomK:
    made = BottomK()
    for text in texts:
        made.add(text, 1)
    made.shrink()
    return made


def state(sketch: BottomK) -> tuple[dict[str, int], int]:
    sketch.shrink()
    return dict(sorted(sketch.counts.items())), sketch.other


def truth(texts: list[str]) -> tuple[dict[str, int], int]:
    kept = set(sorted(set(texts), key=lambda text: xxhash.xxh3_64_intdigest(text.encode()))[:SIZE])
    counts = Counter(texts)
    return {text: counts[text] for text in sorted(kept)}, sum(
        n for text, n in counts.items() if text not in kept
    )


def test_of_many_distinct_texts_the_kept_counts_are_exact_and_the_rest_is_their_total() -> None:
    chance = random.Random(3)
    texts = [f"user-{int(chance.paretovariate(0.2)) % 60_000}" for _ in range(60_000)]
    assert len(set(texts)) > 10_000
    expected = truth(texts)
    assert state(counted(texts)) == expected
    chance.shuffle(texts)
    parts = [counted(texts[i::7]) for i in range(7)]
    together = BottomK()
    for part in parts:
        together.merge(part)
    assert state(together) == expected
    assert together.total == len(texts)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 900), max_size=1_500),
    st.lists(st.integers(0, 1_500), max_size=4),
    st.randoms(use_true_random=False),
)
def test_any_parts_merged_in_any_way_come_to_the_truth(
    numbers: list[int], cuts: list[int], chance: random.Random
) -> None:
    texts = [str(n) for n in numbers]
    ends = sorted({*cuts, len(texts)})
    parts = [BottomK(*state(counted(texts[a:b]))) for a, b in zip([0, *ends], ends, strict=False)]
    while len(parts) > 1:
        chance.shuffle(parts)
        parts[-1].merge(parts.pop(0))
    assert state(parts[0]) == truth(texts)


def test_merging_leaves_the_other_sketch_as_it_was() -> None:
    one, other = counted([str(i) for i in range(2_000)]), counted([str(i) for i in range(1_000, 3_000)])
    before = state(other)
    one.merge(other)
    assert state(other) == before


def test_distinct_texts_are_exact_while_few() -> None:
    assert counted([str(i % 100) for i in range(1_000)]).distinct == 100


@pytest.mark.parametrize("distinct", [400, 2_000, 50_000])
def test_distinct_texts_are_estimated_within_a_fifth_when_many(distinct: int) -> None:
    made = BottomK()
    for i in range(distinct):
        made.add(f"user-{i}", 1)
    assert made.distinct == pytest.approx(distinct, rel=0.2)


def test_the_estimate_is_the_same_before_and_after_a_round_trip() -> None:
    made = BottomK()
    for i in range(SIZE + 100):
        made.add(str(i), 1)
    assert made.distinct == BottomK(*state(made)).distinct


def test_a_copy_is_independent() -> None:
    one = counted(["a"])
    other = one.copy()
    other.add("b", 2)
    assert (one.total, other.total) == (1, 3)
