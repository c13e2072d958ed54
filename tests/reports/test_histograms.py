"""Bars of a column: every row is in one of them, on both sides, and what the reference never saw has its own."""

from __future__ import annotations

import numpy as np
import pytest

from service.messages import Batch, Column, Missing, Role, Stream, TextColumn
from service.reports.document import Bar
from service.reports.histograms import BINS, histogram, histograms
from service.sketches.cells import cell
from service.sketches.grids import CategoryGrid, Grid, number_grid
from service.sketches.pane import PaneSketch
from service.store.report_seen import Beside
from tests.reports.made import score

AMOUNT, COUNTRY = Column(Role.FEATURE, "amount"), Column(Role.FEATURE, "country")
USUAL = np.linspace(1, 80, 1_000)
GRID = Grid((number_grid(AMOUNT, USUAL),), (CategoryGrid(COUNTRY, ("DE", "FR", "PL")),))


def sketch(amount: np.ndarray, countries: list[str]) -> PaneSketch:
    made, n = PaneSketch(GRID), len(amount)
    values = tuple(dict.fromkeys(countries))
    codes = np.array([values.index(one) for one in countries] * (n // len(countries)), np.int32)
    batch = Batch(
        "churn", 1, Stream.INFERENCE, np.arange(n), np.arange(n), np.arange(n).astype(np.uint64),
        TextColumn(np.zeros(n, np.int32), ("7",)), amount[None, :].copy(), (TextColumn(codes, values),),
    )  # fmt: skip
    made.add(batch, slice(None))
    return made


def bars(now: PaneSketch, column: Column = AMOUNT) -> dict[str, Bar]:
    return {bar.name: bar for bar in histogram(column, sketch(USUAL, ["DE", "FR"]), now).bars}


def test_all_rows_of_both_sides_are_in_a_bar() -> None:
    found = bars(sketch(USUAL, ["DE", "FR"]))
    assert len(found) == BINS + 3
    for side in ("reference", "now"):
        assert sum(getattr(bar, side) for bar in found.values()) == pytest.approx(1.0)
    assert all(abs(bar.reference - bar.now) < 1e-9 for bar in found.values())


def test_values_a_hundred_times_as_large_are_far_from_the_reference() -> None:
    found = list(bars(sketch(USUAL * 100, ["DE", "FR"])).values())
    middle = len(found) // 2 + 1
    assert sum(bar.reference for bar in found[:middle]) > 0.95
    assert sum(bar.now for bar in found[middle:]) > 0.7


def test_missing_values_are_a_bar() -> None:
    gone = USUAL.copy()
    gone[:250] = cell(Missing.NULL)
    found = bars(sketch(gone, ["DE", "FR"]))
    assert (found["missing"].reference, found["missing"].now) == (0.0, 0.25)


def test_categories_have_other_unseen_and_missing() -> None:
    found = bars(sketch(USUAL, ["DE", "XX", "XX", "PL"]), COUNTRY)
    assert {name: (bar.reference, bar.now) for name, bar in found.items()} == {
        "DE": (0.5, 0.25), "FR": (0.5, 0.0), "PL": (0.0, 0.25), "other": (0.0, 0.0), "unseen": (0.0, 0.5),
        "missing": (0.0, 0.0),
    }  # fmt: skip


def test_columns_that_rang_are_shown_and_why_none_is() -> None:
    both = sketch(USUAL, ["DE", "FR"])
    beside = Beside("churn-ref", both, both, None, 5, 9)
    scores = [score(feature="gone"), score(feature="country"), score(feature="amount", verdict="ok")]
    told = histograms(beside, scores)
    assert [one.name for one in told.histograms] == ["country"]
    assert told.lines[0].endswith("Of 9 sketches 5 were read, evenly over the time.")
    none = histograms(Beside("churn-ref", None, both, "no pane of that time is stored any more"), scores)
    assert none.lines == ("No histogram: no pane of that time is stored any more.",)
