"""Times as people read them."""

from __future__ import annotations

from dataclasses import dataclass

from service.moments import time_at, utc
from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from service.plurals import counted

_UNITS = ((DAY_MS, "day"), (HOUR_MS, "hour"), (MINUTE_MS, "minute"), (SECOND_MS, "second"))


def age(duration_ms: int) -> str:
    """A duration, rounded down, in the largest unit that it holds twice."""
    for unit_ms, word in _UNITS:
        if duration_ms >= 2 * unit_ms:
            return counted(duration_ms // unit_ms, word)
    return "1 second" if duration_ms >= SECOND_MS else "less than a second"


def iso(ms: int) -> str:
    """The time as machines read it."""
    return time_at(ms).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Moment:
    """An event time as pages show it: how long ago it was, or how far it lies ahead; in UTC, and for machines."""

    ago: str
    utc: str
    iso: str


def moment(ms: int | None, now_ms: int) -> Moment | None:
    """The time as seen from now; None for no time. Clocks of producers may be some seconds ahead: that is now."""
    if ms is None:
        return None
    past_ms = now_ms - ms
    said = (
        f"{age(past_ms)} ago"
        if past_ms >= 0
        else "just now"
        if past_ms > -MINUTE_MS
        else f"in {age(-past_ms)}"
    )
    return Moment(said, utc(ms), iso(ms))
