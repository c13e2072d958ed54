"""What is drawn of a column is what its panes count, beside the reference that was in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, insert

from service.messages import LABEL, PREDICTION, SCORE, Column, Role
from service.monitor import HOUR_MS, MINUTE_MS, WindowSpec
from service.store import column_views
from service.store.column_panes import ColumnFilter
from service.store.column_views import Compared, Time, compare, follow
from service.store.engine import transaction
from service.store.partitions import ensure_partitions
from service.store.tables import window_result
from tests.fakes.answered import MINUTES, MODEL, T, Traffic, run
from tests.fakes.fixtures import engine, migrated, single

__all__ = ["engine", "migrated", "single"]
pytestmark = pytest.mark.postgres
END = T + MINUTES * MINUTE_MS
FIVE = WindowSpec.tumbling(5 * MINUTE_MS)
AMOUNT, COUNTRY = Column(Role.FEATURE, "amount"), Column(Role.FEATURE, "country")
ALL = Time(T, END)


@pytest.fixture
def live(engine: Engine, tmp_path: Path) -> Traffic:
    made = Traffic(np.random.default_rng(2))
    made.version[::3] = "8"
    made.amount[100:200] = np.nan
    made.country[:50] = "XX"
    reference = Traffic(np.random.default_rng(1))
    reference.country[reference.country == "PL"] = "FR"
    run(engine, reference, made, tmp_path, nonfinite="missing")
    return made


def compared(engine: Engine, column: Column = AMOUNT, time: Time | None = ALL, **changes: Any):  # type: ignore[no-untyped-def]
    against = changes.pop("against", None)
    wanted = ColumnFilter(MODEL, column, **changes)
    return compare(engine, Compared(wanted, FIVE, time, against))[1]


def add_window(engine: Engine, end_ms: int, **changes: Any) -> None:
    usual = {
        "model": MODEL, "version": "7", "segment": "", "window": "5m", "start_ms": end_ms - FIVE.length_ms,
        "end_ms": end_ms, "inferences": 10, "labels": 0, "revision": 0, "incomplete": False,
    }  # fmt: skip
    ensure_partitions(engine, T, END)
    with transaction(engine) as connection:
        connection.execute(insert(window_result).values(**usual | changes))


def test_both_sides_are_counted_in_full(engine: Engine, live: Traffic) -> None:
    found = compared(engine)
    assert (found.kind, found.current.rows, found.against.rows) == ("number", live.n, 3_000)
    assert found.current.missing["nan"] == 100
    assert (found.current.low, found.current.high) == (np.nanmin(live.amount), np.nanmax(live.amount))
    assert found.against.origin.reference == "churn-ref"
    assert (found.current.origin.panes, found.current.origin.of_panes) == (2 * MINUTES, 2 * MINUTES)
    points, below = np.array(found.ecdf.points), np.array(found.ecdf.current)
    values = np.sort(live.amount[~np.isnan(live.amount)])
    truth = np.searchsorted(values, points, side="left") / len(values)
    assert np.abs(below - truth).max() <= (found.ecdf.current_resolution or 0) + 1e-6
    assert (found.ecdf.current_resolution or 1) < 0.03


def test_categories_that_the_reference_never_saw_are_named(engine: Engine, live: Traffic) -> None:
    found = compared(engine, COUNTRY)
    counts = {bar.name: bar.current for bar in found.bars}
    assert counts["DE"] == (live.country == "DE").sum()
    assert counts["unseen"] == np.isin(live.country, ["PL", "XX"]).sum()
    assert {one.name: one.current for one in found.unseen} == {
        "PL": (live.country == "PL").sum(), "XX": 50,
    }  # fmt: skip


def test_a_version_a_segment_and_a_time_choose_the_rows(engine: Engine, live: Traffic) -> None:
    assert compared(engine, version="8").current.rows == (live.version == "8").sum()
    german = compared(engine, segment="country=DE")
    assert german.current.rows == (live.country == "DE").sum()
    assert 0 < german.against.rows < 3_000
    half = Time(T, T + MINUTES // 2 * MINUTE_MS)
    assert compared(engine, time=half).current.rows == live.n // 2


def test_two_times_are_compared(engine: Engine, live: Traffic) -> None:
    middle = T + MINUTES // 2 * MINUTE_MS
    found = compared(engine, time=Time(middle, END), against=Time(T, middle))
    assert (found.current.rows, found.against.rows) == (live.n // 2, live.n // 2)
    assert found.against.origin.reference is None


def test_what_is_not_there_is_said(engine: Engine, live: Traffic) -> None:
    assert live.n
    unknown = compared(engine, segment="country=ZZ")
    assert unknown.against.origin.reason == "the reference has no rows of country=ZZ of its own"
    assert unknown.current.origin.reason == "no row of this time is stored"
    assert unknown.kind is None
    later = compared(engine, time=Time(END, END + HOUR_MS))
    assert (later.current.origin.reason, later.against.rows) == ("no row of this time is stored", 3_000)


def test_answers_and_labels_are_columns_too(engine: Engine, live: Traffic) -> None:
    assert compared(engine, SCORE).current.rows == live.n
    assert compared(engine, PREDICTION).kind == "category"
    wanted = ColumnFilter(MODEL, LABEL)
    hours = Time(T, END + 3 * HOUR_MS)
    labels = compare(engine, Compared(wanted, FIVE, hours))[1]
    assert labels.current.rows == pytest.approx(0.9 * live.n, rel=0.05)


def test_the_last_window_with_rows_is_the_usual_one(engine: Engine, live: Traffic) -> None:
    assert live.n
    wanted = ColumnFilter(MODEL, AMOUNT)
    assert compare(engine, Compared(wanted, FIVE))[0] == Time(END - FIVE.length_ms, END)
    add_window(engine, T + 10 * MINUTE_MS)
    add_window(engine, T + 15 * MINUTE_MS, inferences=0)
    add_window(engine, T + 20 * MINUTE_MS, window="1h")
    time, found = compare(engine, Compared(wanted, FIVE))
    assert time == Time(T + 5 * MINUTE_MS, T + 10 * MINUTE_MS)
    assert found.current.rows == 500


def test_windows_that_lost_records_are_flagged(engine: Engine, live: Traffic) -> None:
    assert live.n
    add_window(engine, T + 10 * MINUTE_MS, incomplete=True)
    add_window(engine, T + 15 * MINUTE_MS)
    found = follow(engine, ColumnFilter(MODEL, AMOUNT), FIVE, T, END, 60)
    assert found.incomplete == [False, True, False, False, False, False]
    assert compared(engine).current.origin.incomplete
    assert not compared(engine, time=Time(T + 10 * MINUTE_MS, END)).current.origin.incomplete


def test_the_course_tells_each_window(engine: Engine, live: Traffic) -> None:
    found = follow(engine, ColumnFilter(MODEL, AMOUNT), FIVE, T, END, 60)
    assert found.end_ms == [T + (place + 1) * FIVE.length_ms for place in range(6)]
    assert found.rows == found.of_rows == [500] * 6
    for place in range(6):
        values = live.amount[place * 500 : place * 500 + 500]
        values = values[~np.isnan(values)]
        assert found.missing["nan"][place] == pytest.approx(1 - len(values) / 500)
        assert found.quantiles["0.5"][place] == pytest.approx(np.median(values), abs=1.5)
        assert found.high[place] == values.max()
    assert found.reference is not None
    assert found.reference.rows == 3_000


def test_many_windows_share_points_and_few_panes_are_read(
    engine: Engine, live: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_views, "MOST_PANES", 12)
    found = follow(engine, ColumnFilter(MODEL, AMOUNT), FIVE, T, END, 3)
    assert found.of_rows == [live.n // 3] * 3
    assert (found.panes, found.of_panes) == ([4] * 3, [20] * 3)
    assert found.rows == [200] * 3
    assert "Each point is 2 consecutive windows together." in found.method
    monkeypatch.setattr(column_views, "MOST_BYTES", 1)
    assert follow(engine, ColumnFilter(MODEL, AMOUNT), FIVE, T, END, 3).panes == [2] * 3


def test_one_connection_is_enough(engine: Engine, live: Traffic, single: Engine) -> None:
    assert live.n
    assert compared(single).current.rows == live.n
    assert follow(single, ColumnFilter(MODEL, COUNTRY), FIVE, T, END, 60).kind == "category"
