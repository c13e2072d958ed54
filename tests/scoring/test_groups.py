"""Groups: every row is counted in exactly one, and what the reference never saw in a place of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.messages import Missing
from service.scoring.groups import CATEGORIES, GROUPS, RANGE, RATES, UNSEEN, Groups, make_groups
from service.sketches.grids import Grid, category_grid, number_grid
from service.sketches.pane import PaneSketch
from tests.scoring.sketches import AMOUNT, COUNTRY, GRID, REFERENCE, amounts, countries, sketch_of

BELOW, ABOVE, OFF = 0, -2, -1


def of(reference: PaneSketch, fewest: int = 30) -> Groups:
    """Groups of a reference."""
    return make_groups(reference, fewest)


def counted(groups: Groups, sketch: PaneSketch) -> tuple[np.ndarray, np.ndarray]:
    """The counts of the amount and of the country."""
    counts = groups.counts(sketch)
    return counts[0], counts[1]


VALUES = st.one_of(
    st.none(), st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, 1.0, 5e-324])
)
TEXTS = st.one_of(st.none(), st.sampled_from(["DE", "FR", "IT", "ZZ", "", "ZY"]))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(VALUES, TEXTS), max_size=50))
def test_every_value_is_in_exactly_one_group_and_every_other_cell_is_one_kind_of_missing(
    rows: list[tuple[Any, Any]],
) -> None:
    sketch = sketch_of([a for a, _ in rows], [c for _, c in rows])
    groups = of(REFERENCE)
    counts = groups.counts(sketch)
    hits, of_rows = groups.rates(sketch, counts)
    assert counts.sum(axis=1).tolist() == [
        sketch.numbers.column_counts(0).sum(),
        sketch.categories.column_counts(0).sum() + sketch.categories.unseen[0].total,
    ]
    assert (counts.sum(axis=1) + hits[:, : len(Missing)].sum(axis=1)).tolist() == [len(rows)] * 2
    assert (of_rows[:, : len(Missing)] == len(rows)).all()
    assert (of_rows[:, RANGE:] == counts.sum(axis=1)[:, None]).all()


def test_the_references_own_rows_are_in_no_surprising_group_and_in_groups_of_about_equal_mass() -> None:
    groups = of(REFERENCE)
    counts = groups.counts(REFERENCE)
    assert groups.columns == (AMOUNT, COUNTRY)
    assert (counts[groups.surprising] == 0).all()
    inner = counts[0][counts[0] > 0]
    assert GROUPS - 3 <= len(inner) <= GROUPS + 4
    assert inner.max() < 2 * 5_000 / GROUPS
    # one row in a hundred on each side has a group of its own, as far as bins are fine enough
    assert inner[0] < 5_000 * 0.025
    assert inner[-1] < 5_000 * 0.025


def test_values_below_and_above_all_of_the_reference_are_counted_apart() -> None:
    groups = of(REFERENCE)
    low, high = float(REFERENCE.numbers.low[0]), float(REFERENCE.numbers.high[0])
    sketch = sketch_of([low - 1, -1e9, high + 1, 0.0, low, high], countries(6, 1))
    amount, _ = counted(groups, sketch)
    assert (amount[BELOW], amount[ABOVE], amount[OFF]) == (2, 1, 0)
    hits, _ = groups.rates(sketch, groups.counts(sketch))
    assert (hits[0, RANGE], hits[0, UNSEEN]) == (3, 0)


def test_values_between_those_of_a_lattice_were_never_seen() -> None:
    lattice = [float(v) for v in (1, 2, 5, 10)]
    grid = Grid((number_grid(AMOUNT, np.array(lattice * 100)),), GRID.texts)
    reference = sketch_of(lattice * 100, countries(400, 1), grid)
    groups = of(reference)
    sketch = sketch_of([1.0, 2.0, 3.0, 2.0000001, 5.0, 11.0, 0.5], countries(7, 1), grid)
    amount, _ = counted(groups, sketch)
    assert (amount[BELOW], amount[ABOVE], amount[OFF]) == (1, 1, 2)
    hits, _ = groups.rates(sketch, groups.counts(sketch))
    assert (hits[0, RANGE], hits[0, UNSEEN]) == (2, 2)


def test_values_between_those_of_a_continuous_column_are_nothing_new() -> None:
    groups = of(REFERENCE)
    amount, _ = counted(groups, sketch_of(amounts(2_000, 99), countries(2_000, 1)))
    assert amount[OFF] == 0


def test_a_value_that_is_heavy_has_a_group_of_its_own() -> None:
    values = [*[0.0] * 4_000, *amounts(6_000, 3)]
    grid = Grid((number_grid(AMOUNT, np.array(values)),), GRID.texts)
    reference = sketch_of(values, countries(10_000, 1), grid)
    amount, _ = counted(of(reference), reference)
    assert 4_000 in amount.tolist()


def test_categories_have_groups_the_rare_ones_together_and_unknown_ones_a_surprise() -> None:
    names = {f"c{i:02}": 500 - 10 * i for i in range(30)} | {f"rare{i}": 3 for i in range(5)}
    rows = [name for name, times in names.items() for _ in range(times)]
    grid = Grid(GRID.numbers, (category_grid(COUNTRY, names),))
    reference = sketch_of(amounts(len(rows), 1), rows, grid)
    groups = of(reference)
    current = sketch_of(amounts(7, 1), ["c00", "c00", "c01", "c29", "rare1", "new", "newer"], grid)
    _, country = counted(groups, current)
    assert country[:2].tolist() == [2, 1]
    assert country[CATEGORIES] == 2  # c29 is frequent, but not among the most frequent; rare1 is rare
    assert country[OFF] == 2
    hits, _ = groups.rates(current, groups.counts(current))
    assert (hits[1, UNSEEN], hits[1, RANGE]) == (2, 0)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [(None, Missing.NULL), (float("nan"), Missing.NAN), (float("inf"), Missing.INFINITE), ("", Missing.EMPTY),
     ("abc", Missing.WRONG_TYPE)],
)  # fmt: skip
def test_each_kind_of_missing_is_a_rate_of_its_own(cell: object, kind: Missing) -> None:
    sketch = sketch_of([cell, cell, 0.5, 0.25], ["DE"] * 4)
    groups = of(REFERENCE)
    hits, rows = groups.rates(sketch, groups.counts(sketch))
    assert hits.shape == (2, RATES)
    assert np.argwhere(hits).tolist() == [[0, kind]]
    assert (hits[0, kind], rows[0, kind]) == (2, 4)


def test_a_column_of_which_the_reference_has_too_few_values_has_no_groups_and_disturbs_no_other() -> None:
    reference = sketch_of([*amounts(20, 1), *[None] * 500], countries(520, 2))
    groups = of(reference)
    assert groups.columns == (COUNTRY,)
    counts = groups.counts(sketch_of(amounts(100, 3), ["DE"] * 100))
    assert counts.sum() == 100
    hits, rows = groups.rates(
        sketch_of([None] * 10, ["DE"] * 10), groups.counts(sketch_of([None] * 10, ["DE"] * 10))
    )
    assert (hits.shape, hits.sum(), rows[0, 0]) == ((1, RATES), 0, 10)


def test_a_reference_without_any_value_has_no_columns() -> None:
    assert of(sketch_of([None] * 100, [None] * 100)).columns == ()
