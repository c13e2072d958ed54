"""Fields under new names are recognised by their values."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET

from service.diagnosis.fields import appeared_fields, vanished_fields
from service.diagnosis.rename import diagnose_renames, find_renames
from service.messages import Cause
from tests.diagnosis.slices import column, drawn, grid_of, normal, slice_of


def table(n: int, seed: int) -> dict[str, list[Any]]:
    return {
        "age": [float(round(x)) for x in normal(n, seed, 40, 10)],
        "balance": normal(n, seed + 100, 1_000, 400),
        "rate": normal(n, seed + 200, 0.5, 0.1),
        "job": drawn({"clerk": 0.5, "nurse": 0.3, "cook": 0.2}, n, seed),
        "month": drawn({"may": 0.6, "jun": 0.4}, n, seed + 1),
    }


REFERENCE = table(5_000, 1)
GRID = grid_of(REFERENCE)


def renames(now: dict[str, list[Any]], before: dict[str, list[Any]] | None = None) -> dict[str, str]:
    reference, current = slice_of(REFERENCE, GRID), slice_of(now, GRID)
    earlier = slice_of(before, GRID) if before is not None else None
    found = find_renames(
        vanished_fields(reference, earlier, current), appeared_fields(reference, earlier, current)
    )
    said = diagnose_renames(found, current.rows)
    assert all(one.cause is Cause.RENAME for one in said)
    return {one.columns[0].name: one.columns[1].name for one in said}


def called(names: dict[str, str], n: int = 400, seed: int = 2) -> dict[str, list[Any]]:
    return {names.get(name, name): values for name, values in table(n, seed).items()}


@pytest.mark.parametrize("name", ["age", "balance", "rate", "job", "month"])
@pytest.mark.parametrize("n", [100, 1_000])
def test_a_field_under_a_meaningless_name_is_known_by_its_values(name: str, n: int):
    assert renames(called({name: "f_17"}, n)) == {name: "f_17"}


@pytest.mark.parametrize("seed", range(2, 8))
def test_all_fields_at_once_are_told_from_each_other(seed: int):
    names = {"age": "x1", "balance": "x2", "rate": "x3", "job": "x4", "month": "x5"}
    assert renames(called(names, 300, seed)) == names


def test_a_rename_in_a_third_of_the_rows_is_one():
    now = table(900, 2)
    moved = [i % 3 == 0 for i in range(900)]
    values = now.pop("balance")
    now["balance"] = [UNSET if m else x for m, x in zip(moved, values, strict=True)]
    now["saldo"] = [x if m else UNSET for m, x in zip(moved, values, strict=True)]
    assert renames(now) == {"balance": "saldo"}


def test_null_under_the_old_name_is_a_rename_too():
    now = called({"balance": "saldo"})
    assert renames(now | {"balance": [None] * 400}) == {"balance": "saldo"}


def test_the_sentence_and_its_evidence():
    reference, current = slice_of(REFERENCE, GRID), slice_of(called({"balance": "Balance"}), GRID)
    (pair,) = find_renames(
        vanished_fields(reference, None, current), appeared_fields(reference, None, current)
    )
    (said,) = diagnose_renames([pair], current.rows)
    assert said.sentence == "feature balance is sent as 'Balance' in every row: its values fit"
    assert said.columns == (column("balance"), column("Balance"))
    assert said.confidence > 0.95
    assert float(said.evidence["distance_of_values"]) < float(said.evidence["distance_by_chance"])


def test_the_same_name_in_another_spelling_survives_a_change_of_unit():
    now = called({"balance": "Balance"})
    now["Balance"] = [100 * x for x in now["Balance"]]
    assert renames(now) == {"balance": "Balance"}


def test_a_new_field_of_other_values_is_no_rename():
    assert not renames(called({}) | {"balance": [UNSET] * 400, "fresh": normal(400, 9, 9.0, 0.01)})
    assert not renames(called({}) | {"job": [UNSET] * 400, "fresh": drawn({"x": 0.5, "y": 0.5}, 400, 9)})


def test_a_new_field_in_other_rows_is_no_rename():
    now = called({"balance": "saldo"})
    now["balance"] = [UNSET if i % 10 == 0 else x for i, x in enumerate(now["saldo"])]
    assert not renames(now)


def test_a_field_that_was_there_before_is_no_new_name():
    before = table(400, 3) | {"saldo": table(400, 3)["balance"]}
    assert not renames(called({"balance": "saldo"}), before)


def test_drift_meanwhile_does_not_hide_the_only_candidate():
    now = called({"balance": "saldo"})
    now["saldo"] = [x + 250 for x in now["saldo"]]
    assert renames(now) == {"balance": "saldo"}


def test_drift_that_leaves_it_open_which_is_which_says_nothing():
    names = {"age": "x1", "years": "x2"}
    usual = {"age": normal(5_000, 1, 40, 5), "years": normal(5_000, 2, 42, 5)}
    grid = grid_of(usual)
    now = slice_of({names[k]: [x + 6 for x in v[:400]] for k, v in usual.items()}, grid)
    reference = slice_of(usual, grid)
    assert not find_renames(vanished_fields(reference, None, now), appeared_fields(reference, None, now))


def test_the_words_of_a_column_prove_it_though_a_season_moved_their_shares():
    usual = {"month": drawn({"jan": 0.4, "feb": 0.3, "mar": 0.2, "apr": 0.1}, 5_000, 1)}
    grid = grid_of(usual)
    reference, now = slice_of(usual, grid), slice_of({"m": ["apr"] * 300}, grid)
    (pair,) = find_renames(vanished_fields(reference, None, now), appeared_fields(reference, None, now))
    assert pair.confidence >= 0.8
