"""The fingerprint follows the fields and their kinds, not their values."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from service.diagnosis.schema import schema_difference, schema_fingerprint
from tests.diagnosis.slices import column, grid_of, slice_of

TABLE: dict[str, list[Any]] = {"age": [30.0, 40.0] * 200, "job": ["cook", "nurse"] * 200}
GRID = grid_of(TABLE)


def test_other_values_have_the_same_fingerprint():
    other = {"age": [31.0, 99.0] * 200, "job": ["cook", "king"] * 200}
    assert schema_fingerprint(slice_of(TABLE, GRID)) == schema_fingerprint(slice_of(other, GRID))
    assert schema_fingerprint(slice_of(TABLE, GRID)) == schema_fingerprint(
        slice_of(TABLE, grid_of({"x": [1.0]}))
    )


def test_the_fingerprint_is_the_same_for_ever():
    assert schema_fingerprint(slice_of(TABLE, GRID)) == "59bba0b249d5c219"


def test_a_new_field_a_lost_one_and_another_kind_have_other_fingerprints():
    variants = [TABLE, {"age": TABLE["age"]}, TABLE | {"city": ["Rome"] * 400}, TABLE | {"age": ["30"] * 400}]
    assert len({schema_fingerprint(slice_of(one, GRID)) for one in variants}) == 4


def test_a_field_in_a_few_rows_does_not_count():
    rare = TABLE | {"debug": [*["x"] * 3, *[UNSET] * 397]}
    assert schema_fingerprint(slice_of(rare, GRID)) == schema_fingerprint(slice_of(TABLE, GRID))


def test_the_difference_names_the_fields():
    after = {"age": ["30"] * 400, "city": ["Rome"] * 400}
    added, removed, retyped = schema_difference(slice_of(TABLE, GRID), slice_of(after, GRID))
    assert (added, removed, retyped) == ((column("city"),), (column("job"),), (column("age"),))


def test_no_difference_is_three_times_nothing():
    assert schema_difference(slice_of(TABLE, GRID), slice_of(TABLE, GRID)) == ((), (), ())
