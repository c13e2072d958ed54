"""Windows of number features that go together in some way, judged one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from service.alerting.state import FoldState, state_from_bytes, state_to_bytes
from service.configuration import ModelVersion
from service.judging.judge import Judge
from service.judging.slices import SliceReader
from service.judging.terms import Terms
from service.messages import (
    Batch,
    Column,
    Finding,
    PaneKey,
    PaneRow,
    Role,
    SliceResult,
    Stream,
    TextColumn,
    WindowKey,
)
from service.monitor import Monitor, WindowSpec
from service.scoring.scorer import AllRows
from service.sketches.codec import pane_to_bytes
from service.sketches.grids import Grid, number_grid
from service.sketches.pane import PaneSketch
from service.sketches.sample import FloatArray
from tests.scoring.sketches import merged

HOUR = 3_600_000
RELATIONS = {"correlation", "pca", "domain_classifier"}
NAMES = ("height", "weight", "age", "income")
COLUMNS = tuple(Column(Role.FEATURE, name) for name in NAMES)
GRID = Grid(tuple(number_grid(c, np.random.default_rng(1).normal(0, 1, 5_000)) for c in COLUMNS))

Draw = Callable[[np.random.Generator, int], FloatArray]
"""So many rows of all features, (4, n)."""


def independent(rng: np.random.Generator, n: int) -> FloatArray:
    """No feature knows of another."""
    return rng.normal(0, 1, (4, n))


def parabola(rng: np.random.Generator, n: int) -> FloatArray:
    """Weight is the square of height, but for some noise: they are not correlated."""
    rows = independent(rng, n)
    rows[1] = rows[0] ** 2 + 0.3 * rows[1]
    return rows


def ring(rng: np.random.Generator, n: int) -> FloatArray:
    """Height and weight are a point on a ring: they are not correlated."""
    rows, angle = independent(rng, n), rng.uniform(0, 2 * np.pi, n)
    rows[:2] = 0.1 * rows[:2] + np.array([np.cos(angle), np.sin(angle)])
    return rows


def permuted(draw: Draw) -> Draw:
    """The same, with weights of other rows: no feature has changed, and no correlation."""

    def made(rng: np.random.Generator, n: int) -> FloatArray:
        rows = draw(rng, n)
        rows[1] = rng.permutation(rows[1])
        return rows

    return made


def counted(rows: FloatArray, offset: int = 0, grid: Grid = GRID) -> PaneSketch:
    """A sketch of these rows, which stand at this place in the log."""
    n, sketch = rows.shape[1], PaneSketch(grid)
    batch = Batch(
        "churn", 1, Stream.INFERENCE, np.arange(offset, offset + n), np.zeros(n, np.int64), np.zeros(n, np.uint64),
        TextColumn(np.zeros(n, np.int32), ("7",)), rows, [],
    )  # fmt: skip
    sketch.add(batch, slice(None))
    return sketch


def reference_of(draw: Draw, grid: Grid = GRID) -> AllRows:
    """Sixteen blocks of 500 rows, of which none is kept."""
    blocks = [counted(draw(np.random.default_rng([9, i]), 500), 500 * i, grid) for i in range(16)]
    for block in blocks:
        block.forget_rows()
    return AllRows(merged(blocks), blocks, ordered=True)


@dataclass
class JointCourse:
    """Hourly windows of 500 rows in five panes; `result` is the last one's."""

    reference: AllRows
    rows: int = 500
    panes_each: int = 5
    seed: int = 0
    monitor: Monitor = field(default_factory=lambda: Monitor("churn", windows=(WindowSpec.tumbling(HOUR),)))
    grid: Grid = GRID
    windows: int = 0
    state: FoldState = field(default_factory=FoldState)
    panes: dict[int, PaneRow] = field(default_factory=dict)
    result: SliceResult = field(init=False)

    @cached_property
    def judge(self) -> Judge:
        """The one that judges all windows."""
        return Judge(SliceReader({self.grid.id: self.grid}.__getitem__))

    def take(self, draw: Draw) -> dict[str, Finding]:
        """One window more: what is found of all features together, by method."""
        n = self.rows // self.panes_each
        hour = draw(np.random.default_rng([self.seed, self.windows]), self.rows)
        for i in range(self.panes_each):
            at = self.windows * self.panes_each + i
            start, sketch = (
                at * (HOUR // self.panes_each),
                counted(hour[:, i * n : (i + 1) * n], at * n, self.grid),
            )
            key = PaneKey("churn", "7", "", start)
            self.panes[start] = PaneRow(key, start + 1, self.grid.id, n, 0, start, pane_to_bytes(sketch))
        self.windows += 1
        return self.judged()

    def judged(self, *, anew: bool = False) -> dict[str, Finding]:
        """The last window, by a judge that starts anew if so."""
        if anew:
            del self.judge
        self.state = state_from_bytes(state_to_bytes(self.state))
        scored = self.judge.score(self.terms, self.reference)
        [self.result], _ = self.judge.weigh(self.state, self.terms, self.reference, scored)
        return {f.method: f for f in self.result.findings if f.method in RELATIONS}

    @property
    def terms(self) -> Terms:
        """Of the last window."""
        end = self.windows * HOUR
        base = WindowKey("churn", "", "", "1h", end - HOUR, end)
        version = ModelVersion(self.monitor, self.grid, reference_name="r")
        return Terms(version, self.monitor.windows[0], base, self._panes)

    def _panes(self, start_ms: int, end_ms: int, segment: str | None = None) -> Iterable[PaneRow]:
        assert segment in {"", None}  # the only one that there is
        return [row for start, row in self.panes.items() if start_ms <= start < end_ms]
