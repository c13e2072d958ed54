"""A slice's windows, one after the other, for the tests of evidence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from detectors.evidence import distribution_gains, log_mean_exp
from service.messages import Column, Finding, Verdict
from service.scoring.evidence import Earlier, Told, Watch, step
from service.scoring.evidence_state import Evidence, begin
from service.scoring.groups import RATES
from service.scoring.scorer import AllRows
from service.scoring.usual import Usual, usual_of
from service.sketches.pane import PaneSketch
from tests.scoring.sketches import AMOUNT, drawn, merged

HOUR = 3_600_000
START = 1_728_000_000_000
"""When the first window begins: it takes more than 32 bits, or a float32, to say."""
LIMIT = 16.0
"""About what the budget leaves to one of two columns: one false page a month of hourly windows."""


def reference_of(blocks: Sequence[PaneSketch], *, ordered: bool = True) -> AllRows:
    """A reference of these consecutive parts."""
    return AllRows(merged(blocks), blocks, ordered)


def calm_reference(seed: int = 100, blocks: int = 16, rows: int = 500) -> AllRows:
    """Independent rows without any season."""
    rng = np.random.default_rng(seed)
    return reference_of([drawn(rows, rng) for _ in range(blocks)])


def seasonal_reference(
    seed: int = 100, levels: Sequence[float] = (-1.5, -0.5, 0.5, 1.5), rows: int = 500
) -> AllRows:
    """Four stretches of eight blocks, each with a level of its own."""
    rng = np.random.default_rng(seed)
    return reference_of([drawn(rows, rng, level) for level in levels for _ in range(8)])


@dataclass
class Stream:
    """Windows of one slice. `rung` names each window (counted from 0), column and method above its limit."""

    reference: AllRows
    limit: float = LIMIT
    held: Collection[Column] = ()
    earlier: Sequence[Earlier] = ()
    asked: int = 0
    windows: int = 0
    rung: list[tuple[int, str, str]] = field(default_factory=list)
    last: Told | None = None
    _state: Evidence | None = None

    @cached_property
    def usual(self) -> Usual:
        """What is usual of it."""
        made = usual_of(self.reference)
        assert made is not None
        return made

    @property
    def state(self) -> Evidence:
        """After the last window."""
        return begin(self.usual, START) if self._state is None else self._state

    @state.setter
    def state(self, value: Evidence) -> None:
        self._state = value

    def take(self, sketch: PaneSketch) -> dict[tuple[str, str], Finding]:
        """One window; what is found by column and method."""
        columns = len(self.usual.groups.columns)
        watch = Watch(np.full(columns, self.limit), np.full((columns, RATES), self.limit), held=self.held)
        span = (START + self.windows * HOUR, START + (self.windows + 1) * HOUR)
        self.last = step(self.usual, self.state, sketch, watch, span, self._earlier)
        found = {(f.column.name, f.method): f for f in self.last.findings if f.column}
        self.rung += [(self.windows, *name) for name, f in found.items() if f.verdict is Verdict.DRIFT]
        self._state, self.windows = self.last.state, self.windows + 1
        return found

    def _earlier(self) -> Sequence[Earlier]:
        self.asked += 1
        return self.earlier

    def first(self, method: str, since: int = 0) -> int | None:
        """How many windows from this one on it took until the amount rang by this method."""
        rung = [
            w - since + 1 for w, column, m in self.rung if (column, m) == (AMOUNT.name, method) and w >= since
        ]
        return min(rung, default=None)


def windows_in_theory(usual: Usual, expected: PaneSketch, rows: int, limit: float) -> int:
    """Windows of so many rows until the evidence against training, were they distributed just as expected."""
    counts = usual.groups.counts(expected)[:1]
    counts = counts * rows / counts.sum()
    gains = distribution_gains(counts, usual.proportions[:1], usual.tolerance()[:1], usual.groups.ordered[:1])
    return next(w for w in range(1, 1_000) if log_mean_exp(w * gains)[0] > limit)
