"""Reads the times and time spans that options are written in."""

from __future__ import annotations

import numpy as np

from service.errors import ConfigurationError
from service.intake.timestamps import BAD, parse_timestamps
from service.monitor import parse_duration


def duration_of(text: str, option_name: str) -> int:
    """Milliseconds of an option. Raises ConfigurationError."""
    try:
        return parse_duration(text)
    except ValueError as advice:
        raise ConfigurationError(f"{option_name} {text!r} is no time span; {advice}") from advice


def time_of(text: str, option_name: str) -> int:
    """Milliseconds since 1970 of an option. Raises ConfigurationError."""
    ms = int(parse_timestamps([text], "auto", np.array([BAD]))[0])
    if ms == BAD:
        raise ConfigurationError(
            f"{option_name} {text!r} is no time; write ISO 8601 such as 2026-11-21T10:00:00Z"
        )
    return ms
