"""How features go together: a broken pair is named, and what is no change of relations does not ring."""

from __future__ import annotations

import numpy as np
import pytest

from service.messages import Batch, Column, Finding, Role, Stream, TextColumn, Verdict
from service.scoring.relations import FEWEST_ROWS, TOLERANCES, relation_findings, relations_of
from service.sketches.grids import Grid, number_grid
from service.sketches.pane import PaneSketch
from tests.scoring.sketches import merged

NAMES = ("height", "weight", "age", "income")
COLUMNS = tuple(Column(Role.FEATURE, name) for name in NAMES)
GRID = Grid(tuple(number_grid(c, np.random.default_rng(1).normal(0, 1, 5_000)) for c in COLUMNS))
ALPHA = 1e-6


def rows(
    n: int, seed: int, *, goes_with: float = 0.9, permuted: int | None = None, shift: float = 0.0
) -> PaneSketch:
    """Heights and weights that go together, ages and incomes a little; one column may be permuted."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1, (4, n))
    z[1] = goes_with * z[0] + np.sqrt(1 - goes_with**2) * z[1]
    z[3] = 0.5 * z[2] + np.sqrt(0.75) * z[3]
    if permuted is not None:
        z[permuted] = rng.permutation(z[permuted])
    sketch = PaneSketch(GRID)
    sketch.add(
        Batch(
            "churn", 1, Stream.INFERENCE, np.arange(n), np.zeros(n, np.int64), np.zeros(n, np.uint64),
            TextColumn(np.zeros(n, np.int32), ("7",)), z + shift, [],
        ),
        slice(None),
    )  # fmt: skip
    return sketch


BLOCKS = [rows(500, seed) for seed in range(16)]
REFERENCE = merged(BLOCKS)


def found(current: PaneSketch, ringing: tuple[Column, ...] = ()) -> dict[str, Finding]:
    """Findings by method."""
    usual = relations_of(REFERENCE, BLOCKS, frozenset(ringing))
    return {f.method: f for f in relation_findings(usual, current, ALPHA)}


@pytest.mark.parametrize("seed", range(100, 110))
def test_rows_that_go_together_as_they_did_do_not_ring(seed: int) -> None:
    told = found(rows(500, seed))
    assert set(told) == {"correlation", "pca"}
    assert [f.verdict for f in told.values()] == [Verdict.OK, Verdict.OK]
    assert [f.column for f in told.values()] == [None, None]


@pytest.mark.parametrize("column", [0, 1])
def test_a_permuted_column_rings_though_no_distribution_has_changed_and_one_of_its_pair_is_named(
    column: int,
) -> None:
    told = found(rows(500, 200, permuted=column))["correlation"]
    assert told.verdict is Verdict.DRIFT
    assert told.column in COLUMNS[:2]
    assert told.value == pytest.approx(0.9, abs=0.15)
    assert told.p_value is not None
    assert told.p_value < ALPHA


def test_a_column_that_goes_with_several_others_is_named_alone() -> None:
    def family(n: int, seed: int, *, broken: bool) -> PaneSketch:
        rng = np.random.default_rng(seed)
        common = rng.normal(0, 1, n)
        z = 0.9 * common + 0.44 * rng.normal(0, 1, (4, n))
        z[2] = rng.permutation(z[2]) if broken else z[2]
        sketch = PaneSketch(GRID)
        batch = Batch(
            "churn", 1, Stream.INFERENCE, np.arange(n), np.zeros(n, np.int64), np.zeros(n, np.uint64),
            TextColumn(np.zeros(n, np.int32), ("7",)), z, [],
        )  # fmt: skip
        sketch.add(batch, slice(None))
        return sketch

    blocks = [family(500, seed, broken=False) for seed in range(16)]
    told = relation_findings(relations_of(merged(blocks), blocks), family(500, 99, broken=True), ALPHA)
    assert {f.method: f.column for f in told if f.verdict is Verdict.DRIFT}["correlation"] == COLUMNS[2]


def test_columns_that_moved_all_together_are_no_break_of_relations() -> None:
    assert {f.verdict for f in found(rows(500, 300, shift=2.0)).values()} == {Verdict.OK}


def test_a_change_too_small_to_matter_does_not_ring_however_many_rows_show_it() -> None:
    told = found(rows(400_000, 7, goes_with=0.86))
    assert told["correlation"].p_value is not None
    assert told["correlation"].p_value < ALPHA
    assert told["correlation"].verdict is Verdict.OK
    assert all(f.limit is not None and f.limit >= TOLERANCES[f.method] for f in told.values())
    assert TOLERANCES["pca"] > 1.0  # its value is a ratio: 1 is no change


def test_a_column_that_rings_by_itself_is_left_out() -> None:
    assert found(rows(500, 200, permuted=0), ringing=COLUMNS[:1])["correlation"].verdict is Verdict.OK
    assert found(rows(500, 200, permuted=0), ringing=COLUMNS[2:3])["correlation"].verdict is Verdict.DRIFT
    assert found(rows(500, 200, permuted=0), ringing=COLUMNS[:3]) == {}


def test_too_few_rows_say_nothing() -> None:
    assert found(rows(FEWEST_ROWS - 1, 1, permuted=0)) == {}
    assert found(rows(FEWEST_ROWS, 1)) != {}


def test_without_blocks_the_correlations_are_still_known_and_the_subspace_is_not() -> None:
    told = relation_findings(relations_of(REFERENCE, []), rows(500, 200, permuted=0), ALPHA)
    assert [(f.method, f.verdict) for f in told] == [("correlation", Verdict.DRIFT)]
