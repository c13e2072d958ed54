"""What the store gives, made by hand; only what a test names differs from the usual."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from service.monitor import MINUTE_MS
from service.store.incidents import IncidentRow
from service.store.marks import AlarmVerdict, Mark
from service.store.report_cases import IncidentCase, SpanCase
from service.store.report_places import LogPlace
from service.store.report_scores import Score, Standing
from service.store.report_seen import Beside, Seen, Stretch
from service.store.result_queries import AlertRow, PerformanceRow, WindowRow

T = 1_795_305_600_000  # 2026-11-22T00:00:00Z
LENGTH_MS = 5 * MINUTE_MS
AT = datetime(2026, 11, 22, 1, tzinfo=UTC)


def stretch(**changes: Any) -> Stretch:
    """Three windows after midnight, and three before."""
    usual: dict[str, Any] = {
        "model": "churn", "version": "7", "segment": "", "window": "5m", "before_ms": T - 3 * LENGTH_MS,
        "start_ms": T, "end_ms": T + 3 * LENGTH_MS, "every_ms": LENGTH_MS,
    }  # fmt: skip
    return Stretch(**usual | changes)


def score(**changes: Any) -> Score:
    usual: dict[str, Any] = {
        "version": "7", "segment": "", "window": "5m", "start_ms": T, "end_ms": T + LENGTH_MS, "role": "feature",
        "feature": "amount", "method": "psi", "value": 4.0, "limit": 0.5, "n": 500, "m": 3_000, "verdict": "drift",
        "ratio": 8.0, "windows": 3,
    }  # fmt: skip
    return Score(**usual | changes)


def window(number: int, **changes: Any) -> WindowRow:
    """The window that ends so many windows after midnight."""
    end_ms = T + number * LENGTH_MS
    usual: dict[str, Any] = {
        "model": "churn", "version": "7", "segment": "", "window": "5m", "start_ms": end_ms - LENGTH_MS,
        "end_ms": end_ms, "inferences": 100, "labels": 10, "revision": 0, "incomplete": False,
        "reference_name": "churn-ref", "computed_at": AT,
    }  # fmt: skip
    return WindowRow(**usual | changes)


def metric(number: int, value: float | None, **changes: Any) -> PerformanceRow:
    """A metric of the window that ends so many windows after midnight, give or take 0.03."""
    end_ms = T + number * LENGTH_MS
    usual: dict[str, Any] = {
        "model": "churn", "version": "7", "segment": "", "window": "5m", "start_ms": end_ms - LENGTH_MS,
        "end_ms": end_ms, "basis": "realized", "metric": "accuracy", "value": value,
        "low": None if value is None else value - 0.03, "high": None if value is None else value + 0.03, "n": 100,
        "resolution": 0.0, "reason": None, "computed_at": AT,
    }  # fmt: skip
    return PerformanceRow(**usual | changes)


def seen(**changes: Any) -> Seen:
    usual: dict[str, Any] = {
        "of": stretch(), "windows": [window(n) for n in (-1, 0, 1, 2, 3)], "scores": [score()],
        "missing": [], "standings": [Standing("feature", "amount", T + LENGTH_MS, 8.0)], "performance": [],
        "ripe_after_ms": 60 * MINUTE_MS, "places": [LogPlace("log", 3, 300, 1_000, 1_400, 0, None, 0)],
        "beside": Beside(None, None, None, "the model has no reference"), "now_ms": T + 120 * MINUTE_MS,
    }  # fmt: skip
    return Seen(**usual | changes)


def incident(**changes: Any) -> IncidentRow:
    usual: dict[str, Any] = {
        "id": "i-1", "model": "churn", "state": "resolved", "severity": "page", "cause": "unit_change",
        "version": "7", "segment": "", "feature": "amount", "summary": "amount is in cents", "since_ms": T,
        "until_ms": T + 3 * LENGTH_MS, "fired_ms": T + LENGTH_MS, "paged_ms": T + LENGTH_MS, "alerts": 1,
        "verdict": None, "who": None, "why": None, "marked_at": None,
    }  # fmt: skip
    return IncidentRow(**usual | changes)


def alert(**changes: Any) -> AlertRow:
    usual: dict[str, Any] = {
        "id": "a-1", "incident": "i-1", "model": "churn", "version": "7", "segment": "", "window": "5m",
        "role": "feature", "feature": "amount", "rule": "range", "cause": "unit_change", "severity": "page",
        "state": "resolved", "since_ms": T, "at_ms": T + 3 * LENGTH_MS, "summary": "amount is in cents",
        "updated_at": AT, "confidence": 0.97, "evidence": {"ratio": 100.0},
    }  # fmt: skip
    return AlertRow(**usual | changes)


def mark(**changes: Any) -> Mark:
    usual: dict[str, Any] = {
        "incident": "i-1", "model": "churn", "verdict": AlarmVerdict.TRUE_ALARM, "who": "anna",
        "why": "the shop sent cents", "marked_at": AT,
    }  # fmt: skip
    return Mark(**usual | changes)


def incident_case(**changes: Any) -> IncidentCase:
    usual: dict[str, Any] = {
        "incident": incident(), "alerts": (alert(),), "marks": (), "first_event_ms": T + 1_200, "seen": seen(),
    }  # fmt: skip
    return IncidentCase(**usual | changes)


def span_case(**changes: Any) -> SpanCase:
    return SpanCase(**{"incidents": (), "seen": seen()} | changes)


def hostile_case(name: str) -> IncidentCase:
    """A case in which every text that may come out of an event, or from a person, is this one."""
    of = stretch(model=name, version=name, segment=f"{name}={name}", window="5m")
    case = seen(
        of=of,
        windows=[window(1, version=name, reference_name=name)],
        scores=[score(version=name, segment=name, feature=name, method=name, window=name)],
        missing=[score(feature=name, method=f"missing_{name}", window=name, value=0.5)],
        standings=[Standing("feature", name, T + LENGTH_MS, 8.0)],
        performance=[metric(1, 0.9, version=name, segment=name, metric=name)],
        places=[LogPlace(name, 0, 1, 0, 1, 0, None, 0)],
        beside=Beside(name, None, None, name),
    )
    told = alert(
        model=name, version=name, segment=name, window=name, feature=name, rule=name, cause=name, summary=name,
        evidence={name: name, "effect": name},
    )  # fmt: skip
    one = incident(id=name, model=name, version=name, segment=name, feature=name, cause=name, summary=name)
    return incident_case(incident=one, alerts=(told,), marks=(mark(who=name, why=name),), seen=case)
