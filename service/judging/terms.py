"""The words of judging: what a window is judged by, and what is known of its slices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from service.alerting.rules import Signal
from service.messages import Column, PaneRow, SliceResult, WindowKey
from service.scoring.evidence import EVIDENCE, RATE_METHODS

if TYPE_CHECKING:
    from service.configuration import ModelVersion
    from service.monitor import WindowSpec
    from service.sketches.pane import PaneSketch

Panes = Callable[[int, int], Iterable[PaneRow]]
"""The panes that start in [start_ms, end_ms), of all partitions and slices."""

Since = Mapping[tuple[WindowKey, Column | None, str], int]
"""When the run of suspect windows began, by slice, column and method."""

SinceWhen = Callable[[SliceResult, Signal], int | None]
"""When the trouble began that a signal of a slice rings for, if that is known."""

JUMP = "jump"
"""The method of what differs from the recent past by this one window."""
METHODS = {
    "drift": EVIDENCE, "range": "evidence_range", "unseen": "evidence_unseen", "type": "evidence_wrong_type",
    "missing": "evidence_null",
}  # fmt: skip
"""The evidence behind each rule about a column."""


class Scored(NamedTuple):
    """A slice of a window with its scores, and what was counted."""

    result: SliceResult
    sketch: PaneSketch


@dataclass(frozen=True, slots=True)
class Terms:
    """What one window is judged by."""

    version: ModelVersion
    spec: WindowSpec
    base: WindowKey
    panes: Panes


def jumps_of(since: Since) -> Callable[[SliceResult, Signal], bool]:
    """Whether a signal's column differs from the recent past by this one window: something happened just now."""
    return lambda result, signal: (result.key, signal.column, JUMP) in since


def since_of(since: Since) -> SinceWhen:
    """When the run of suspect windows began that a signal rings for."""

    def known(result: SliceResult, signal: Signal) -> int | None:
        if signal.rule == "drift" and (jumped := since.get((result.key, signal.column, JUMP))) is not None:
            return jumped
        methods = RATE_METHODS[:5] if signal.rule == "missing" else (METHODS.get(signal.rule, ""),)
        found = [since[k] for m in methods if (k := (result.key, signal.column, m)) in since]
        return min(found, default=None)

    return known
