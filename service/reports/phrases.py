"""Numbers, times and places as reports say them."""

from __future__ import annotations

from service.messages import Role
from service.moments import time_at, utc
from service.monitor import format_duration

DASH = "\N{EN DASH}"
_SECOND_MS = 1_000
_WHOLE = (9_999.5, 1e15)


def number(value: float | None) -> str:
    """In four digits, or whole; a dash for none. Charts (`static/js/words.js`) say the same."""
    if value is None:
        return DASH
    return f"{value:,.0f}" if _WHOLE[0] <= abs(value) < _WHOLE[1] else f"{value:.4g}"


def share(ratio: float) -> str:
    """A share in percent."""
    percent = 100 * ratio
    return "0 %" if percent == 0 else f"{percent:.1f} %" if percent >= 0.1 else "< 0.1 %"


def times_over(ratio: float | None) -> str:
    """How many times its limit a score is."""
    if ratio is None:
        return DASH
    return "> 1,000" if ratio > 1_000 else f"{ratio:.2f}"


def moment(ms: int | None) -> str:
    """The time to the second, in UTC."""
    return DASH if ms is None else utc(ms)


def minute(ms: int) -> str:
    """The time to the minute in UTC, or to the second where it is no whole minute."""
    at = time_at(ms)
    return at.strftime("%Y-%m-%d %H:%M" if at.second == 0 else "%Y-%m-%d %H:%M:%S")


def lasted(duration_ms: int) -> str:
    """A duration in its two largest units at most."""
    whole = max(1, duration_ms // _SECOND_MS)
    step = next((step for step in (86_400, 3_600, 60) if whole >= 24 * step), 1)
    return format_duration(max(1, whole // step) * step * _SECOND_MS)


def column(role: str, feature: str) -> str:
    """What a finding is about."""
    if not role:
        return "the model"
    return feature if role == Role.FEATURE else f"{feature} ({role})" if feature != role else f"the {role}"


def place(version: str, segment: str) -> str:
    """Which rows of the model."""
    return " ".join(filter(None, (f"version {version}" if version else "all versions", segment)))


def sure_said(confidence: float | None) -> str:
    """How sure a diagnosis is, in words; of one that nobody made it is counted, not guessed."""
    if confidence is None:
        return "counted, no diagnosis"
    words = ((0.95, "very sure"), (0.8, "fairly sure"), (0.5, "likely"))
    return next((word for least, word in words if confidence >= least), "a guess")
