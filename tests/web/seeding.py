"""Rows as the collector and the evaluator write them; only what a test names differs from the usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert

from service.messages import Column, Finding, Role, SliceResult, Verdict, WindowKey
from service.monitor import DAY_MS, MINUTE_MS, Monitor
from service.monitor_file import dump_monitors
from service.names import clean_name
from service.store.results import write_slices
from service.store.tables import (
    alert,
    dead_letter,
    finding,
    grid,
    model_version,
    pane,
    performance,
    performance_finding,
    reference,
    source_partition,
    window_result,
)

NOW_MS = 1_795_305_600_000  # 2026-11-22T00:00:00Z
WINDOW_MS = 5 * MINUTE_MS
HOSTILE_NAMES = (
    'quote " and \\ backslash',
    "line\nbreak",
    "<script>alert(1)</script>",
    "\u202eright to left",
    "bell 🔔 and 漢字",
    "a/b?c=d&e#f%2F",
    "{model='x'} 1\n# TYPE",
)
HOSTILE_FEATURES = tuple(name for name in dict.fromkeys(map(clean_name, HOSTILE_NAMES)) if name)
"""What becomes of them where a feature is called so."""


def add_grid(connection: Connection) -> None:
    """The grid that everything is counted on."""
    connection.execute(insert(grid).values(id="g1", definition=b"grid"))


def add_model(connection: Connection, name: str, **changes: Any) -> None:
    """A model with its monitor and a reference; `monitor` may be another one, `reference_name` None."""
    monitor = changes.pop("monitor", Monitor(name))
    usual: dict[str, Any] = {
        "number": 1,
        "since_ms": NOW_MS - DAY_MS,
        "grid_id": "g1",
        "reference_name": f"{name}-ref",
    }
    row = usual | changes
    if row["reference_name"] is not None and row["number"] == 1:
        add_reference(connection, row["reference_name"], model=name)
    values = row | {"model": name, "monitor": dump_monitors([monitor])}
    connection.execute(insert(model_version).values(**values))


def add_reference(connection: Connection, name: str, **changes: Any) -> None:
    """A stored reference."""
    usual = {"model": "churn", "grid_id": "g1", "profile": b"profile", "rows": 10_000}
    connection.execute(insert(reference).values(**usual | changes, name=name))


def add_pane(connection: Connection, model: str, last_ms: int, **changes: Any) -> None:
    """One minute of inferences, the last of them at `last_ms`."""
    start_ms = last_ms // MINUTE_MS * MINUTE_MS
    usual = {
        "topic": "events", "partition": 0, "version": "1", "segment": "", "start_ms": start_ms,
        "end_ms": start_ms + MINUTE_MS, "grid_id": "g1", "inferences": 10, "labels": 0, "sketch": b"sketch",
    }  # fmt: skip
    connection.execute(insert(pane).values(**usual | changes, model=model, last_ms=last_ms))


def add_window(connection: Connection, model: str, end_ms: int, **changes: Any) -> None:
    """A scored window that ended then."""
    usual = {
        "version": "1", "segment": "", "window": "5m", "start_ms": end_ms - WINDOW_MS, "inferences": 100,
        "labels": 0, "revision": 0, "incomplete": False,
    }  # fmt: skip
    connection.execute(insert(window_result).values(**usual | changes, model=model, end_ms=end_ms))


def add_finding(connection: Connection, model: str, end_ms: int, **changes: Any) -> None:
    """A score of a column of the window that ended then."""
    usual = {
        "version": "1", "segment": "", "window": "5m", "start_ms": end_ms - WINDOW_MS, "role": "feature",
        "feature": "amount", "method": "js_distance", "value": 0.1, "limit": 0.4, "p_value": None, "n": 100,
        "m": 10_000, "resolution": 0.001, "verdict": "ok", "reason": None, "revision": 0,
    }  # fmt: skip
    connection.execute(insert(finding).values(**usual | changes, model=model, end_ms=end_ms))


def add_scored(
    connection: Connection, model: str, end_ms: int, ratios: Mapping[str, float], **changes: Any
) -> None:
    """A slice window as the evaluator writes it, whose features stand so far by their limits."""
    usual = {
        "version": "1",
        "segment": "",
        "window": "5m",
        "length_ms": WINDOW_MS,
        "revision": 0,
        "incomplete": False,
    }
    said = usual | {"inferences": 100, "labels": 3} | changes
    key = WindowKey(
        model, said["version"], said["segment"], said["window"], end_ms - said.pop("length_ms"), end_ms
    )
    findings = [
        Finding(
            Column(Role.FEATURE, name), "psi", ratio * 0.2, 0.2, 0.01, said["inferences"], 10_000, 0.0,
            Verdict.DRIFT if ratio > 1 else Verdict.OK,
        )
        for name, ratio in ratios.items()
    ]  # fmt: skip
    counts = (said["inferences"], said["labels"])
    write_slices(connection, [SliceResult(key, *counts, findings, said["revision"], said["incomplete"])])


def add_alert(connection: Connection, alert_id: str, model: str, **changes: Any) -> None:
    """An alert that fires."""
    usual = {
        "incident": "incident-1", "version": "1", "segment": "", "window": "5m", "role": "feature",
        "feature": "amount", "rule": "drift", "cause": "data_drift", "severity": "page", "state": "firing",
        "since_ms": NOW_MS - WINDOW_MS, "at_ms": NOW_MS, "summary": "amount has drifted",
    }  # fmt: skip
    connection.execute(insert(alert).values(**usual | changes, id=alert_id, model=model))


def add_partition(connection: Connection, topic: str, number: int, **changes: Any) -> None:
    """A partition that is read."""
    usual = {"next_offset": 100, "first_offset": 0, "lag": 3, "accepted": 98, "dead": 2, "highest_ms": NOW_MS}
    connection.execute(insert(source_partition).values(**usual | changes, topic=topic, partition=number))


def add_dead_letter(connection: Connection, offset: int, **changes: Any) -> None:
    """A rejected record."""
    usual = {
        "topic": "events", "partition": 0, "timestamp_ms": NOW_MS, "key": b"", "value": b"{", "size": 1,
        "reason": "bad_json", "detail": "ends too early",
    }  # fmt: skip
    connection.execute(insert(dead_letter).values(**usual | changes, offset=offset))


def add_performance(connection: Connection, model: str, end_ms: int, **changes: Any) -> None:
    """A metric of a window of five minutes."""
    usual = {
        "version": "1", "segment": "", "window": "5m", "start_ms": end_ms - WINDOW_MS, "basis": "realized",
        "metric": "accuracy", "value": 0.9, "low": 0.8, "high": 0.95, "n": 60, "resolution": 0.0,
    }  # fmt: skip
    connection.execute(insert(performance).values(**usual | changes, model=model, end_ms=end_ms))


def add_judged(connection: Connection, model: str, end_ms: int, **changes: Any) -> None:
    """A finding about the labelled predictions of a window of five minutes."""
    usual = {
        "version": "1", "segment": "", "window": "5m", "start_ms": end_ms - WINDOW_MS, "method": "evidence_wrong",
        "value": 3.0, "limit": 16.0, "n": 60, "m": 0, "verdict": "ok",
    }  # fmt: skip
    connection.execute(insert(performance_finding).values(**usual | changes, model=model, end_ms=end_ms))
