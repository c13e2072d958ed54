"""Times and counts as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

_UNITS = ((DAY_MS, "day"), (HOUR_MS, "hour"), (MINUTE_MS, "minute"), (SECOND_MS, "second"))


def counted(count: int, word: str) -> str:
    """The number and its word, such as "1 alert" or "1,200 alerts"."""
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def age(duration_ms: int) -> str:
    """A duration, rounded down, in the largest unit that it holds twice."""
    for unit_ms, word in _UNITS:
        if duration_ms >= 2 * unit_ms:
            return counted(duration_ms // unit_ms, word)
    return "1 second" if duration_ms >= SECOND_MS else "less than a second"


def utc(ms: int) -> str:
    """The time to the second, in UTC."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(ms: int) -> str:
    """The time as machines read it."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
