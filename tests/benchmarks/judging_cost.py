"""Processor time of judging: 200 features over 3 windows, part by part, and of one diagnosis."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from service.diagnosis.diagnose import Patient, diagnose
from service.diagnosis.view import view_of
from service.messages import Batch, Stream, TextColumn
from service.monitor import HOUR_MS, Monitor, WindowSpec
from service.reference.builder import build_reference
from service.reference.specification import ReferenceSpec
from service.scoring.evidence import step
from service.scoring.evidence_state import begin
from service.scoring.scorer import scorer_for
from service.scoring.usual import usual_of
from service.sketches.grids import Grid
from service.sketches.pane import PaneSketch
from tests.benchmarks.drawn import limits_for
from tests.benchmarks.laws import FloatArray
from tests.benchmarks.scoring import best_of

FEATURES, ROWS, WINDOWS = 200, 10_000, 3
_KINDS = tuple(f"kind {i}" for i in range(12))
_POUNDS = 2.2046226
_ALPHA = 1e-7

Columns = Mapping[str, FloatArray]


def measure() -> dict[str, float]:
    """Milliseconds by what is done, the best of five. Windows have 10,000 rows of the reference's own kind."""
    random = np.random.default_rng(4)
    with TemporaryDirectory(prefix="driftbell-bench-") as folder:
        table = Path(folder) / "reference.parquet"
        columns = _columns(random)
        names = {
            name: codes if name[0] == "x" else np.array(_KINDS)[codes] for name, codes in columns.items()
        }
        parquet.write_table(pa.table(names), table)
        profile = build_reference(table, ReferenceSpec("cost", "cost"))
    windows = [_counted(profile.grid, _columns(random)) for _ in range(WINDOWS)]
    broken = _columns(random)
    in_pounds = _counted(profile.grid, {**broken, "x000": broken["x000"] * _POUNDS})
    monitor = Monitor("cost", reference="cost", windows=(WindowSpec.tumbling(HOUR_MS),))
    usual, scorer = usual_of(profile), scorer_for(monitor, profile, "", _ALPHA)
    watch = limits_for(len(usual.groups.columns), FEATURES)
    column = next(one for one in usual.groups.columns if one.name == "x000")

    def weigh(_: int) -> None:
        state = begin(usual, 0)
        for number, window in enumerate(windows):
            span = (number * HOUR_MS, (number + 1) * HOUR_MS)
            state = step(usual, state, window, watch, span, lambda: ()).state

    def explain(_: int) -> None:
        patient = Patient(view_of(profile.sketch), view_of(windows[0]), view_of(in_pounds))
        assert column in diagnose(patient, [column])

    return {
        "evidence and rates, 200 features x 3 windows": best_of(weigh, 5),
        "classic scores, 200 features x 3 windows": best_of(
            lambda _: [scorer.findings(w) for w in windows], 5
        ),
        "one diagnosis of one column among 200": best_of(explain, 5),
    }


def _columns(random: np.random.Generator) -> Columns:
    """Half of them numbers with two decimals, half codes of categories."""
    shares = 1 / np.arange(1, len(_KINDS) + 1)
    made = {f"x{i:03d}": np.round(random.gamma(2.0, 10.0 + i, ROWS), 2) for i in range(FEATURES // 2)}
    kinds = {
        f"t{i:03d}": random.choice(len(_KINDS), ROWS, p=shares / shares.sum()) for i in range(FEATURES // 2)
    }
    return {**made, **kinds}


def _counted(grid: Grid, columns: Columns) -> PaneSketch:
    """Rows as they are counted live, on the reference's grid."""
    nothing = np.zeros(ROWS, np.int64)
    batch = Batch(
        "cost", 1, Stream.INFERENCE, np.arange(ROWS), nothing, nothing.astype(np.uint64),
        TextColumn(nothing.astype(np.int32), ("1",)), np.array([columns[n.column.name] for n in grid.numbers]),
        [TextColumn(columns[t.column.name].astype(np.int32), _KINDS) for t in grid.texts],
    )  # fmt: skip
    sketch = PaneSketch(grid)
    sketch.add(batch, slice(None))
    return sketch
