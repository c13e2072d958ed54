"""Missing values are named by kind, share and place."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, nan
from typing import Any

import pytest
from msgspec import UNSET

from service.diagnosis.missing import diagnose_missing
from service.diagnosis.places import Part, Places, PlacesOf
from service.diagnosis.view import ColumnView
from service.messages import Cause, Partition
from tests.diagnosis.slices import grid_of, normal, one_of, pair_of

USUAL = normal(4_000, 1)
GRID = grid_of({"value": USUAL})
REFERENCE = one_of(USUAL, GRID)


def spoiled(n: int, every: int, value: Any, seed: int = 2) -> list[Any]:
    """Rows of which every so many-th holds this value."""
    return [value if i % every == 0 else x for i, x in enumerate(normal(n, seed))]


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (None, "null", "is null in 10 % of the rows"),
        (UNSET, "absent", "is absent in 10 % of the rows"),
        (nan, "nan", "is NaN in 10 % of the rows"),
        (inf, "infinite", "is infinite in 10 % of the rows"),
        ("", "empty", "is an empty text in 10 % of the rows"),
    ],
)
def test_each_kind_of_missing_has_its_name(value: Any, kind: str, said: str):
    (found,) = diagnose_missing(REFERENCE, None, one_of(spoiled(500, 10, value), GRID))
    assert found.cause is Cause.MISSING
    assert found.evidence["kind"] == kind
    assert said in found.sentence
    assert "it never was before" in found.sentence


def test_two_kinds_are_two_diagnoses_the_larger_first():
    rows = spoiled(500, 10, None)
    rows[1:200:4] = [nan] * 50
    rows[3:400:4] = [nan] * 100
    found = diagnose_missing(REFERENCE, None, one_of(rows, GRID))
    assert [one.evidence["kind"] for one in found] == ["nan", "null"]


def test_a_field_that_is_gone_is_said_to_be_gone():
    (found,) = diagnose_missing(REFERENCE, None, one_of([UNSET] * 50, GRID))
    assert "is absent in every row" in found.sentence
    assert found.sentence.endswith(": the field is gone")


def test_more_than_usual_is_told_from_as_usual():
    usual, now = spoiled(4_000, 20, None, 1), spoiled(400, 20, None)
    reference, current = pair_of(usual, now)
    assert not diagnose_missing(reference, None, current)
    (found,) = diagnose_missing(*_with(usual, spoiled(400, 5, None)))
    assert "in 20 % of the rows, usual is 5 %" in found.sentence


def test_a_few_rows_before_do_not_hide_what_the_reference_never_had():
    before, now = one_of(normal(96, 3), GRID), one_of(spoiled(72, 7, None), GRID)
    assert diagnose_missing(REFERENCE, before, now)


def test_rows_before_that_missed_as_much_are_no_news():
    before, now = one_of(spoiled(1_000, 5, None, 3), GRID), one_of(spoiled(500, 5, None), GRID)
    assert not diagnose_missing(REFERENCE, before, now)


def test_the_smallest_slice_that_explains_it_is_named():
    german, french = one_of([None] * 100, GRID), one_of(normal(400, 5), GRID)
    both = one_of([None] * 100 + normal(400, 5), GRID)
    old, new = one_of(normal(200, 6), GRID), one_of([None] * 100 + normal(200, 7), GRID)
    parts = {"country=DE": german, "country=FR": french, "version 1": old, "version 2": new}
    (found,) = diagnose_missing(REFERENCE, None, both, by_slice(both, parts))
    assert "in 20 % of the rows, only for country=DE (all its rows)" in found.sentence
    assert found.evidence["slice"] == "country=DE"


def test_a_slice_that_is_missed_in_part_says_which_part():
    german, french = one_of(spoiled(200, 4, None), GRID), one_of(normal(800, 5), GRID)
    both = one_of(spoiled(200, 4, None) + normal(800, 5), GRID)
    (found,) = diagnose_missing(
        REFERENCE, None, both, by_slice(both, {"country=DE": german, "country=FR": french})
    )
    assert "only for country=DE (25 % of its rows)" in found.sentence


def test_the_smallest_of_the_places_is_named_be_it_a_slice_or_a_partition():
    rows = [spoiled(250, 5, None, i) if i == 3 else normal(250, i) for i in range(4)]
    both = one_of([x for some in rows for x in some], GRID)
    partitions = {Partition("events", i): Part(one_of(some, GRID)) for i, some in enumerate(rows)}
    wide = {"country=DE": Part(one_of([*rows[2], *rows[3]], GRID))}
    (found,) = diagnose_missing(REFERENCE, None, both, lambda _: Places(both, wide, partitions))
    assert "in 5 % of the rows, only in partition 3 of topic events (20 % of its rows)" in found.sentence
    assert (found.evidence["partition"], found.evidence["partition_missing_share"]) == (
        "partition 3 of topic events",
        0.2,
    )


def test_what_is_missing_everywhere_names_no_slice():
    rows = [spoiled(250, 5, None, i) for i in range(4)]
    both = one_of([x for some in rows for x in some], GRID)
    parts = {f"country={i}": one_of(some, GRID) for i, some in enumerate(rows)}
    (found,) = diagnose_missing(REFERENCE, None, both, by_slice(both, parts))
    assert "only" not in found.sentence


def test_no_rows_say_nothing():
    assert not diagnose_missing(REFERENCE, None, one_of([], GRID))


def _with(usual: list[Any], now: list[Any]) -> tuple[ColumnView, None, ColumnView]:
    reference, current = pair_of(usual, now)
    return reference, None, current


def by_slice(whole: ColumnView, parts: Mapping[str, ColumnView]) -> PlacesOf:
    """Slices of which it is not known what is usual there."""
    return lambda _: Places(whole, {name: Part(view) for name, view in parts.items()})
