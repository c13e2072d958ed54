"""Incidents: the alerts of one model that belong together, told by their root. One of them is one page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, or_, select

from service.messages import Severity, State
from service.store.marks import marks_that_hold
from service.store.paging import Chunk, Order, Paging, columns_of
from service.store.result_queries import AlertRow, alert_row, place_of
from service.store.tables import alert

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select, Subquery

_alert = alert.c
_TOGETHER = (_alert.model, _alert.incident)
_SEVERITIES = (Severity.PAGE.value, Severity.TICKET.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """Which incidents (None: any); those that began after `since_ms`, at or before `until_ms`.

    `open`: something in it is pending or fires. `paged_since_ms`: its first page fired after this.
    """

    model: str | None = None
    incident: str | None = None
    open: bool | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    paged_since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident. `cause` to `summary` are those of its root, `severity` is the worst that fired, or that is pending.

    `fired_ms` and `paged_ms` are the event times at which something, and a page, fired first. `until_ms` is when the
    last alert was resolved; None while one is open. `verdict` to `marked_at` are those of the last mark.
    """

    id: str
    model: str
    state: str
    severity: str
    cause: str
    version: str
    segment: str
    feature: str
    summary: str
    since_ms: int
    until_ms: int | None
    fired_ms: int | None
    paged_ms: int | None
    alerts: int
    verdict: str | None
    who: str | None
    why: str | None
    marked_at: datetime | None


def list_incidents(connection: Connection, wanted: IncidentFilter, paging: Paging) -> Chunk[IncidentRow]:
    """Incidents, the latest begun first. One that is found to have begun earlier meanwhile may come twice."""
    incident = _incidents(wanted)
    order = Order((incident.c.since_ms, incident.c.id))
    return order.read(connection, _matching(incident, wanted), paging, lambda row: IncidentRow(**row))


def find_incident(connection: Connection, incident: str) -> IncidentRow | None:
    """One incident; None when there is none of that id."""
    found = list_incidents(connection, IncidentFilter(incident=incident), Paging(1)).rows
    return found[0] if found else None


def alerts_of(connection: Connection, incident: str) -> tuple[AlertRow, ...]:
    """Its alerts: the root, other causes, then what follows from them."""
    rows = select(*columns_of(alert, AlertRow)).where(_alert.incident == incident).order_by(*_rootness())
    return tuple(map(alert_row, connection.execute(rows).mappings()))


def _rootness() -> tuple[ColumnElement[Any], ...]:
    return (
        _alert.consequence,
        _has_fired().desc(),
        place_of(_alert.severity, *_SEVERITIES),
        _alert.confidence.desc().nulls_last(),
        _alert.since_ms,
        _alert.id,
    )


def _has_fired() -> ColumnElement[bool]:
    return or_(_alert.state == State.FIRING.value, _alert.fired_ms.is_not(None))


def _incidents(wanted: IncidentFilter) -> Subquery:
    """The alerts of the wanted incidents, the root in the first place, with what all of an incident say together."""
    rows = select(
        _alert.incident.label("id"), _alert.model, _alert.cause, _alert.version, _alert.segment, _alert.feature,
        _alert.summary,
        *(column.label(name) for name, column in _together().items()),
        func.row_number().over(partition_by=_TOGETHER, order_by=_rootness()).label("place"),
    )  # fmt: skip
    for name in ("model", "incident"):
        if (value := getattr(wanted, name)) is not None:
            rows = rows.where(_alert[name] == value)
    return rows.subquery("incident")


def _together() -> dict[str, ColumnElement[Any]]:
    is_page, fires = _alert.severity == Severity.PAGE.value, _alert.state == State.FIRING.value
    badness = place_of(_alert.severity, *_SEVERITIES)
    # An evaluator of the version before does not write when an alert fired.
    fired_ms = func.coalesce(_alert.fired_ms, case((fires, _alert.at_ms)))
    worst_fired = func.min(badness).filter(_has_fired()).over(partition_by=_TOGETHER)
    worst = func.coalesce(worst_fired, func.min(badness).over(partition_by=_TOGETHER))
    any_fires = func.bool_or(fires).over(partition_by=_TOGETHER)
    any_open = func.bool_or(_alert.state != State.RESOLVED.value).over(partition_by=_TOGETHER)
    last_ms = func.max(_alert.at_ms).over(partition_by=_TOGETHER)
    return {
        "state": case(
            (any_fires, State.FIRING.value), (any_open, State.PENDING.value), else_=State.RESOLVED.value
        ),
        "severity": case(dict(enumerate(_SEVERITIES)), value=worst, else_=Severity.INFO.value),
        "since_ms": func.min(_alert.since_ms).over(partition_by=_TOGETHER),
        "until_ms": case((~any_open, last_ms)),
        "fired_ms": func.min(fired_ms).over(partition_by=_TOGETHER),
        "paged_ms": func.min(fired_ms).filter(is_page).over(partition_by=_TOGETHER),
        "alerts": func.count().over(partition_by=_TOGETHER),
    }


def _matching(incident: Subquery, wanted: IncidentFilter) -> Select[Any]:
    mark, told = marks_that_hold(), [column for column in incident.c if column.name != "place"]
    rows = (
        select(*told, mark.c.verdict, mark.c.who, mark.c.why, mark.c.marked_at)
        .outerjoin(mark, mark.c.incident == incident.c.id)
        .where(incident.c.place == 1)
    )
    if wanted.open is not None:
        is_open = incident.c.state != State.RESOLVED.value
        rows = rows.where(is_open if wanted.open else ~is_open)
    if wanted.since_ms is not None:
        rows = rows.where(incident.c.since_ms > wanted.since_ms)
    if wanted.until_ms is not None:
        rows = rows.where(incident.c.since_ms <= wanted.until_ms)
    if wanted.paged_since_ms is not None:
        rows = rows.where(incident.c.paged_ms > wanted.paged_since_ms)
    return rows
