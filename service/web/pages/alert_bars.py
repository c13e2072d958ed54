"""The alerts of an incident as bars over time: from when each began to when it ended, or to now while one lasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.messages import State
from service.reports.phrases import column, minute, place

if TYPE_CHECKING:
    from service.store.result_queries import AlertRow

MOST_BARS = 12
WIDTH = 1_000
_THINNEST = 6.0


@dataclass(frozen=True, slots=True)
class AlertBar:
    """One alert: its words, and where its bar lies on a line of `WIDTH`; `fired` is where it began to fire."""

    name: str
    said: str
    state: str
    consequence: bool
    start: float
    length: float
    fired: float | None


@dataclass(frozen=True, slots=True)
class AlertBars:
    """The first of them, how many more there are, and the time that the line stands for."""

    bars: tuple[AlertBar, ...]
    more: int
    start: str
    end: str


def bars_of(alerts: Sequence[AlertRow], now_ms: int) -> AlertBars:
    """The root first."""
    start_ms = min(one.since_ms for one in alerts)
    lasts = any(one.state != State.RESOLVED for one in alerts)
    end_ms = max(now_ms if lasts else 0, *(one.at_ms for one in alerts), start_ms + 1)
    scale = WIDTH / (end_ms - start_ms)
    bars = tuple(_bar(one, start_ms, end_ms, scale) for one in alerts[:MOST_BARS])
    return AlertBars(bars, max(0, len(alerts) - MOST_BARS), minute(start_ms), minute(end_ms))


def _bar(one: AlertRow, start_ms: int, end_ms: int, scale: float) -> AlertBar:
    is_over = one.state == State.RESOLVED
    until_ms = one.at_ms if is_over else end_ms
    ends = f"over {minute(until_ms)}" if is_over else one.state
    fired = f", fired {minute(one.fired_ms)}" if one.fired_ms is not None else ", has not fired"
    name = f"{one.cause.replace('_', ' ')}: {column(one.role, one.feature)}"
    begin = (one.since_ms - start_ms) * scale
    length = max(_THINNEST, (until_ms - one.since_ms) * scale)
    where = f"{place(one.version, one.segment)}, {one.window}"
    return AlertBar(
        name, f"{where}: since {minute(one.since_ms)}{fired}, {ends}", one.state, one.consequence,
        round(min(begin, WIDTH - _THINNEST), 1), round(min(length, WIDTH - begin), 1),
        None if one.fired_ms is None else round((one.fired_ms - start_ms) * scale, 1),
    )  # fmt: skip
