"""Fields that vanish, appear or change places are explained by as few causes as will do."""

from __future__ import annotations

from typing import Any

from service.diagnosis.structure import diagnose_structure
from service.messages import Cause
from tests.diagnosis.slices import column, drawn, grid_of, normal, slice_of


def table(n: int, seed: int) -> dict[str, list[Any]]:
    return {
        "age": normal(n, seed, 40.0, 10.0),
        "rate": normal(n, seed + 1, 0.5, 0.1),
        "job": drawn({"clerk": 0.5, "nurse": 0.3, "cook": 0.2}, n, seed),
    }


REFERENCE = table(4_000, 1)
GRID = grid_of(REFERENCE)
ALL = [column(name) for name in REFERENCE]


def said(now: dict[str, list[Any]], *, before: bool = True) -> list[tuple[Cause, tuple[str, ...]]]:
    earlier = slice_of(table(800, 9), GRID) if before else None
    found = diagnose_structure(slice_of(REFERENCE, GRID), earlier, slice_of(now, GRID), ALL)
    return [(one.cause, tuple(c.name for c in one.columns)) for one in found]


def test_usual_rows_have_their_usual_structure():
    assert not said(table(300, 2))
    assert not said(table(300, 2), before=False)


def test_a_rename_leaves_neither_a_lost_nor_a_new_field():
    now = table(300, 2)
    now["alter"] = now.pop("age")
    assert said(now) == [(Cause.RENAME, ("age", "alter"))]


def test_a_field_that_is_gone_for_good_is_missing():
    now = table(300, 2)
    del now["rate"]
    assert said(now) == [(Cause.MISSING, ("rate",))]


def test_a_new_field_that_nothing_explains_is_a_change_of_schema():
    assert said(table(300, 2) | {"debug": ["x"] * 300}) == [(Cause.SCHEMA_CHANGE, ("debug",))]


def test_a_field_that_was_there_from_the_first_row_on_is_no_news():
    assert not said(table(300, 2) | {"debug": ["x"] * 300}, before=False)


def test_a_rename_beside_a_new_field_are_two_causes():
    now = table(300, 2) | {"debug": ["x"] * 300}
    now["alter"] = now.pop("age")
    assert said(now) == [(Cause.RENAME, ("age", "alter")), (Cause.SCHEMA_CHANGE, ("debug",))]


def test_columns_of_a_swap_are_named_together():
    now = table(300, 2)
    now["age"], now["rate"] = now["rate"], now["age"]
    assert said(now) == [(Cause.SWAP, ("age", "rate"))]


def test_no_rows_have_no_structure():
    assert not said({name: [] for name in REFERENCE})
