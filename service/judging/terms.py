"""The words of judging: what a window is judged by, and what is known of its slices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from service.alerting.rules import RULES, Signal
from service.messages import Column, PaneRow, SliceResult, WindowKey
from service.monitor import DAY_MS
from service.scoring.evidence import EVIDENCE, RATE_METHODS

if TYPE_CHECKING:
    from service.configuration import ModelVersion
    from service.monitor import WindowSpec
    from service.sketches.pane import PaneSketch


class Panes(Protocol):
    """`Results.panes`."""

    def __call__(self, start_ms: int, end_ms: int, segment: str | None = None, /) -> Iterable[PaneRow]:
        """The panes that start in [start, end): of one segment ('' is all traffic), or of every slice (None)."""


Since = Mapping[tuple[WindowKey, Column | None, str], int]
"""When the run of suspect windows began, by slice, column and method."""

SinceWhen = Callable[[SliceResult, Signal], int | None]
"""When the trouble began that a signal of a slice rings for, if that is known."""

JUMP = "jump"
"""The method of what differs from the recent past by this one window."""
METHODS: Mapping[str, frozenset[str]] = {
    rule.name: methods for rule in RULES if (methods := rule.methods & {EVIDENCE, *RATE_METHODS})
}
"""The evidence behind each rule about a column."""
_DAYS_BACK = (1, 2, 3, 4, 5, 6, 7, 14, 21, 28, 357, 364, 371)


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


def days_back(key: WindowKey) -> Iterator[int]:
    """How long before, in ms, the same hours may have been like these; for windows longer than a day, in weeks."""
    length_ms = key.end_ms - key.start_ms
    for days in _DAYS_BACK:
        if days * DAY_MS >= length_ms and (length_ms <= DAY_MS or not days % 7):
            yield days * DAY_MS


def jumps_of(since: Since) -> Callable[[SliceResult, Signal], bool]:
    """Whether a signal's column differs from the recent past by this one window: something happened just now."""
    return lambda result, signal: (result.key, signal.column, JUMP) in since


def since_of(since: Since) -> SinceWhen:
    """When the run of suspect windows began that a signal rings for."""

    def known(result: SliceResult, signal: Signal) -> int | None:
        if signal.rule == "drift" and (jumped := since.get((result.key, signal.column, JUMP))) is not None:
            return jumped
        methods = METHODS.get(signal.rule, ())
        found = [since[k] for m in methods if (k := (result.key, signal.column, m)) in since]
        return min(found, default=None)

    return known
