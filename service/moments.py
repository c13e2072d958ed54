"""Milliseconds since 1970, as the house counts time, as aware datetimes and as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def time_at(ms: int) -> datetime:
    """The time in UTC.

    >>> time_at(1_795_305_601_250).isoformat()
    '2026-11-22T00:00:01.250000+00:00'
    """
    return datetime.fromtimestamp(ms / 1_000, UTC)


def ms_of(at: datetime) -> int:
    """Of an aware time, to the nearest millisecond.

    >>> ms_of(time_at(1_795_305_601_250))
    1795305601250
    """
    return round(1_000 * at.timestamp())


def utc(ms: int) -> str:
    """The time to the second.

    >>> utc(1_795_305_601_999)
    '2026-11-22 00:00:01 UTC'
    """
    return time_at(ms).strftime("%Y-%m-%d %H:%M:%S UTC")
