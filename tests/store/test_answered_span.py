"""The answers of a time are those of its panes, of all versions or of one, on the grid that the reference has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from service.inspection.health_rows import AnsweredSpan, answer_counts, latencies_of
from service.messages import LATENCY, PREDICTION
from service.monitor import MINUTE_MS
from service.sketches.grids import Grid
from service.store import chosen_panes
from service.store.answered_span import SpanFilter, answered_span, reference_rows
from service.store.latest_version import latest_version
from tests.fakes.answered import MINUTES, MODEL, T, Traffic, monitor, run
from tests.fakes.fixtures import engine, migrated, single

__all__ = ["engine", "migrated", "single"]
pytestmark = pytest.mark.postgres
END = T + MINUTES * MINUTE_MS


@pytest.fixture
def live(engine: Engine, tmp_path: Path) -> Traffic:
    made = Traffic(np.random.default_rng(2))
    made.version[::3] = "8"
    run(engine, Traffic(np.random.default_rng(1)), made, tmp_path)
    return made


def grid_of(engine: Engine) -> Grid:
    version = latest_version(engine, MODEL)
    assert version is not None
    return version.grid


def read(engine: Engine, **changes: object) -> AnsweredSpan:
    wanted = {"model": MODEL, "from_ms": T, "until_ms": END} | changes
    return answered_span(engine, grid_of(engine), SpanFilter(**wanted))  # type: ignore[arg-type]


def test_all_rows_are_counted_once_and_some_of_them_kept_with_their_versions(
    engine: Engine, live: Traffic
) -> None:
    span = read(engine)
    assert span.sketch.inferences == live.n
    counts = dict(zip(*np.unique(live.says, return_counts=True), strict=True))
    assert sorted(answer_counts(span.sketch, monitor().task)) == sorted(counts.values())
    assert latencies_of(span.sketch).n == live.n
    kept = span.numbers.shape[1]
    assert kept == len(span.classes) == len(span.versions) == pytest.approx(0.97 * live.n, rel=0.03)
    assert span.versions.mean() == pytest.approx(1 / 3, abs=0.05)
    place = {row: i for i, row in enumerate(zip(live.amount, live.age, strict=True))}
    at = [place[amount, age] for amount, age in span.numbers[:2].T.tolist()]
    said = np.array(span.sketch.grid.texts[span.sketch.grid.text_at[PREDICTION]].categories)
    assert np.mean(said[span.classes.astype(int)] == live.says[at]) > 0.99


def test_a_version_a_segment_and_a_time_choose_their_rows(engine: Engine, live: Traffic) -> None:
    assert read(engine, version="8").sketch.inferences == (live.version == "8").sum()
    assert read(engine, segment="country=DE").sketch.inferences == (live.country == "DE").sum()
    assert read(engine, version="9").sketch.inferences == 0
    assert read(engine, until_ms=T + MINUTES // 2 * MINUTE_MS).sketch.inferences == live.n // 2


def test_panes_of_another_grid_are_told_on_the_one_asked_for(engine: Engine, live: Traffic) -> None:
    span = answered_span(engine, Grid(), SpanFilter(MODEL, T, END))
    assert (span.sketch.grid.id, span.sketch.inferences) == (Grid().id, live.n)
    assert latencies_of(span.sketch).n == live.n
    assert span.numbers.shape == (0, len(span.classes))
    assert LATENCY not in grid_of(engine).number_at


def test_of_too_many_panes_some_are_read_evenly_and_that_is_told(
    engine: Engine, live: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chosen_panes, "MOST_PANES", 20)
    span = read(engine)
    assert (span.panes, span.of_panes) == (20, 2 * MINUTES)
    assert span.sketch.inferences == live.n / 3
    assert span.sketch.last_ms - span.sketch.first_ms > 0.8 * MINUTES * MINUTE_MS


@pytest.mark.usefixtures("live")
def test_of_wide_rows_fewer_panes_are_read(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = len(grid_of(engine).numbers)
    monkeypatch.setattr(chosen_panes, "MOST_CELLS", 20 * 64 * columns)
    span = read(engine)
    assert (span.panes, span.of_panes) == (20, 2 * MINUTES)
    assert span.numbers.size <= 20 * 64 * columns
    monkeypatch.setattr(chosen_panes, "MOST_CELLS", 1)
    assert read(engine).panes == 2


@pytest.mark.usefixtures("live")
def test_one_connection_is_enough_to_read_panes_and_their_grids(engine: Engine, single: Engine) -> None:
    span = answered_span(single, grid_of(engine), SpanFilter(MODEL, T, END))
    assert span.panes == 2 * MINUTES


def test_the_reference_is_that_of_all_rows_or_of_the_segment(engine: Engine, live: Traffic) -> None:
    version = latest_version(engine, MODEL)
    assert version is not None
    whole, german = (reference_rows(engine, version, segment) for segment in ("", "country=DE"))
    assert whole is not None
    assert german is not None
    assert 0 < german.inferences < whole.inferences == live.n
    assert reference_rows(engine, version, "country=XX") is None
    assert latest_version(engine, "nobody") is None
