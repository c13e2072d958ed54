"""The heat map's arithmetic: places, percents and the order of columns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from service.store.window_heat import SliceWindow
from service.web.api.heat_map import MOST_PERCENT, HeatMap, heat_map, percents_of

COLUMNS = {b"two": [("feature", "age"), ("feature", "amount")], b"one": [("feature", "amount")]}


def window(
    end: int, *ratios: float, columns: bytes = b"two", version: str = "1", lost: bool = False
) -> SliceWindow:
    return SliceWindow(version, end - 10, end, 100, 3, end // 10, lost, columns, np.array(ratios, np.float32))


def drawn(
    *windows: SliceWindow, places: int = 100, lines: int = 100, leans: dict[str, float] | None = None
) -> HeatMap:
    return heat_map(windows, COLUMNS, lambda _, name: (leans or {}).get(name), places, lines)


@pytest.mark.parametrize(
    ("ratio", "percent"),
    [
        (math.nan, -1),
        (0.0, 0),
        (0.254, 25),
        (0.996, 100),
        (1.0, 100),
        (1.0001, 101),
        (1.5, 150),
        (1e9, MOST_PERCENT),
    ],
)
def test_a_percent_is_above_a_hundred_exactly_where_the_ratio_is_above_one(
    ratio: float, percent: int
) -> None:
    assert percents_of(np.array([ratio], np.float32)).tolist() == [percent]


def test_each_column_has_a_place_for_each_window_and_nothing_where_it_has_no_score() -> None:
    #        10    20    30
    # age    .5    -     nan
    # amount 2     .1    .2
    told = drawn(window(10, 0.5, 2.0), window(20, 0.1, columns=b"one"), window(30, math.nan, 0.2))
    assert [(one.name, one.percents, one.worst, one.rang) for one in told.lines] == [
        ("amount", [200, 10, 20], 200, 1),
        ("age", [50, None, None], 50, 0),
    ]
    assert [one.end_ms for one in told.places] == [10, 20, 30]
    assert (told.merged, told.left_out) == (1, 0)


def test_versions_of_a_window_are_one_place_and_the_worst_of_them_counts() -> None:
    told = drawn(window(10, 0.5, 0.2), window(10, 0.1, 3.0, version="2", lost=True))
    assert [one.percents for one in told.lines] == [[300], [50]]
    (place,) = told.places
    assert (place.inferences, place.labels, place.incomplete) == (200, 6, True)


def test_more_windows_than_places_are_merged_and_the_worst_of_them_counts() -> None:
    told = drawn(*(window(end, 0.1, 3.0 if end == 20 else 0.2) for end in range(10, 60, 10)), places=3)
    assert told.merged == 2
    assert [(one.start_ms, one.end_ms, one.inferences, one.revision) for one in told.places] == [
        (0, 20, 200, 2), (20, 40, 200, 4), (40, 50, 100, 5),
    ]  # fmt: skip
    assert told.lines[0].percents == [300, 20, 20]


def test_what_the_model_leans_on_comes_first_then_the_worst_then_by_name() -> None:
    assert [one.name for one in drawn(window(10, 0.5, 0.5)).lines] == ["age", "amount"]
    assert [one.name for one in drawn(window(10, 0.5, 0.6)).lines] == ["amount", "age"]
    assert [one.name for one in drawn(window(10, 0.5, 0.6), leans={"age": 2.0}).lines] == ["age", "amount"]
    assert [one.name for one in drawn(window(10, 0.5, 0.6), leans={"amount": 0.0}).lines] == ["age", "amount"]


def test_columns_that_do_not_fit_are_counted() -> None:
    told = drawn(window(10, 0.5, 0.6), lines=1)
    assert ([one.name for one in told.lines], told.left_out) == (["amount"], 1)


def test_nothing_is_an_empty_map() -> None:
    assert heat_map([], {}, lambda *_: None, 10, 10) == HeatMap([], [], 1, 0)
