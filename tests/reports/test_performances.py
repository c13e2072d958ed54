"""Means of windows have the rows they are of, count none twice, and an interval only where all windows have one."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest

from service.monitor import MINUTE_MS
from service.reports.performances import performance, summary_of, without_overlap
from tests.reports.made import metric, seen


def test_the_mean_is_weighted_and_its_interval_narrows_with_the_windows() -> None:
    found = summary_of([metric(1, 0.9, n=300), metric(2, 0.5, n=100)])
    assert found is not None
    assert found.value == pytest.approx(0.8)
    half = 0.03 * sqrt(0.75**2 + 0.25**2)
    assert (found.low, found.high) == (pytest.approx(0.8 - half), pytest.approx(0.8 + half))
    assert (found.n, found.windows) == (400, 2)


def test_without_an_interval_of_each_window_there_is_none_of_the_mean() -> None:
    found = summary_of([metric(1, 0.9), metric(2, 0.5, low=None, high=None)])
    assert found is not None
    assert (found.low, found.high) == (None, None)
    assert summary_of([]) is None


def test_windows_that_slide_are_counted_once() -> None:
    #        |----1----|
    #             |----2----|
    #                  |----3----|
    one, two, three = metric(2, 0.1), metric(3, 0.2), metric(4, 0.3)
    sliding = [replace(row, start_ms=row.start_ms - 5 * MINUTE_MS) for row in (one, two, three)]
    assert [row.value for row in without_overlap(sliding)] == [0.3, 0.1]


def test_estimated_metrics_need_not_ripen_and_guesses_of_baselines_are_no_performance_of_the_model() -> None:
    rows = [metric(1, 0.9, basis="estimated"), metric(1, 0.5, basis="last")]
    told = performance(seen(performance=rows))
    assert told.table is not None
    (row,) = told.table.rows
    assert (row[0], row[3], row[-1]) == ("estimated", "\N{EN DASH}", "\N{EN DASH}")
