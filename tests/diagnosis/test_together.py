"""A season moves many columns a little; a fault moves one a lot."""

from __future__ import annotations

from typing import Any

from service.diagnosis.together import diagnose_together
from service.messages import Cause
from tests.diagnosis.slices import column, grid_of, normal, slice_of

NAMES = ("a", "b", "c", "d")


def table(n: int, seed: int, **moved: float) -> dict[str, list[Any]]:
    return {name: normal(n, seed + i, moved.get(name, 0.0)) for i, name in enumerate(NAMES)}


REFERENCE = table(5_000, 1)
GRID = grid_of(REFERENCE)
ALL = [column(name) for name in NAMES]


def said(now: dict[str, list[Any]], ringing: list[Any] = ALL):
    return diagnose_together(slice_of(REFERENCE, GRID), slice_of(now, GRID), ringing)


def test_most_columns_a_little_is_one_drift_the_furthest_first():
    found = said(table(500, 20, a=0.4, b=1.0, c=0.7))
    assert found is not None
    assert found.cause is Cause.DATA_DRIFT
    assert [c.name for c in found.columns] == ["b", "c", "a"]
    assert "3 of 4 inputs moved together, furthest 'b'" in found.sentence


def test_one_or_two_columns_are_not_all_together():
    assert said(table(500, 20, a=0.4, b=1.0)) is None


def test_a_column_out_of_all_proportion_is_broken_and_no_season():
    assert said(table(500, 20, a=0.4, b=1.0, c=9.0)) is None


def test_columns_that_do_not_ring_do_not_count():
    assert said(table(500, 20, a=0.4, b=1.0, c=0.7), ALL[:2]) is None
