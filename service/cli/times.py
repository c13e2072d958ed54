"""Times as people write them on the command line."""

from __future__ import annotations

import numpy as np

from service.errors import ConfigurationError
from service.intake.timestamps import BAD, parse_timestamps
from service.monitor import parse_duration

_EXAMPLE = "2026-11-21T10:00:00Z"


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
    return _time_of(text, option, f"write ISO 8601 such as {_EXAMPLE}")


def ago_or_time(text: str, option: str, now_ms: int) -> int:
    """Milliseconds since 1970 of `2h` (ago) or an ISO 8601 time. Raises ConfigurationError."""
    try:
        return now_ms - parse_duration(text)
    except ValueError:
        return _time_of(text, option, f"write 2h for two hours ago, or ISO 8601 such as {_EXAMPLE}")


def _time_of(text: str, option: str, advice: str) -> int:
    ms = int(parse_timestamps([text], "auto", np.array([-1]))[0])
    if ms == BAD:
        raise ConfigurationError(f"{option} {text!r} is no time; {advice}")
    return ms
