"""How the false-alarm budget is shared out: every test knows its part of "at most so many false pages in a period".

By the union bound, whatever the dependence between tests:

    false pages a period = windows a period x kinds of windows x slices x (families x columns x signals)

A part is the probability that one test of one window rings on nothing. For evidence that adds up over windows its
inverse is the mean number of windows between false alarms, so that the limit of both kinds of test follows from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.messages import Column, Role
from service.monitor import FeatureOverride

if TYPE_CHECKING:
    from service.monitor import Monitor, WindowSpec

_SMALLEST, _LARGEST = 1e-12, 0.05
MARGIN = 14.0
"""What is promised is kept this many times over, for what the theory leaves out: that counts divided by their
overdispersion are like independent draws is a model. One page a month of hourly windows is one in 10,000 windows then.
"""
VOLUME = 0.5
"""Half of what is promised is for volumes, which are few tests, exact ones, and the only ones that hear silence."""
FAMILIES: Mapping[str, float] = {
    "columns": 0.5, "relations": 0.1, "answers": 0.1, "outcomes": 0.1, "contract": 0.05, "breaks": 0.05,
}  # fmt: skip
"""Of a slice: its columns, how they go together, its errors by a sample, and by all labels once most have come, what
was promised of its rows; and of panes: total breaks, which do not wait for a window's end. These are kept `MARGIN`
times over.
"""
SIGNALS: Mapping[str, float] = {"distribution": 0.5, "rate": 0.5 / 8}
"""The budget of a column: its distribution, and each of its eight rates."""
SEGMENTS = 0.5
"""All segments together have as much as the whole traffic."""


def alpha_for(monitor: Monitor, spec: WindowSpec, share: float) -> float:
    """The false-alarm probability, in one window of this kind, of a test that has this share of the budget."""
    return _of_a_window(monitor, spec, share / MARGIN)


def volume_alpha_for(monitor: Monitor, spec: WindowSpec, tests: int) -> float:
    """The same of the volume of one of so many slices."""
    return _of_a_window(monitor, spec, VOLUME / max(1, tests))


def _of_a_window(monitor: Monitor, spec: WindowSpec, share: float) -> float:
    windows = monitor.budget.per_ms / spec.every_ms
    alpha = share * monitor.budget.false_pages / (len(monitor.windows) * windows)
    return min(_LARGEST, max(_SMALLEST, alpha))


def nats_of(alpha: float) -> float:
    """The evidence, in nats, at which a test of that probability rings."""
    return -math.log(alpha)


@dataclass(frozen=True, slots=True)
class Slices:
    """How many slices a window is scored in: the versions of all traffic, and those of all segments."""

    whole: int = 1
    segments: int = 0

    def share(self, *, is_segment: bool) -> float:
        """The share of one slice."""
        if not self.segments:
            return 1.0 / max(1, self.whole)
        return SEGMENTS / self.segments if is_segment else (1 - SEGMENTS) / max(1, self.whole)


def column_shares(monitor: Monitor, columns: tuple[Column, ...]) -> tuple[float, ...]:
    """Each column's share: more for what the model leans on, if importances are given; 0 for what is ignored."""
    weights = [_weight(monitor, column) for column in columns]
    total = sum(weights) or 1.0
    return tuple(weight / total for weight in weights)


def _weight(monitor: Monitor, column: Column) -> float:
    """A feature that is said to be of no importance still has a tenth of a usual one's."""
    override = monitor.features.get(column.name, FeatureOverride()) if column.role is Role.FEATURE else None
    if override is None:
        return 1.0
    if override.ignore:
        return 0.0
    importance: float | None = getattr(override, "importance", None)
    return 1.0 if importance is None else max(0.1, importance)
