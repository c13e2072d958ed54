"""Predictions that are put aside, and labels that are joined with them, a second, beside a million that wait.

`make bench` prints it. Batches are of the size that a collector leaves; labels come in random order.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, insert

from service.embedded import EmbeddedPostgres
from service.messages import JoinRows, Stream
from service.performance.counting import BinaryCounting, difference
from service.sketches.inbox_codec import rows_to_bytes
from service.store.engine import connect, transaction
from service.store.join_share import Share
from service.store.label_join import join_labels, names_of
from service.store.migrate import migrate
from service.store.outcomes import add_outcomes, outcomes_between
from service.store.tables import join_inbox

BATCH, PREDICTIONS, LABELS = 20_000, 1_000_000, 300_000
PANES, PANE_MS = 60, 60_000
CLASSES = ("no", "yes")
COUNTING = BinaryCounting("yes")
SLICES = tuple((version, f"country={country}") for version in ("7", "8") for country in ("DE", "FR", "GB"))


def main() -> None:
    """Print the rates, and the memory that each part took."""
    folder = tempfile.TemporaryDirectory(prefix="driftbell-bench-")
    with folder, EmbeddedPostgres(Path(folder.name) / "postgres") as server:
        engine = connect(server.url)
        migrate(engine)
        rows = measure(engine)
        engine.dispose()
    table = Table("what", "rows", "rows a second", "memory taken (MB)")
    for what, n, seconds, megabytes in rows:
        table.add_row(what, f"{n:,}", f"{n / seconds:,.0f}", f"{megabytes:.0f}")
    Console().print(table)


def measure(engine: Engine) -> list[tuple[str, int, float, float]]:
    """What was done to how many rows in how many seconds, and by how much the process grew."""
    random = np.random.default_rng(5)
    ids = random.permutation(np.arange(1, PREDICTIONS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    made = []
    waiting = [_predictions(part, random) for part in np.array_split(ids, PREDICTIONS // BATCH)]
    made.append(("predictions put aside", PREDICTIONS, *_joined(engine, waiting)))
    told = random.permutation(ids)[:LABELS]
    labels = [_labels(part, random) for part in np.array_split(told, LABELS // BATCH)]
    made.append(("labels joined", LABELS, *_joined(engine, labels)))
    with transaction(engine) as connection:
        stored = outcomes_between(connection, "churn", COUNTING, 0, PANES * PANE_MS)
        assert sum(int(one["counts"].sum()) for one in stored.values()) == LABELS
    return made


def _joined(engine: Engine, parts: list[JoinRows]) -> tuple[float, float]:
    """Seconds and megabytes that it takes to join what collectors have left."""
    left = [
        {"topic": "t", "partition": 0, "next_offset": offset, "place": 0, "model": "churn", "rows": len(part),
         "columns": rows_to_bytes(part)}
        for offset, part in enumerate(parts)
    ]  # fmt: skip
    with transaction(engine) as connection:
        connection.execute(insert(join_inbox), left)
    joined, before, start = 1, _megabytes(), time.perf_counter()
    while joined:
        with transaction(engine) as connection:
            joined, changes, _ = join_labels(connection, "churn", Share())
            if changes is not None:
                names = names_of(connection, "churn")
                outcomes = {place: difference(COUNTING, rows, names) for place, rows in changes.by_place()}
                add_outcomes(connection, "churn", COUNTING, outcomes)
    return time.perf_counter() - start, _megabytes() - before


def _predictions(ids: np.ndarray, random: np.random.Generator) -> JoinRows:
    n = len(ids)
    return JoinRows(
        "churn", Stream.INFERENCE, ids, random.integers(PANES, size=n) * PANE_MS,
        random.integers(2, size=n).astype(np.int32), CLASSES, np.full(n, np.nan), random.random(n),
        random.integers(len(SLICES), size=n).astype(np.int32), SLICES,
    )  # fmt: skip


def _labels(ids: np.ndarray, random: np.random.Generator) -> JoinRows:
    n, nothing = len(ids), np.full(len(ids), np.nan)
    codes = random.integers(2, size=n).astype(np.int32)
    times = PANES * PANE_MS + random.integers(PANES, size=n) * PANE_MS
    return JoinRows(
        "churn", Stream.LABEL, ids, times, codes, CLASSES, nothing, nothing, np.zeros(n, np.int32), ((),)
    )


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
