"""The orchestrator: every kind of diagnosis is asked, and the one that explains most is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
import pytest

from service.diagnosis.diagnose import LEAST_CONFIDENCE, Patient, diagnose
from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.places import Part, Places
from service.diagnosis.view import SliceView
from service.messages import Cause, Column, Partition
from tests.diagnosis.slices import Table, column, drawn, grid_of, normal, slice_of

N = 2_000
COLORS = {"red": 0.5, "green": 0.3, "blue": 0.2}


def usual(seed: int, n: int = N) -> dict[str, list[object]]:
    """Rows as they always are."""
    rng = np.random.default_rng(seed)
    return {
        "weight": rng.normal(75.0, 12.0, n).round(1).tolist(),
        "age": rng.integers(18, 90, n).tolist(),
        "income": np.exp(rng.normal(8, 1, n)).round(2).tolist(),
        "color": drawn(COLORS, n, seed + 1),
    }


REFERENCE = usual(1, 8_000)
GRID = grid_of(REFERENCE)


def patient_of(current: Table, *, before: bool = True) -> Patient:
    """A slice that rings, with usual rows just before it."""
    return Patient(
        slice_of(REFERENCE, GRID), slice_of(usual(2), GRID) if before else None, slice_of(current, GRID)
    )


def said(current: Table, ringing: Collection[str], *, before: bool = True) -> Mapping[Column, Diagnosis]:
    """What is said of these columns."""
    return diagnose(patient_of(current, before=before), [column(name) for name in ringing])


def broken(**columns: list[object]) -> dict[str, list[object]]:
    """Usual rows, of which some columns are others."""
    return {**usual(3), **columns}


WEIGHTS = usual(3)["weight"]
FAULTS = [
    ("a unit", broken(weight=[round(float(w) * 2.2046226, 1) for w in WEIGHTS]), "weight", Cause.UNIT_CHANGE),  # type: ignore[arg-type]
    ("nulls", broken(weight=[None if i % 4 == 0 else w for i, w in enumerate(WEIGHTS)]), "weight", Cause.MISSING),
    ("all null", broken(income=[None] * N), "income", Cause.MISSING),
    ("texts for numbers", broken(age=["abc"] * N), "age", Cause.TYPE_CHANGE),
    ("a stuck value", broken(income=[2_981.5] * N), "income", Cause.STUCK_FEATURE),
    ("a new category", broken(color=drawn({**COLORS, "red": 0.3, "violet": 0.2}, N, 5)), "color", Cause.NEW_CATEGORY),
    ("upper case", broken(color=[str(c).upper() for c in usual(3)["color"]]), "color", Cause.CATEGORY_ENCODING),
    ("a shift", broken(weight=normal(N, 4, 79.0, 12.0)), "weight", Cause.DATA_DRIFT),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "name", "cause"), [fault[1:] for fault in FAULTS], ids=[f[0] for f in FAULTS]
)
@pytest.mark.parametrize("before", [True, False], ids=["with rows before", "without"])
def test_each_fault_is_named_with_numbers_that_can_be_stored(
    table: Table, name: str, cause: Cause, before: bool
) -> None:
    found = said(table, [name], before=before)[column(name)]
    assert found.cause is cause
    assert LEAST_CONFIDENCE <= found.confidence <= 1.0
    assert found.columns[0] == column(name)
    assert name in found.sentence
    assert {type(value) for value in found.evidence.values()} <= {float, int, str}
    assert type(found.confidence) is float


def test_a_swap_explains_both_of_its_columns_with_one_diagnosis() -> None:
    rows = usual(3)
    found = said({**rows, "weight": rows["income"], "income": rows["weight"]}, ["weight", "income"])
    assert found[column("weight")].cause is Cause.SWAP
    assert found[column("weight")] == found[column("income")]
    assert set(found[column("weight")].columns) == {column("weight"), column("income")}


def test_only_ringing_columns_are_spoken_of() -> None:
    table = broken(income=[None] * N, age=["abc"] * N)
    assert set(said(table, ["age"])) == {column("age")}
    assert said(table, []) == {}


def test_a_column_that_nobody_knows_has_no_diagnosis() -> None:
    assert said(usual(3), ["nobody"]) == {}


def test_what_is_not_sure_enough_is_not_said() -> None:
    found = said(usual(3), ["weight", "age", "income", "color"])
    assert all(one.confidence >= LEAST_CONFIDENCE for one in found.values())
    assert {one.cause for one in found.values()} <= {Cause.DATA_DRIFT}


def test_the_order_in_which_columns_ring_changes_nothing() -> None:
    table = broken(income=[None] * N, age=["abc"] * N)
    names = ["income", "age", "weight"]
    assert said(table, names) == said(table, names[::-1])


def placed(sick: Patient, **parts: tuple[SliceView, SliceView | None]) -> Patient:
    """With its rows in partitions 0, 1, ... of a topic, each beside its own rows before."""

    def places(of: Column) -> Places:
        named = enumerate(parts.values())
        return Places(
            partitions={
                Partition("events", i): Part(now.columns[of], None if was is None else was.columns[of])
                for i, (now, was) in named
            }
        )

    return replace(sick, places=places)


def test_the_slice_where_it_is_is_said() -> None:
    half = [None if i % 2 else w for i, w in enumerate(WEIGHTS)]
    sick, of = patient_of(broken(weight=half)), column("weight")
    well = slice_of(broken(weight=list(WEIGHTS)), GRID).columns[of]
    ill = slice_of({n: v[: N // 2] for n, v in broken(weight=[None] * N).items()}, GRID).columns[of]
    parts = {"country=FR": Part(well), "country=DE": Part(ill)}
    there = replace(sick, places=lambda _: Places(sick.current.columns[of], parts))
    found = diagnose(there, [of])[of]
    assert "only for country=DE (all its rows)" in found.sentence
    assert found.evidence["slice"] == "country=DE"


POUNDS = broken(weight=[round(float(w) * 2.2046226, 1) for w in WEIGHTS])  # type: ignore[arg-type]


def test_the_partition_whose_producer_broke_is_said_of_what_is_not_missing_either() -> None:
    both = {name: [*usual(7)[name], *values] for name, values in POUNDS.items()}
    well, before = slice_of(usual(7), GRID), slice_of(usual(8), GRID)
    sick = placed(patient_of(both), first=(well, before), second=(slice_of(POUNDS, GRID), before))
    found = diagnose(sick, [column("weight")])[column("weight")]
    assert found.cause is Cause.UNIT_CHANGE
    assert found.sentence.endswith("; only in partition 1 of topic events (50 % of the events)")
    assert found.evidence["partition"] == "partition 1 of topic events"


def test_what_broke_in_every_partition_has_no_place() -> None:
    before, now = slice_of(usual(8), GRID), slice_of(POUNDS, GRID)
    sick = placed(patient_of(POUNDS), first=(now, before), second=(now, before))
    found = diagnose(sick, [column("weight")])[column("weight")]
    assert "only" not in found.sentence
    assert "partition" not in found.evidence
