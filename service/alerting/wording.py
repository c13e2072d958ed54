"""One sentence that a tired person understands: what broke, where, since when, and how sure that is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from service.alerting.rules import Signal
from service.messages import Cause, Column, Finding, Role, WindowKey

if TYPE_CHECKING:
    from service.messages import SliceResult

_KINDS = {
    "missing_null": "null", "missing_absent": "absent", "missing_nan": "NaN", "missing_infinite": "infinite",
    "missing_empty": "empty",
}  # fmt: skip

_SPELLED = {
    "tv": "total variation", "js_distance": "Jensen-Shannon distance", "ks": "the Kolmogorov-Smirnov distance",
    "hellinger": "Hellinger distance", "psi": "PSI", "l_infinity": "the largest change of a category's share",
    "chi_square": "chi-square",
}  # fmt: skip


def sentence(signal: Signal, finding: Finding, result: SliceResult, cause: Cause) -> str:
    """What to tell."""
    return f"{_where(result.key)}: {_what(signal, finding, cause)} ({_when(result.key)}, {result.inferences:,} events)"


def _where(key: WindowKey) -> str:
    version = f" version {key.version}" if key.version else ""
    segment = f" for {key.segment}" if key.segment else ""
    return f"{key.model}{version}{segment}"


def _what(signal: Signal, finding: Finding, cause: Cause) -> str:
    name, value, limit = _named(signal.column), finding.value or 0.0, finding.limit or 0.0
    if finding.method in _KINDS:
        return f"{name} is {_KINDS[finding.method]} in {_share(value)} of the events, usual is at most {_share(limit)}"
    if cause is Cause.TYPE_CHANGE:
        return f"{name} changed its type in {_share(value)} of the events"
    if cause is Cause.NEW_CATEGORY:
        return f"{name} has values that the reference never saw, in {_share(value)} of the events"
    if cause is Cause.OUT_OF_RANGE:
        return f"{name} is outside the reference's range in {_share(value)} of the events"
    if cause is Cause.SILENCE:
        return f"no events arrive, usual are about {finding.m:,} a window"
    if cause is Cause.PIPELINE:
        return f"{finding.n:,} events arrived, usual are about {finding.m:,} a window"
    return f"{name} no longer has the reference's distribution: {_distance(finding.method, value)}, limit {limit:.3g}"


def _distance(method: str, value: float) -> str:
    if method == "wasserstein":
        return f"it moved by {value:.3g} of the reference's standard deviations"
    return f"{_SPELLED.get(method, method)} is {value:.3g}"


def _named(column: Column | None) -> str:
    if column is None:
        return "the model"
    return f"feature {column.name}" if column.role is Role.FEATURE else f"the {column.name.replace('_ms', '')}"


def _share(ratio: float) -> str:
    percent = 100.0 * ratio
    if percent in {0.0, 100.0}:
        return f"{percent:.0f} %"
    return f"{percent:.2g} %" if percent < 1 else f"{percent:.1f} %"


def _when(key: WindowKey) -> str:
    start, end = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (key.start_ms, key.end_ms))
    until = end.strftime("%H:%M:%S" if end.date() == start.date() else "%Y-%m-%d %H:%M:%S")
    return f"window {start.strftime('%Y-%m-%d %H:%M:%S')} to {until} UTC"
