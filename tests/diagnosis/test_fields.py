"""Fields that lost rows and fields that are new are told from those that come and go."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from service.diagnosis.fields import appeared_fields, as_many, vanished_fields
from tests.diagnosis.slices import column, grid_of, normal, slice_of

REFERENCE: dict[str, list[Any]] = {
    "age": normal(4_000, 1),
    "rate": [UNSET if i % 5 == 0 else x for i, x in enumerate(normal(4_000, 2))],
}
GRID = grid_of({"age": normal(4_000, 1), "rate": normal(4_000, 2)})
USUAL = slice_of(REFERENCE, GRID)


def with_gaps(n: int, every: int, seed: int = 3) -> list[Any]:
    return [UNSET if i % every == 0 else x for i, x in enumerate(normal(n, seed))]


def test_a_field_that_is_missing_more_than_usual_has_lost_rows():
    now = slice_of({"age": with_gaps(400, 4), "rate": with_gaps(400, 5)}, GRID)
    (lost,) = vanished_fields(USUAL, None, now)
    assert (lost.column, lost.rows, lost.share_left) == (column("age"), 100, 0.75)


def test_those_that_lost_most_come_first():
    now = slice_of({"age": with_gaps(400, 4), "rate": [UNSET] * 400}, GRID)
    assert [one.column.name for one in vanished_fields(USUAL, None, now)] == ["rate", "age"]


def test_what_the_rows_before_had_lost_already_is_not_lost_again():
    before = slice_of({"age": with_gaps(800, 4), "rate": with_gaps(800, 5)}, GRID)
    now = slice_of({"age": with_gaps(400, 4, 5), "rate": with_gaps(400, 5, 6)}, GRID)
    assert not vanished_fields(USUAL, before, now)


def test_a_field_that_neither_reference_nor_rows_before_had_is_new():
    whole: dict[str, list[Any]] = {"age": normal(400, 5), "rate": normal(400, 6)}
    now = slice_of(whole | {"fresh": normal(400, 7), "rare": [*["x"] * 4, *[UNSET] * 396]}, GRID)
    assert [(one.column.name, one.rows) for one in appeared_fields(USUAL, None, now)] == [("fresh", 400)]
    assert not appeared_fields(USUAL, now, now)


def test_a_field_that_had_just_begun_before_is_still_new():
    whole: dict[str, list[Any]] = {"age": normal(400, 5), "rate": normal(400, 6)}
    before = slice_of(whole | {"fresh": [*[1.0] * 20, *[UNSET] * 380]}, GRID)
    assert appeared_fields(USUAL, before, slice_of(whole | {"fresh": normal(400, 7)}, GRID))


def test_numbers_of_rows_agree_but_for_noise_and_a_tenth():
    assert as_many(100, 100)
    assert as_many(1_000, 890)
    assert as_many(10, 20)
    assert not as_many(1_000, 700)
