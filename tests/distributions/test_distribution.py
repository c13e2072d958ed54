"""Bars and curves are those that numpy finds in the values, as exactly as they say."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.distributions.distribution import Bar, Distribution, distribution
from service.distributions.ecdf import MOST_POINTS
from service.messages import Missing
from service.reference.regrid import regrid_sketch
from service.sketches.cells import cell
from service.sketches.extras import ExtraSketch
from service.sketches.grids import Grid
from tests.distributions.sides import AMOUNT, COUNTRY, FloatArray, grid_for, numbers, rows, texts

RNG = np.random.default_rng(20_261_122)
DRAWN = {
    "normal": (RNG.normal(50, 10, 5_000), RNG.normal(55, 12, 3_000)),
    "far apart": (RNG.lognormal(0, 3, 5_000), RNG.lognormal(1, 3, 2_000)),
    "a hundred times": (RNG.uniform(1, 80, 5_000), RNG.uniform(100, 8_000, 1_000)),
    "integers": (RNG.integers(0, 24, 5_000).astype(float), RNG.integers(3, 20, 900).astype(float)),
    "many integers": (RNG.integers(0, 9_000, 5_000).astype(float), RNG.integers(0, 9_000, 900).astype(float)),
    "two values": (RNG.choice([0.0, 1.0], 5_000), RNG.choice([0.0, 1.0, 0.5], 700)),
    "constant": (np.full(5_000, 7.25), np.full(60, 7.25)),
    "negative": (-RNG.exponential(3, 5_000), -RNG.exponential(5, 3_000)),
    "narrow and far from zero": (1.7e9 + RNG.uniform(0, 3_600, 5_000), 1.7e9 + RNG.uniform(0, 7_200, 600)),
    "one outlier": (np.append(RNG.normal(0, 1, 5_000), 1e9), RNG.normal(0, 1, 600)),
    "one row": (RNG.normal(0, 1, 5_000), np.array([0.3])),
    "huge": (1e308 * RNG.uniform(-1, 1, 5_000), 1e308 * RNG.uniform(-1, 1.7, 50)),
}


def compared(old: FloatArray, new: FloatArray) -> Distribution:
    grid = grid_for(old[~np.isnan(old)])
    return distribution(AMOUNT, rows(numbers(grid, new)), rows(numbers(grid, old), reference="churn-ref"))


def named(found: Distribution, what: str) -> dict[str, Bar]:
    return {bar.name: bar for bar in found.bars if bar.what == what}


@pytest.mark.parametrize("drawn", DRAWN)
def test_the_bars_hold_every_row_of_both_sides(drawn: str) -> None:
    old, new = DRAWN[drawn]
    found = compared(old, new)
    assert sum(bar.current or 0 for bar in found.bars) == found.current.rows == len(new)
    assert sum(bar.against or 0 for bar in found.bars) == found.against.rows == len(old)
    assert sum(bar.current_share or 0 for bar in found.bars) == pytest.approx(1)
    assert len(found.bars) < 60
    json.dumps(asdict(found), allow_nan=False)


@pytest.mark.parametrize("drawn", DRAWN)
def test_a_bar_is_off_by_no_more_than_the_curve_says(drawn: str) -> None:
    old, new = DRAWN[drawn]
    found = compared(old, new)
    for values, counts, resolution in (
        (new, [bar.current for bar in found.bars], found.ecdf.current_resolution),
        (old, [bar.against for bar in found.bars], found.ecdf.against_resolution),
    ):
        for bar, count in zip(found.bars, counts, strict=True):
            low, high = (-np.inf if bar.low is None else bar.low), (np.inf if bar.high is None else bar.high)
            mine = values == low if low == high else (values >= low) & (values < high)
            if bar.what in {"range", "value"} and not (low < high and {low, high} & set(values.tolist())):
                assert abs(mine.sum() - (count or 0)) <= 2 * (resolution or 0) * len(values) + 1, bar


@pytest.mark.parametrize("drawn", DRAWN)
def test_the_curves_are_those_of_the_values_within_their_resolution(drawn: str) -> None:
    old, new = DRAWN[drawn]
    curves = compared(old, new).ecdf
    points = np.array(curves.points)
    assert 2 <= len(points) <= MOST_POINTS
    assert (np.diff(points) > 0).all()
    between = np.concatenate([points, points[:-1] + np.diff(points / 2)])
    for values, below, resolution in (
        (new, curves.current, curves.current_resolution), (old, curves.against, curves.against_resolution),
    ):  # fmt: skip
        truth = np.searchsorted(np.sort(values), between, side="left") / len(values)
        assert np.abs(np.interp(between, points, below) - truth).max() <= (resolution or 0) + 1e-6
    assert (curves.against_resolution or 0) < 0.15


def test_on_the_reference_s_own_grid_the_curve_is_exact_at_its_points() -> None:
    old, new = DRAWN["normal"]
    curves = compared(old, new).ecdf
    truth = np.searchsorted(np.sort(new), np.array(curves.points), side="left") / len(new)
    assert np.abs(np.array(curves.current) - truth).max() < 1e-6


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=40),
    st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=40),
)
def test_any_numbers_can_be_shown(old: list[float], new: list[float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compared(np.array(old), np.array(new))
    assert sum(bar.current or 0 for bar in found.bars) == len(new)
    json.dumps(asdict(found), allow_nan=False)


def test_edges_are_round_and_ranges_ascend() -> None:
    found = compared(*DRAWN["normal"])
    ranges = [bar for bar in found.bars if bar.what == "range"]
    assert 8 <= len(ranges) <= 26
    edges = [bar.low for bar in ranges if bar.low is not None]
    assert edges == sorted(edges)
    assert all(edge == round(edge, 6) for edge in edges)
    assert "45 to 50" in {bar.name for bar in ranges}


def test_a_range_is_named_by_its_edges_as_they_are() -> None:
    random = np.random.default_rng(20_261_122)
    found = compared(random.uniform(-7.5, 37, 5_000), random.uniform(-7.5, 37, 800))
    ranges = [bar for bar in found.bars if bar.what == "range" and None not in {bar.low, bar.high}]
    assert {"-7.5 to -5", "2.5 to 5"} <= {bar.name for bar in ranges}
    assert all(bar.name == f"{bar.low:g} to {bar.high:g}" for bar in ranges)


def test_values_of_another_scale_get_ranges_by_ratio() -> None:
    old, new = DRAWN["a hundred times"]
    ranges = [bar for bar in compared(old, new).bars if bar.what == "range"]
    assert max(bar.current_share or 0 for bar in ranges) < 0.8
    assert max(bar.against_share or 0 for bar in ranges) < 0.8


def test_an_outlier_does_not_flatten_the_rest() -> None:
    old, new = DRAWN["one outlier"]
    found = compared(old, new)
    assert max(bar.against_share or 0 for bar in found.bars) < 0.3
    assert found.against.high == 1e9


def test_few_values_have_a_bar_each_and_what_lies_between_another() -> None:
    found = compared(*DRAWN["two values"])
    assert set(named(found, "value")) == {"0", "1"}
    [between] = named(found, "range").values()
    assert (between.against, between.current) == (0, (DRAWN["two values"][1] == 0.5).sum())


def test_a_constant_is_one_bar() -> None:
    found = compared(*DRAWN["constant"])
    [bar] = [bar for bar in found.bars if bar.what != "missing"]
    assert (bar.name, bar.what, bar.current, bar.against) == ("7.25", "value", 60, 5_000)
    assert (found.current.mean, found.current.std) == (7.25, 0.0)


def test_the_six_kinds_of_missing_are_apart() -> None:
    gone = DRAWN["normal"][1].copy()
    for place, kind in enumerate(Missing):
        gone[place * 10 : place * 10 + place + 1] = cell(kind)
    found = compared(DRAWN["normal"][0], gone)
    assert [bar.current for bar in found.bars if bar.what == "missing"] == [1, 2, 3, 4, 5, 6]
    assert (found.current.rows, found.current.values) == (3_000, 3_000 - 21)
    assert list(named(found, "missing")) == ["null", "absent", "NaN", "infinite", "empty text", "wrong type"]


def test_a_column_without_any_value_left_keeps_the_reference_beside_it() -> None:
    found = compared(DRAWN["normal"][0], np.full(500, cell(Missing.ABSENT)))
    assert found.current.values == 0
    assert named(found, "missing")["absent"].current_share == 1.0
    assert sum(bar.against or 0 for bar in found.bars) == 5_000
    assert (found.ecdf.current, found.ecdf.current_resolution) == ((), None)
    assert len(found.ecdf.against) > 50


def test_without_a_reference_the_present_is_shown_alone() -> None:
    sketch = numbers(grid_for(DRAWN["normal"][0]), DRAWN["normal"][1])
    found = distribution(AMOUNT, rows(sketch), rows(None, reason="the model has no reference yet"))
    assert found.against.origin.reason == "the model has no reference yet"
    assert {bar.against for bar in found.bars} == {None}
    assert sum(bar.current or 0 for bar in found.bars) == 3_000


def test_where_nothing_came_on_either_side_there_is_no_kind() -> None:
    found = distribution(AMOUNT, rows(None), rows(None))
    assert (found.kind, found.bars) == (None, ())


def test_a_column_that_no_grid_knows_is_read_from_what_was_kept_of_it() -> None:
    known = numbers(grid_for(DRAWN["normal"][0]), DRAWN["normal"][1])
    unknown = regrid_sketch(known, Grid())
    found = distribution(AMOUNT, rows(unknown), rows(None))
    assert found.kind == "number"
    assert sum(bar.current or 0 for bar in found.bars) == 3_000
    assert any("No reference knows the column" in said for said in found.method)


def test_the_mean_is_that_of_values_that_lie_far_from_the_reference() -> None:
    random = np.random.default_rng(20_261_122)
    usual = np.full(5_000, 0.1) + random.choice([0.0, 1e-12], 5_000)
    found = compared(usual, random.uniform(1, 2, 1_000))
    assert found.current.mean == pytest.approx(1.5, abs=0.1)
    assert found.current.std == pytest.approx(0.29, abs=0.05)
    assert found.against.mean == pytest.approx(0.1)


# ---------------------------------------------------------------- categories
def test_categories_unseen_and_missing_are_counted_apart() -> None:
    old = texts(["DE", "FR", "PL"], ["DE"] * 60 + ["FR"] * 30 + ["PL"] * 10)
    new = texts(["DE", "FR", "PL"], ["DE"] * 5 + ["XX"] * 3 + ["YY"] + [Missing.EMPTY])
    found = distribution(COUNTRY, rows(new), rows(old))
    assert [(bar.name, bar.current, bar.against) for bar in found.bars if bar.what != "missing"] == [
        ("DE", 5, 60), ("FR", 0, 30), ("PL", 0, 10), ("other", 0, 0), ("unseen", 4, 0),
    ]  # fmt: skip
    assert [(one.name, one.current) for one in found.unseen] == [("XX", 3), ("YY", 1)]
    assert named(found, "missing")["empty text"].current == 1
    assert found.current.rows == sum(bar.current or 0 for bar in found.bars) == 10


def test_rare_categories_are_one_bar() -> None:
    names = [f"c{number:02}" for number in range(30)]
    old = texts(names, [name for place, name in enumerate(names) for _ in range(30 - place)])
    found = distribution(COUNTRY, rows(old), rows(old))
    assert len(named(found, "category")) == 12
    assert named(found, "other")["other"].against == sum(range(1, 19))


def test_texts_that_came_for_numbers_are_named() -> None:
    grid = grid_for(DRAWN["normal"][0])
    sketch = numbers(grid, np.full(10, cell(Missing.WRONG_TYPE)))
    extra = sketch.extras[AMOUNT] = ExtraSketch()
    extra.texts.add("N/A", 10)
    found = distribution(AMOUNT, rows(sketch), rows(numbers(grid, DRAWN["normal"][0])))
    assert named(found, "missing")["wrong type"].current == 10
    assert [(one.name, one.current, one.against) for one in found.unseen] == [("N/A", 10, 0)]
