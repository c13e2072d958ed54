"""Rows that are known by bins are laid on the grid of scores, none lost, and no surer than the bins are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.performance.score_grid import fine_grid
from service.messages import SCORE
from service.performance.rows import BinnedRows, ScoredRows, scored_rows
from service.sketches.grids import number_grid

FINE = fine_grid()


def binned(values: np.ndarray, trained_on: np.ndarray) -> BinnedRows:
    """Values in the bins that a reference gives them."""
    edges = number_grid(SCORE, trained_on).edges
    counts = np.bincount(edges.searchsorted(values, side="right"), minlength=len(edges) + 1)
    return BinnedRows(edges, counts, float(values.min()), float(values.max()))


def scored(values: np.ndarray, trained_on: np.ndarray, positive: int | str = 0) -> ScoredRows:
    """The same on the grid of scores."""
    made = scored_rows(binned(values, trained_on), positive, len(values))
    assert made is not None
    return made


def test_scores_that_have_a_bin_of_their_own_are_where_they_are() -> None:
    random = np.random.default_rng(1)
    values = random.choice([0.0, 0.003, 0.25, 0.5, 0.999, 1.0], 5_000)
    found = scored(values, values)
    assert (found.counts == np.bincount(FINE.place(values)[0], minlength=FINE.size)).all()
    assert found.left_open(FINE.points) == 0
    assert found.predictions.off_grid == 0


def test_other_scores_are_off_by_no_more_than_their_bin_and_so_it_is_said() -> None:
    random = np.random.default_rng(2)
    values = random.beta(2, 5, 20_000)
    found = scored(values, random.beta(2, 5, 20_000))
    exact = np.bincount(FINE.place(values)[0], minlength=FINE.size)
    between = np.abs(np.cumsum(found.counts) - np.cumsum(exact))
    assert found.counts.sum() == 20_000
    assert between.max() <= 20_000 / 256 * 1.5
    off = np.abs(np.sort(np.repeat(FINE.points, found.counts)) - np.sort(np.repeat(FINE.points, exact)))
    assert 0 < off.mean() < found.left_open(FINE.points) < 0.02
    assert found.predictions.off_grid > 0


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=60),
    st.lists(st.floats(0, 1), min_size=1, max_size=60),
    st.integers(0, 60),
)
def test_no_row_is_lost_and_the_positive_ones_are_those_of_the_highest_scores(
    values: list[float], trained_on: list[float], positive: int
) -> None:
    positive = min(positive, len(values))
    found = scored(np.array(values), np.array(trained_on), positive)
    assert (found.counts.sum(), found.n) == (len(values), len(values))
    assert (found.lowest <= np.arange(FINE.size)).all()
    assert (found.highest >= np.arange(FINE.size)).all()
    negatives, positives, others = found.predictions.counts
    assert (positives.sum(), negatives.sum(), others.sum()) == (positive, len(values) - positive, 0)
    if positives.any() and negatives.any():
        assert np.flatnonzero(positives).min() >= np.flatnonzero(negatives).max()


def test_decisions_that_nobody_knows_are_none() -> None:
    found = scored(np.linspace(0, 1, 50), np.linspace(0, 1, 50), "no_decisions_beside_scores")
    assert found.predictions.counts[:2].sum() == 0
    assert found.predictions.rows == 50


@pytest.mark.parametrize("odd", [-0.5, 1.5, 37.0])
def test_a_hundredth_of_scores_may_be_no_probability_and_more_are_no_scores(odd: float) -> None:
    trained_on = np.linspace(0, 1, 1_000)
    few, many = (np.concatenate([trained_on, np.full(n, odd)]) for n in (10, 20))
    assert scored(few, trained_on).counts.sum() == 1_010
    assert scored_rows(binned(many, trained_on), 0, 1_020) is None


def test_rows_between_their_own_edges_are_as_they_were_counted() -> None:
    rows = binned(np.linspace(0, 1, 77), np.linspace(0, 1, 1_000))
    assert (rows.between(rows.edges) == rows.counts).all()
    coarse = rows.between(np.array([0.25, 0.5]))
    assert (coarse.sum(), list(np.abs(coarse - [19, 19, 39]) <= 1)) == (77, [True] * 3)
