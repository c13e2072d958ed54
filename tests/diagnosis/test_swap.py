"""Columns that hold each other's values are found, and drift is not taken for it."""

from __future__ import annotations

from typing import Any

import pytest

from service.diagnosis.swap import diagnose_swaps, find_cycles
from service.messages import Cause
from tests.diagnosis.slices import column, drawn, grid_of, normal, slice_of


def table(n: int, seed: int) -> dict[str, list[Any]]:
    return {
        "inside": normal(n, seed, 21.0, 1.0),
        "outside": normal(n, seed + 50, 15.0, 5.0),
        "humid": normal(n, seed + 90, 40.0, 6.0),
        "job": drawn({"clerk": 0.5, "nurse": 0.3, "cook": 0.2}, n, seed),
        "city": drawn({"Rome": 0.5, "Oslo": 0.3, "Bonn": 0.2}, n, seed + 1),
        "owns": drawn({"yes": 0.9, "no": 0.1}, n, seed + 2),
        "rents": drawn({"yes": 0.3, "no": 0.7}, n, seed + 3),
    }


REFERENCE = table(5_000, 1)
GRID = grid_of(REFERENCE)
ALL = [column(name) for name in REFERENCE]


def circles(now: dict[str, list[Any]], before: dict[str, list[Any]] | None = None) -> list[set[str]]:
    reference, current = slice_of(REFERENCE, GRID), slice_of(now, GRID)
    earlier = slice_of(before, GRID) if before is not None else None
    return [{c.name for c in circle} for circle, _ in find_cycles(reference, earlier, current, ALL)]


@pytest.mark.parametrize(
    "pair", [("inside", "outside"), ("outside", "humid"), ("job", "city"), ("owns", "rents")]
)
@pytest.mark.parametrize("n", [100, 500])
def test_two_columns_that_changed_places_are_found(pair: tuple[str, str], n: int):
    now = table(n, 2)
    first, second = pair
    now[first], now[second] = now[second], now[first]
    assert circles(now) == [set(pair)]


def test_a_shift_by_one_column_is_one_circle():
    now = table(300, 2)
    now["inside"], now["outside"], now["humid"] = now["outside"], now["humid"], now["inside"]
    assert circles(now) == [{"inside", "outside", "humid"}]


def test_the_sentence():
    now = table(300, 2)
    now["inside"], now["outside"] = now["outside"], now["inside"]
    (said,) = diagnose_swaps(slice_of(REFERENCE, GRID), None, slice_of(now, GRID), ALL)
    assert said.cause is Cause.SWAP
    assert (
        said.sentence == "features 'inside' and 'outside' have changed places: each holds the other's values"
    )
    assert said.confidence >= 0.9


def test_two_values_only_are_less_sure():
    now, before = table(300, 2), table(1_000, 3)
    now["owns"], now["rents"] = now["rents"], now["owns"]
    (said,) = diagnose_swaps(slice_of(REFERENCE, GRID), slice_of(before, GRID), slice_of(now, GRID), ALL)
    assert said.confidence < 0.7


@pytest.mark.parametrize("n", [24, 100, 1_000])
def test_usual_rows_are_in_their_places(n: int):
    assert not [circle for seed in range(2, 22) for circle in circles(table(n, 5 * seed))]


def test_one_column_that_moved_onto_another_is_no_swap():
    now = table(500, 2)
    now["inside"] = [x - 6.0 for x in now["inside"]]
    assert not circles(now)


def test_a_swap_amid_drift_is_found_against_the_rows_before():
    now, before = table(500, 2), table(1_000, 3)
    for rows in (now, before):
        rows["outside"] = [x + 15.0 for x in rows["outside"]]
    now["inside"], now["outside"] = now["outside"], now["inside"]
    assert circles(now, before) == [{"inside", "outside"}]


def test_columns_that_do_not_ring_are_not_asked():
    now = table(300, 2)
    now["inside"], now["outside"] = now["outside"], now["inside"]
    assert not find_cycles(slice_of(REFERENCE, GRID), None, slice_of(now, GRID), ALL[2:])


def test_columns_that_only_came_near_each_other_did_not_change_places():
    now = table(500, 2)
    now["outside"] = [x + 19.0 for x in normal(500, 5, 15.0, 6.0)]
    now["humid"] = [x - 20.0 for x in normal(500, 6, 40.0, 5.0)]
    assert not circles(now)
