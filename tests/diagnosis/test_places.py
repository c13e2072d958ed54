"""A fault is placed where nearly all of it is, and nowhere when it is everywhere or cannot be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from service.diagnosis.places import Part, Places, Where, place_of, unlike_before
from service.diagnosis.view import ColumnView
from service.messages import Missing, Partition
from tests.diagnosis.slices import grid_of, normal, one_of

GRID = grid_of({"value": normal(4_000, 1)})
USUAL = one_of(normal(4_000, 1), GRID)
ROWS = 400


def rows_of(seed: int, missing: float = 0.0, shift: float = 0.0, n: int = ROWS) -> ColumnView:
    """Normal numbers, of which this share is null."""
    values: list[float | None] = list(normal(n, seed, shift))
    values[: round(missing * n)] = [None] * round(missing * n)
    return one_of(values, GRID)


def nulls(view: ColumnView) -> int:
    """The rows that are bad here."""
    return int(view.missing[Missing.NULL])


def partitions_of(missing: Sequence[float], usual: Sequence[float] | None = None) -> Places:
    """One partition for each share of nulls, beside its own share before where that is known."""
    before = [None if usual is None else rows_of(100 + i, share) for i, share in enumerate(usual or missing)]
    parts = [
        Part(rows_of(i, share), known) for i, (share, known) in enumerate(zip(missing, before, strict=True))
    ]
    return Places(partitions={Partition("events", i): part for i, part in enumerate(parts)})


def said(where: Where | None) -> str | None:
    """The place in words."""
    return None if where is None else where.said


@pytest.mark.parametrize(
    ("missing", "place"),
    [
        ([0, 0, 0, 0.25], "in partition 3 of topic events"),
        ([0, 0.25, 0, 0.1], "in partitions 1 and 3 of topic events"),
        ([0.25, 0.25, 0.25, 0.25], None),
        ([0.25, 0.2, 0.25, 0.02], None),
        ([0, 0, 0, 0], None),
        ([0, 0, 0, 0.01], None),
        ([0.25], None),
    ],
    ids=[
        "one",
        "two",
        "all",
        "most, and the last one a little",
        "none",
        "too few to tell",
        "only one there is",
    ],
)
def test_partitions_are_named_that_hold_nearly_all_of_it(missing: list[float], place: str | None) -> None:
    assert said(place_of(nulls, USUAL, partitions_of(missing))) == place


def test_a_partition_that_always_misses_as_much_is_not_named_beside_the_one_that_is_new() -> None:
    places = partitions_of([1.0, 0, 0.25, 0], [1.0, 0, 0, 0])
    assert said(place_of(nulls, rows_of(9, 0.25), places)) == "in partition 2 of topic events"


def test_a_slice_that_always_misses_as_much_is_not_named_beside_the_one_that_is_new() -> None:
    french, german, others = rows_of(1, 1.0), rows_of(2, 0.5), rows_of(3, 0.0, n=3 * ROWS)
    whole = one_of([None] * (ROWS + ROWS // 2) + normal(ROWS // 2 + 3 * ROWS, 4), GRID)
    usual = one_of([None] * ROWS + normal(4 * ROWS, 5), GRID)
    known = {
        "country=FR": Part(french, rows_of(6, 1.0)),
        "country=DE": Part(german, rows_of(7)),
        "country=IT": Part(others, rows_of(8)),
    }
    assert said(place_of(nulls, usual, Places(whole, known))) == "for country=DE"


@pytest.mark.parametrize("seed", range(20))
def test_few_bad_rows_among_many_partitions_are_placed_nowhere(seed: int) -> None:
    shares = np.random.default_rng(seed).multinomial(40, [1 / 32] * 32) / ROWS
    assert place_of(nulls, USUAL, partitions_of(shares.tolist())) is None


def test_partitions_of_several_topics_are_named_by_topic() -> None:
    hit = {Partition("events", 3), Partition("events", 5), Partition("more", 0)}
    names = [Partition(topic, n) for topic in ("events", "more") for n in range(6)]
    parts = {one: Part(rows_of(i, 0.25 * (one in hit))) for i, one in enumerate(names)}
    where = place_of(nulls, USUAL, Places(partitions=parts))
    assert said(where) == "in partitions 3 and 5 of topic events and partition 0 of topic more"
    assert where is not None
    assert where.rows_share == pytest.approx(0.25)


# Values that are other than before


def moved(shifts: Mapping[int, float], before: Sequence[float] = (0.0, 0.0, 0.0, 0.0)) -> str | None:
    """Four partitions, some of whose values moved from where each of them was before."""
    parts = {
        Partition("events", i): Part(rows_of(i, shift=at + shifts.get(i, 0.0)), rows_of(50 + i, shift=at))
        for i, at in enumerate(before)
    }
    return said(unlike_before(parts))


def test_the_partition_whose_values_moved_is_named() -> None:
    assert moved({2: 1.5}) == "in partition 2 of topic events"
    assert moved({0: 1.5, 2: 2.5}) == "in partitions 0 and 2 of topic events"


def test_what_moved_nowhere_or_everywhere_or_somewhat_is_placed_nowhere() -> None:
    assert moved({}) is None
    assert moved(dict.fromkeys(range(4), 1.5)) is None
    assert moved({0: 0.6, 2: 1.5}) is None


def test_a_partition_is_like_itself_only() -> None:
    """A producer that chooses partitions by a key gives each its own rows."""
    assert moved({}, before=(0.0, 3.0, -3.0, 6.0)) is None
    assert moved({1: 1.5}, before=(0.0, 3.0, -3.0, 6.0)) == "in partition 1 of topic events"


def test_partitions_of_which_nothing_was_known_leave_the_place_open() -> None:
    parts = {Partition("events", i): Part(rows_of(i, shift=1.5 * (i == 2))) for i in range(4)}
    assert unlike_before(parts) is None
    known = {name: Part(part.now, rows_of(60)) for name, part in parts.items() if name.number != 1}
    assert unlike_before({**parts, **known}) is None
