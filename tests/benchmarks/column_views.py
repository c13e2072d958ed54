"""How long the charts of one column take: 200 features in panes of a minute, over hours, a day and thirty days.

    .venv/bin/python -m tests.benchmarks.column_views

Every minute has its row. Those that a chart reads have real sketches, all others a few bytes instead of 7 GB.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import Engine, insert, update

from service.embedded import EmbeddedPostgres
from service.messages import Batch, Column, Role, Stream, TextColumn
from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, Monitor, Task, WindowSpec
from service.reference.learning import profile_from_sketch
from service.sketches.codec import pane_from_bytes, pane_to_bytes
from service.sketches.column_codec import ColumnReader
from service.sketches.grids import Grid, number_grid
from service.sketches.pane import PaneSketch
from service.store import column_views
from service.store.column_panes import ColumnFilter, columns_at, panes_of_time
from service.store.column_views import Compared, Time, compare, follow
from service.store.configuration import apply_monitors
from service.store.engine import connect, take_time, transaction
from service.store.latest_version import latest_version
from service.store.migrate import migrate
from service.store.profiles import to_be_stored
from service.store.tables import pane

MODEL, FEATURES, DAYS, ROWS, TIMES = "wide", 200, 30, 60, 7
END_MS = 1_795_305_600_000
START_MS = END_MS - DAYS * DAY_MS
COLUMN = Column(Role.FEATURE, "f77")
WANTED = ColumnFilter(MODEL, COLUMN)
HOURLY, FIVE = WindowSpec.tumbling(HOUR_MS), WindowSpec.tumbling(5 * MINUTE_MS)


def sketch_of(grid: Grid, rows: int, random: np.random.Generator) -> PaneSketch:
    """Rows of all features."""
    made = PaneSketch(grid)
    batch = Batch(
        MODEL, 1, Stream.INFERENCE, np.arange(rows), np.arange(rows) + START_MS,
        random.integers(1, 2**63, rows).astype(np.uint64), TextColumn(np.zeros(rows, np.int32), ("1",)),
        random.normal(10, 3, (len(grid.numbers), rows)), (),
    )  # fmt: skip
    made.add(batch, slice(None))
    return made


def set_up(engine: Engine) -> bytes:
    """A reference and a monitor; gives a pane's sketch on the grid in force."""
    random = np.random.default_rng(1)
    columns = [Column(Role.FEATURE, f"f{number}") for number in range(FEATURES)]
    grid = Grid(tuple(number_grid(one, random.normal(10, 3, 20_000)) for one in columns))
    profile = profile_from_sketch("wide-ref", MODEL, Task.NONE, sketch_of(grid, 5_000, random))
    apply_monitors(engine, [Monitor(MODEL, reference="wide-ref")], [to_be_stored(profile)], 0)
    version = latest_version(engine, MODEL)
    assert version is not None
    return pane_to_bytes(sketch_of(version.grid, ROWS, random))


def fill(engine: Engine, data: bytes) -> None:
    """A row for each minute, with a real sketch where a chart reads it."""
    version = latest_version(engine, MODEL)
    assert version is not None
    usual = {
        "topic": "events", "partition": 0, "model": MODEL, "version": "1", "segment": "", "grid_id": version.grid.id,
        "inferences": ROWS, "labels": 0, "sketch": b"few",
    }  # fmt: skip
    starts = range(START_MS, END_MS, MINUTE_MS)
    rows = [usual | {"start_ms": at, "end_ms": at + MINUTE_MS, "last_ms": at} for at in starts]
    with transaction(engine) as connection:
        take_time(connection)
        connection.execute(insert(pane), rows)
        connection.execute(update(pane).where(pane.c.start_ms >= END_MS - 5 * HOUR_MS).values(sketch=data))
        for days in (1, DAYS):
            there = panes_of_time(connection, WANTED, END_MS - days * DAY_MS, END_MS)
            cut = column_views.stretches_of(HOURLY, END_MS - days * DAY_MS, END_MS, 60)
            chosen = column_views.chosen_panes(there.starts, cut, column_views.MOST_PANES).tolist()
            connection.execute(update(pane).where(pane.c.start_ms.in_(chosen)).values(sketch=data))


def timed(what: str, call: Callable[[], object]) -> None:
    """Print how long it takes."""
    call()
    took = []
    for _ in range(TIMES):
        before = time.perf_counter()
        call()
        took.append(1_000 * (time.perf_counter() - before))
    sys.stdout.write(f"{what:58} median {np.median(took):7.1f} ms, slowest {max(took):7.1f} ms\n")


def told(engine: Engine, data: bytes) -> None:
    """Each chart, and what it is made of."""
    version = latest_version(engine, MODEL)
    assert version is not None
    reader = ColumnReader(version.grid, COLUMN)
    timed("one column of a sketch", lambda: reader.read(data))
    timed("the whole sketch", lambda: pane_from_bytes(data, version.grid))
    with transaction(engine) as connection:
        month = END_MS - DAYS * DAY_MS
        timed("43,200 panes counted", lambda: panes_of_time(connection, WANTED, month, END_MS))
        timed("the reference", lambda: column_views.reference_of(connection, WANTED, END_MS))
        starts = np.arange(END_MS - HOUR_MS, END_MS, MINUTE_MS)
        timed("60 panes read", lambda: list(columns_at(connection, WANTED, starts)))
    hour = Time(END_MS - HOUR_MS, END_MS)
    timed("distribution of an hour", lambda: compare(engine, Compared(WANTED, HOURLY, hour)))
    for what, spec, length_ms in (
        ("5 hours of 5 minutes", FIVE, 5 * HOUR_MS), ("a day of hours", HOURLY, DAY_MS),
        ("30 days of hours", HOURLY, DAYS * DAY_MS),
    ):  # fmt: skip
        found = follow(engine, WANTED, spec, END_MS - length_ms, END_MS, 60)
        read = f"{sum(found.panes):,} of {sum(found.of_panes):,} panes"
        timed(f"course of {what}: {len(found.rows)} points, {read}", partial_of(engine, spec, length_ms))


def partial_of(engine: Engine, spec: WindowSpec, length_ms: int) -> Callable[[], object]:
    """The course of a time up to the end."""
    return lambda: follow(engine, WANTED, spec, END_MS - length_ms, END_MS, 60)


def main() -> None:
    """Print the times."""
    with TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder), throwaway=True) as server:
        engine = connect(server.url)
        migrate(engine)
        data = set_up(engine)
        # The mean size says how many are read; here most rows have none.
        column_views.MOST_PANES = min(column_views.MOST_PANES, column_views.MOST_BYTES // len(data))
        fill(engine, data)
        sys.stdout.write(f"{FEATURES} features, {ROWS} rows a pane, {len(data):,} bytes a sketch\n")
        told(engine, data)
        engine.dispose()


if __name__ == "__main__":
    main()
