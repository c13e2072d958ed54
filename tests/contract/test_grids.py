"""The grid in force keeps every edge and category of the reference's, and adds what the contract must count exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.contract.grids import edges_of, grid_for, rule_column
from service.messages import LABEL, SCORE, Column, Role
from service.monitor import Monitor
from service.promises import Contract, Promise, RowRule
from service.reference.regrid import regrid_sketch
from service.sketches.codec import grid_from_bytes, grid_to_bytes
from service.sketches.grids import CategoryGrid, Grid, NumberGrid, default_number_grid
from tests.contract.rows import counted, feature, grid_of


def in_force(contract: Contract | None, base: Grid) -> Grid:
    """The grid of a monitor with this contract."""
    return grid_for(Monitor("m", contract=contract), base)


def test_without_a_contract_it_is_the_references_own() -> None:
    base = grid_of("x")
    assert in_force(None, base) is base


def test_a_contract_that_adds_nothing_leaves_the_same_grid() -> None:
    base = grid_of("x", country=["DE", "FR"])
    contract = Contract({"x": Promise(present=0.9), "country": Promise(categories=("DE",))})
    assert in_force(contract, base).id == base.id


@given(
    low=st.none() | st.floats(-1e300, 1e300),
    high=st.none() | st.floats(-1e300, 1e300),
    categories=st.lists(st.floats(-1e9, 1e9).map(repr), max_size=4),
    integer=st.booleans(),
)
def test_edges_stay_ascending_finite_and_different(
    low: float | None, high: float | None, categories: list[str], *, integer: bool
) -> None:
    promise = Promise(low=low, high=high, categories=tuple(categories), integer=integer)
    base = grid_of("x")
    edges = in_force(Contract({"x": promise}), base).numbers[0].edges
    assert (np.diff(edges) > 0).all()
    assert np.isfinite(edges).all()
    assert np.isin(base.numbers[0].edges, edges).all()
    assert np.isin(edges_of(promise), edges).all()


def test_the_moments_of_a_column_stay_those_of_the_reference() -> None:
    base = Grid((NumberGrid(feature("x"), np.array([0.0, 1.0]), 5.0, 2.0),))
    made = in_force(Contract({"x": Promise(low=0.5)}), base).numbers[0]
    assert (made.centre, made.scale, made.edges.tolist()) == (5.0, 2.0, [0.0, 0.5, 1.0])


def test_categories_are_added_in_the_order_of_their_names() -> None:
    base = grid_of(country=["FR", "DE"])
    made = in_force(Contract({"country": Promise(categories=("IT", "DE"))}), base)
    assert made.texts[0].categories == ("DE", "FR", "IT")
    made = in_force(Contract({"country": Promise(constant="AT")}), base)
    assert made.texts[0].categories == ("AT", "DE", "FR")


def test_a_feature_that_only_the_contract_knows_gets_a_column_when_its_kind_is_told() -> None:
    contract = Contract(
        {
            "amount": Promise(low=0),
            "country": Promise(categories=("DE",)),
            "id": Promise(unique=0.9),
            "name": Promise(type="category"),
        }
    )
    made = in_force(contract, Grid())
    assert [one.column.name for one in made.numbers] == ["amount"]
    assert [one.column.name for one in made.texts] == ["country", "name"]


def test_each_rule_has_a_column_of_0_and_1_between_features_and_labels() -> None:
    base = Grid((*grid_of("x").numbers, default_number_grid(SCORE), default_number_grid(LABEL)))
    made = in_force(Contract(rules=(RowRule("r", "x > 0"), RowRule("s", "x > 1"))), base)
    assert [one.column for one in made.numbers] == [
        feature("x"), SCORE, rule_column("r"), rule_column("s"), LABEL,
    ]  # fmt: skip
    assert made.count_of(labels=False) == (4, 0)


def test_rules_of_a_learned_reference_do_not_stay() -> None:
    base = Grid((*grid_of("x").numbers, default_number_grid(rule_column("old"))))
    made = in_force(Contract(rules=(RowRule("new", "x > 0"),)), base)
    assert [one.column for one in made.numbers] == [feature("x"), rule_column("new")]


def test_a_promise_is_about_features_only() -> None:
    base = Grid((default_number_grid(SCORE),), (CategoryGrid(Column(Role.PREDICTION, "prediction"), ()),))
    contract = Contract(
        {"score": Promise(low=0.123, type="number"), "prediction": Promise(categories=("yes",))}
    )
    made = in_force(contract, base)
    assert 0.123 not in made.numbers[made.number_at[SCORE]].edges
    assert made.texts[made.text_at[Column(Role.PREDICTION, "prediction")]].categories == ()


def test_the_grid_is_the_same_from_run_to_run_and_through_its_bytes() -> None:
    contract = Contract(
        {"x": Promise(low=0.1, high=7.7), "b": Promise(type="number")}, (RowRule("r", "x > 0"),)
    )
    one, other = (in_force(contract, grid_of("x")) for _ in range(2))
    assert one.id == other.id == grid_from_bytes(grid_to_bytes(one)).id


def test_counts_come_down_to_the_references_grid_without_loss() -> None:
    base = grid_of("x", country=["DE", "FR"])
    contract = Contract(
        {"x": Promise(low=0.37, high=2.2, integer=True), "country": Promise(categories=("DE", "IT"))},
        (RowRule("r", "x > 0"),),
    )
    rng = np.random.default_rng(2)
    rows = [
        {"x": float(v), "country": c}
        for v, c in zip(rng.normal(1, 2, 500), rng.choice(["DE", "IT", "XX"], 500), strict=True)
    ]
    plain, down = counted(rows, Contract(), base), regrid_sketch(counted(rows, contract, base), base)
    assert down.numbers.counts.tolist() == plain.numbers.counts.tolist()
    assert down.categories.counts.tolist() == plain.categories.counts.tolist()
    assert down.categories.unseen[0].counts == plain.categories.unseen[0].counts
    assert down.extras.keys() == {rule_column("r")}


@pytest.mark.parametrize("bounds", [(0, 127), (0.5, 9.5)])
def test_between_narrow_bounds_every_integer_is_a_bin(bounds: tuple[float, float]) -> None:
    low, high = bounds
    edges = edges_of(Promise(low=low, high=high, integer=True))
    whole = np.arange(np.ceil(low), high + 1)[: int(high - low) + 1]
    assert np.isin(whole[whole <= high], edges).all()
    assert len(edges_of(Promise(low=0, high=128, integer=True))) == 2
