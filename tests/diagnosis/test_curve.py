"""A column as a line: shares, quantiles and exact values are those of its rows, whatever is converted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.diagnosis.curve import beside, curve_of, on_steps
from service.sketches.grids import exact_edges, log_edges
from tests.diagnosis.number_views import skewed, views

atoms = st.lists(st.integers(-50, 50), min_size=2, max_size=80)


def curve(values):
    return curve_of(views(np.asarray(values, float), None, np.asarray(values, float))[0].numbers)


@given(atoms, st.sampled_from([1.0, 0.1, 1.609344, 2.2046226, -1.0, 100.0, 1 / 3]))
def test_shares_of_exact_values_survive_a_conversion_and_back(values, ratio):
    made = curve(values)
    for value in set(values):
        there = np.array(value * ratio)
        assert made.share_of(there / ratio) == pytest.approx(values.count(value) / len(values))


def test_shares_and_quantiles_are_those_of_the_rows():
    values = skewed(5000)
    made = curve(values)
    for share in (0.01, 0.3, 0.5, 0.9, 0.99):
        at = np.quantile(values, share)
        assert made.share_below(np.array([at]))[0] == pytest.approx(share, abs=0.005)
        assert made.quantiles(np.array([share]))[0] == pytest.approx(at, rel=0.02)
    assert (made.low, made.high, made.rows) == (values.min(), values.max(), 5000)


def test_moments_are_those_of_the_rows():
    values = np.random.default_rng(0).normal(3, 2, 5000)
    assert curve(values).moments() == pytest.approx((values.mean(), values.std()), rel=0.02)


def test_atoms_are_the_values_with_a_bin_of_their_own():
    values, shares = curve([0.0, 0.0, 0.0, 2.5]).atoms()
    assert values == pytest.approx([0.0, 2.5])
    assert shares == pytest.approx([0.75, 0.25])


def test_rows_of_a_column_of_integers_stand_on_integers():
    values = np.rint(skewed(5000) * 100)
    made = on_steps(curve(values), 1.0)
    below, upto = made.share_below(np.array([140.2, 140.8]))
    assert below == upto
    assert made.rows == 5000


def test_a_value_on_an_edge_belongs_above_it_and_an_exact_value_keeps_both_edges():
    edges = np.unique(np.concatenate([log_edges(), exact_edges(np.array([7.0]))]))
    moved = beside(edges)
    assert (np.diff(moved) > 0).all()
    for power in range(-5, 13):
        nearest = np.argmin(np.abs(edges / 10.0**power - 1))
        assert np.sign(moved[nearest] - 10.0**power) == (1 if edges[nearest] > 10.0**power else -1)
    assert np.count_nonzero((moved > 7.0 - 1e-6) & (moved < 7.0)) == 1
    assert np.count_nonzero((moved > 7.0) & (moved < 7.0 + 1e-6)) == 1
