"""Times as people write them on the command line, and as they read them there."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from service.errors import ConfigurationError
from service.intake.timestamps import BAD, parse_timestamps
from service.monitor import parse_duration


def span_of(text: str, option: str) -> int:
    """Milliseconds of a duration such as 7d. Raises ConfigurationError."""
    try:
        span_ms = parse_duration(text)
    except ValueError as advice:
        raise ConfigurationError(f"{option} is {text!r}; {advice}") from None
    if span_ms <= 0:
        raise ConfigurationError(f"{option} is {text!r}, which is no time at all; write one such as 7d")
    return span_ms


def time_of(text: str, option: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 time. Raises ConfigurationError."""
    ms = int(parse_timestamps([text], "auto", np.array([-1]))[0])
    if ms == BAD:
        raise ConfigurationError(f"{option} {text!r} is no time; write ISO 8601 such as 2026-11-21T10:00:00Z")
    return ms


def ago_or_time(text: str, option: str, now_ms: int) -> int:
    """Milliseconds since 1970 of `2h` (ago) or an ISO 8601 time. Raises ConfigurationError."""
    try:
        return now_ms - parse_duration(text)
    except ValueError:
        return time_of(text, option)


def minute(ms: int) -> str:
    """The time to the minute, in UTC."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%d %H:%M")
