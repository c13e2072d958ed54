"""Fields that were joined, added or taken apart are told by the values that stand in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from service.diagnosis.structure import diagnose_structure
from service.messages import Cause
from tests.diagnosis.slices import drawn, grid_of, normal, slice_of

FIRST = {"Ada": 0.4, "Grace": 0.35, "Edsger": 0.25}
LAST = {"Lovelace": 0.5, "Hopper": 0.3, "van Dijk": 0.2}


def people(n: int, seed: int) -> dict[str, list[Any]]:
    return {
        "first": drawn(FIRST, n, seed),
        "last": drawn(LAST, n, seed + 1),
        "rent": normal(n, seed + 2, 900.0, 150.0),
        "extras": normal(n, seed + 3, 200.0, 60.0),
    }


REFERENCE = people(5_000, 1)
GRID = grid_of(REFERENCE)


def said(
    now: dict[str, list[Any]],
    reference: dict[str, list[Any]] = REFERENCE,
    before: dict[str, list[Any]] | None = None,
):
    grid = grid_of(reference)
    views = slice_of(reference, grid), slice_of(before or people(1_000, 7), grid), slice_of(now, grid)
    return diagnose_structure(*views, list(views[0].columns))


@pytest.mark.parametrize("separator", [" ", ", ", "_", "/"])
@pytest.mark.parametrize("turned", [False, True])
def test_two_texts_in_one_field_are_a_merge(separator: str, turned: bool):
    now = people(400, 2)
    first, last = now.pop("first"), now.pop("last")
    a, b = (last, first) if turned else (first, last)
    now["name"] = [f"{x}{separator}{y}" for x, y in zip(a, b, strict=True)]
    (found,) = said(now)
    assert found.cause is Cause.SCHEMA_CHANGE
    assert {c.name for c in found.columns} == {"first", "last", "name"}
    assert found.sentence.startswith("features 'first' and 'last' are sent as one, 'name' (joined by")


@pytest.mark.parametrize(
    ("combine", "how"),
    [(np.add, "{extras} + {rent}"), (np.multiply, "{extras} x {rent}"), (np.subtract, "{extras} - {rent}")],
)
def test_two_numbers_in_one_field_are_a_merge(combine: Any, how: str):
    now = people(400, 2)
    rent, extras = now.pop("rent"), now.pop("extras")
    now["fresh"] = combine(extras, rent).tolist()
    found = said(now)[0]
    assert found.evidence["how"] == how.format(rent="rent", extras="extras")
    assert found.confidence >= 0.6


def test_a_field_cut_in_pieces_is_a_split():
    usual = people(5_000, 1)
    reference = {"name": [f"{a} {b}" for a, b in zip(usual["first"], usual["last"], strict=True)]}
    now = people(300, 2)
    found = said({"given": now["first"], "family": now["last"]}, reference, reference)[0]
    assert found.cause is Cause.SCHEMA_CHANGE
    assert [c.name for c in found.columns] == ["name", "given", "family"]
    assert "was taken apart into 'given' and 'family'" in found.sentence


def test_a_date_cut_into_numbers_is_a_split():
    rng = np.random.default_rng(1)
    reference = {
        "day": [
            f"{y}-{m:02d}"
            for y, m in zip(rng.integers(2020, 2024, 3_000), rng.integers(1, 13, 3_000), strict=True)
        ]
    }
    now = {"y": [2020.0, 2023.0] * 60, "m": [1.0, 12.0, 5.0] * 40}
    found = said(now, reference, reference)[0]
    assert [c.name for c in found.columns] == ["day", "y", "m"]


def test_two_fields_that_vanish_beside_an_unrelated_new_one_are_no_merge():
    now = people(400, 2)
    del now["first"], now["last"]
    now["fresh"] = drawn({"x y": 0.5, "u v": 0.5}, 400, 3)
    found = said(now)
    assert {one.cause for one in found} == {Cause.MISSING, Cause.SCHEMA_CHANGE}
    assert all(len(one.columns) == 1 for one in found)


def test_a_sum_that_only_looks_like_one_of_its_parts_is_a_rename():
    now = people(400, 2)
    del now["extras"]
    now["fresh"] = now.pop("rent")
    found = said(now)
    assert found[0].cause is Cause.RENAME
    assert [c.name for c in found[0].columns] == ["rent", "fresh"]
