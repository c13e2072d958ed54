"""What API and pages read about results: windows, findings and alerts, newest first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Select, Table, case, select

from service.store.paging import Chunk, Order, Paging, columns_of
from service.store.tables import alert, finding, performance, window_result


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFilter:
    """Which windows (None: any); those that ended after `since_ms`, at or before `until_ms`."""

    model: str | None = None
    version: str | None = None
    segment: str | None = None
    window: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFilter(WindowFilter):
    """Which findings; the times are those of their windows."""

    feature: str | None = None
    method: str | None = None
    verdict: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts; those that began after `since_ms`, at or before `until_ms`."""

    model: str | None = None
    version: str | None = None
    segment: str | None = None
    window: str | None = None
    feature: str | None = None
    cause: str | None = None
    incident: str | None = None
    state: str | None = None
    severity: str | None = None
    consequence: bool | None = None
    since_ms: int | None = None
    until_ms: int | None = None


def matching(rows: Select[Any], table: Table, wanted: Any, time: Column[Any]) -> Select[Any]:
    """The rows that a filter wants: equal in what it names, within its times."""
    values = {name: value for name, value in asdict(wanted).items() if value is not None}
    since, until = (values.pop(name, None) for name in ("since_ms", "until_ms"))
    rows = rows.where(*(table.c[name] == value for name, value in values.items()))
    if since is not None:
        rows = rows.where(time > since)
    return rows if until is None else rows.where(time <= until)


# ---------------------------------------------------------------- windows
@dataclass(frozen=True, slots=True)
class WindowRow:
    """One scored window of one slice."""

    model: str
    version: str
    segment: str
    window: str
    start_ms: int
    end_ms: int
    inferences: int
    labels: int
    revision: int
    incomplete: bool
    reference_name: str | None
    computed_at: datetime


def list_windows(connection: Connection, wanted: WindowFilter, paging: Paging) -> Chunk[WindowRow]:
    """Windows, the latest end first."""
    column = window_result.c
    rows = matching(select(*columns_of(window_result, WindowRow)), window_result, wanted, column.end_ms)
    order = Order((column.end_ms, column.model, column.version, column.segment, column.window))
    return order.read(connection, rows, paging, lambda row: WindowRow(**row))


# ---------------------------------------------------------------- findings
@dataclass(frozen=True, slots=True)
class FindingRow:
    """A score with its limit and verdict. A number that is not finite is given as None."""

    model: str
    version: str
    segment: str
    window: str
    start_ms: int
    end_ms: int
    role: str
    feature: str
    method: str
    value: float | None
    limit: float | None
    p_value: float | None
    n: int
    m: int
    resolution: float | None
    verdict: str
    reason: str | None
    revision: int


def list_findings(connection: Connection, wanted: FindingFilter, paging: Paging) -> Chunk[FindingRow]:
    """Findings, those of the latest window first."""
    column = finding.c
    rows = matching(select(*columns_of(finding, FindingRow)), finding, wanted, column.end_ms)
    key = ("end_ms", "model", "version", "segment", "window", "role", "feature", "method")
    return Order(tuple(column[name] for name in key)).read(connection, rows, paging, _finding_row)


def _finding_row(row: RowMapping) -> FindingRow:
    numbers = {name: _finite(row[name]) for name in ("value", "limit", "p_value", "resolution")}
    return FindingRow(**dict(row) | numbers)


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


# ---------------------------------------------------------------- performance
@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceFilter(WindowFilter):
    """Which metrics of which windows; the times are those of the windows' ends."""

    metric: str | None = None
    basis: str | None = None


@dataclass(frozen=True, slots=True)
class PerformanceRow:
    """A metric of the predictions of one window, with its confidence interval, of `n` rows.

    Realized: of those that have a label, whenever that came. `reason` says why there is no value.
    """

    model: str
    version: str
    segment: str
    window: str
    start_ms: int
    end_ms: int
    basis: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    resolution: float
    reason: str | None
    computed_at: datetime


def list_performance(
    connection: Connection, wanted: PerformanceFilter, paging: Paging
) -> Chunk[PerformanceRow]:
    """Metrics, those of the latest window first."""
    column = performance.c
    rows = matching(select(*columns_of(performance, PerformanceRow)), performance, wanted, column.end_ms)
    key = ("end_ms", "model", "version", "segment", "window", "basis", "metric")
    order = Order(tuple(column[name] for name in key))
    return order.read(connection, rows, paging, lambda row: PerformanceRow(**row))


# ---------------------------------------------------------------- alerts
@dataclass(frozen=True, slots=True)
class AlertRow:
    """A finding that lasted. `at_ms` is the event time at which its present state was known, `fired_ms` when it fired.

    `consequence`: it follows from another alert of its incident. `confidence` and `evidence` are the diagnosis' own.
    """

    id: str
    incident: str
    model: str
    version: str
    segment: str
    window: str
    role: str
    feature: str
    rule: str
    cause: str
    severity: str
    state: str
    since_ms: int
    at_ms: int
    summary: str
    updated_at: datetime
    consequence: bool = False
    confidence: float | None = None
    evidence: Mapping[str, int | float | str] = field(default_factory=dict)
    fired_ms: int | None = None


def list_alerts(connection: Connection, wanted: AlertFilter, paging: Paging) -> Chunk[AlertRow]:
    """Alerts, the latest begun first: when it began is what does not change in an alert."""
    rows = matching(select(*columns_of(alert, AlertRow)), alert, wanted, alert.c.since_ms)
    return Order((alert.c.since_ms, alert.c.id)).read(connection, rows, paging, alert_row)


def find_alert(connection: Connection, alert_id: str) -> AlertRow | None:
    """One alert; None when there is none of that id."""
    row = (
        connection.execute(select(*columns_of(alert, AlertRow)).where(alert.c.id == alert_id))
        .mappings()
        .first()
    )
    return None if row is None else alert_row(row)


def alert_row(row: RowMapping) -> AlertRow:
    """A selected row as a value."""
    return AlertRow(**dict(row) | {"evidence": row["evidence"] or {}})


def place_of(column: ColumnElement[Any], *words: str) -> ColumnElement[int]:
    """Where a column's word stands among these; after them all when it is none of them."""
    return case({word: place for place, word in enumerate(words)}, value=column, else_=len(words))
