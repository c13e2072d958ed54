"""A classifier tells rows apart by how their columns go together, and by nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from service.messages import Verdict
from service.scoring.apart import FEWEST_ROWS, TOLERANCE, apart_of, is_alike, told_apart
from service.scoring.sampled_rows import SampledRows
from tests.judging.joint_streams import COLUMNS, Draw, independent, parabola, permuted, ring

CALM = np.ones(64)


def rows(draw: Draw, seed: int, n: int = 500) -> SampledRows:
    """So many rows of one window."""
    rng = np.random.default_rng(seed)
    priorities = np.sort(rng.integers(1, 2**60, n)).astype(np.uint64)
    return SampledRows(COLUMNS, draw(rng, n), priorities, np.zeros(n, np.int64))


@pytest.mark.parametrize("draw", [parabola, ring])
def test_features_that_part_are_told_apart_and_have_the_largest_shares(draw: Draw) -> None:
    found = apart_of(rows(draw, 1), rows(permuted(draw), 2), CALM, 1e-6)
    assert found is not None
    assert found.finding.verdict is Verdict.DRIFT
    told = told_apart(rows(draw, 1), rows(permuted(draw), 2))
    assert told is not None
    assert sum(told.shares[c] for c in COLUMNS[:2]) > 0.7
    assert found.deviation == pytest.approx(told.deviation)


@pytest.mark.parametrize("seed", range(3))
def test_values_that_moved_spread_or_were_cut_off_are_not_told_apart(seed: int) -> None:
    now = rows(ring, 100 + seed)
    moved = replace(
        now, values=np.array([[3.0], [0.0], [-9.0], [0.0]]) + now.values * [[2.0], [5.0], [0.1], [1.0]]
    )
    bent = replace(moved, values=np.exp(moved.values))
    for other in (now, moved, bent):
        found = apart_of(rows(ring, seed), other, CALM, 1e-3)
        assert found is not None
        assert found.finding.verdict is Verdict.OK


@pytest.mark.parametrize("gone", ["before", "now"])
def test_a_column_that_one_side_misses_more_often_is_left_out(gone: str) -> None:
    sides = {"before": rows(ring, 1), "now": rows(permuted(ring), 2)}
    one = sides[gone]
    holes = np.outer(np.arange(len(COLUMNS)) == 3, np.arange(one.rows) % 3 > 0)
    sides[gone] = replace(one, values=np.where(holes, np.nan, one.values))

    told = told_apart(sides["before"], sides["now"])
    alone = told_apart(sides["before"].of(COLUMNS[:3]), sides["now"].of(COLUMNS[:3]))
    assert told is not None
    assert told == alone
    found = apart_of(
        rows(ring, 1),
        replace(rows(ring, 2), values=np.where(holes, np.nan, rows(ring, 2).values)),
        CALM,
        1e-3,
    )
    assert found is not None
    assert found.finding.verdict is Verdict.OK


def test_a_column_that_both_sides_miss_alike_is_kept() -> None:
    holes = np.outer(np.arange(len(COLUMNS)) == 0, np.arange(500) % 3 == 0)
    before, now = (
        replace(one, values=np.where(holes, np.nan, one.values))
        for one in (rows(ring, 1), rows(permuted(ring), 2))
    )
    told = told_apart(before, now)
    assert told is not None
    assert set(told.shares) == set(COLUMNS)


def test_windows_that_always_differ_must_differ_by_more() -> None:
    before, now = rows(ring, 1), rows(permuted(ring), 2)
    restless = apart_of(before, now, 4.0 * CALM, 1e-6)
    assert restless is not None
    assert restless.finding.verdict is Verdict.OK


def test_windows_that_slide_are_fewer_than_they_seem() -> None:
    before, now = rows(ring, 1), rows(permuted(ring), 2)
    found = [apart_of(before, now, CALM, 1e-6, sliding) for sliding in (1, 4, 6)]
    limits = [one.finding.limit for one in found if one is not None]
    assert limits[2] is None
    assert (limits[0] or 1.0) < (limits[1] or 0.0)


def test_a_difference_too_small_to_matter_has_a_limit_above_it() -> None:
    found = apart_of(rows(independent, 1), rows(independent, 2), CALM, 0.9)
    assert found is not None
    assert found.finding.limit == TOLERANCE


def test_rows_are_alike_that_go_together_in_the_same_way() -> None:
    now = rows(permuted(ring), 2)
    found = apart_of(rows(ring, 1), now, CALM, 1e-6)
    assert found is not None
    assert is_alike(rows(permuted(ring), 3), now, found)
    assert not is_alike(rows(ring, 3), now, found)
    assert not is_alike(rows(permuted(ring), 3, FEWEST_ROWS - 1), now, found)


def test_too_few_rows_or_columns_say_nothing() -> None:
    enough, few = rows(ring, 1, FEWEST_ROWS), rows(ring, 2, FEWEST_ROWS - 1)
    assert apart_of(enough, enough, CALM, 1e-6) is not None
    assert apart_of(enough, few, CALM, 1e-6) is None
    assert apart_of(few, enough, CALM, 1e-6) is None
    assert apart_of(enough.of(COLUMNS[:1]), enough.of(COLUMNS[:1]), CALM, 1e-6) is None
    empty = replace(enough, values=np.where(np.arange(4)[:, None] > 0, np.nan, enough.values))
    assert told_apart(enough, empty) is None
