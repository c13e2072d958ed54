"""Incidents: the alerts of one model that belong together, told by their root. One of them is one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Text, bindparam, case, func, literal, or_, select, true, tuple_

from service.messages import Cause, Severity, State
from service.store.incident_words import acknowledgements
from service.store.marks import marks_that_hold
from service.store.paging import Chunk, Order, Paging
from service.store.result_queries import AlertRow, alert_row, place_of
from service.store.tables import alert

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, FromClause, Select, Subquery

_alert = alert.c
Columns = Any
"""Of the table, or of some of its rows."""
_SEVERITIES = (Severity.PAGE.value, Severity.TICKET.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """Which incidents (None: any): by model, by ids, those that began after `since_ms`, at or before `until_ms`.

    `open`: something in it is pending or fires. `paged_since_ms`: its first page fired after this.
    """

    model: str | None = None
    incidents: Sequence[str] | None = None
    open: bool | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    paged_since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident. `cause` to `summary` are those of its root, `severity` is the worst that fired, or that is pending.

    `fired_ms` and `paged_ms` are the event times at which something, and a page, fired first. `until_ms` is when the
    last alert was resolved; None while one is open. `verdict` to `marked_at` are those of the last mark.
    `acknowledged_by` says who has it; None: nobody.
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
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None


def list_incidents(connection: Connection, wanted: IncidentFilter, paging: Paging) -> Chunk[IncidentRow]:
    """Incidents, the latest begun first. One that is found to have begun earlier meanwhile may come twice."""
    if wanted.incidents is None and wanted.paged_since_ms is None:
        # Only the incidents of this page are put together of their alerts.
        wanted = replace(wanted, incidents=_of_page(connection, wanted, paging))
    incident = _incidents(wanted)
    order = Order((incident.c.since_ms, incident.c.id))
    return order.read(connection, _matching(incident, wanted), paging, lambda row: IncidentRow(**row))


def _of_page(connection: Connection, wanted: IncidentFilter, paging: Paging) -> Sequence[str]:
    """The ids of the incidents that a page may hold, and of the one after it: by the first alert of each."""
    if wanted.open:
        return _open_ids(connection, () if wanted.model is None else (wanted.model,))
    earlier = alert.alias("earlier").c
    before = tuple_(earlier.since_ms, earlier.id) < tuple_(_alert.since_ms, _alert.id)
    same = (earlier.incident == _alert.incident) & (earlier.model == _alert.model)
    rows = select(_alert.incident, _alert.since_ms).where(~select(earlier.id).where(same, before).exists())
    if wanted.model is not None:
        rows = rows.where(_alert.model == wanted.model)
    if wanted.since_ms is not None:
        rows = rows.where(_alert.since_ms > wanted.since_ms)
    if wanted.until_ms is not None:
        rows = rows.where(_alert.since_ms <= wanted.until_ms)
    if wanted.open is False:
        other = alert.alias("other")
        still_open = select(other.c.id).where(other.c.incident == _alert.incident, _is_open(other.c))
        rows = rows.where(~still_open.exists())
    order = Order((_alert.since_ms, _alert.incident))
    one_more = replace(paging, limit=paging.limit + 1)
    return order.read(connection, rows, one_more, lambda row: str(row["incident"])).rows


def find_incident(connection: Connection, incident: str) -> IncidentRow | None:
    """One incident; None when there is none of that id."""
    found = list_incidents(connection, IncidentFilter(incidents=(incident,)), Paging(1)).rows
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class OpenIncidents:
    """How many incidents of a model are open, and the worst of them, the very worst first."""

    open: int
    worst: tuple[IncidentRow, ...]


def open_incidents(
    connection: Connection, models: Sequence[str], per_model: int
) -> Mapping[str, OpenIncidents]:
    """Of each model that has some: what fires before what is pending, pages before tickets, the longest open first."""
    if not models:
        return {}
    worst_first = connection.execute(_worst(per_model), {"incidents": _open_ids(connection, models)})
    told = [one.name for one in fields(IncidentRow)]
    found: dict[str, OpenIncidents] = {}
    for row in worst_first.mappings():
        worse = found[row["model"]].worst if row["model"] in found else ()
        found[row["model"]] = OpenIncidents(
            row["open"], (*worse, IncidentRow(**{name: row[name] for name in told}))
        )
    return found


@cache  # it takes as long to make as to run
def _worst(per_model: int) -> Select[Any]:
    ids = bindparam("incidents", type_=ARRAY(Text))
    rows = _matching(_incidents(IncidentFilter(), ids), IncidentFilter()).subquery("open")
    c = rows.c
    badness = (place_of(c.state, State.FIRING.value), place_of(c.severity, *_SEVERITIES), c.since_ms, c.id)
    ranked = select(
        rows,
        func.count().over(partition_by=c.model).label("open"),
        func.row_number().over(partition_by=c.model, order_by=badness).label("rank"),
    ).subquery("ranked")
    return select(ranked).where(ranked.c.rank <= per_model).order_by(ranked.c.model, ranked.c.rank)


def alerts_of(connection: Connection, incident: str) -> tuple[AlertRow, ...]:
    """Its alerts: the root, other causes, then what follows from them."""
    return tuple(alerts_of_all(connection, [incident]).get(incident, ()))


def alerts_of_all(connection: Connection, incidents: Sequence[str]) -> Mapping[str, Sequence[AlertRow]]:
    """The same of each of these that has any."""
    source, c = _alerts_of(literal(list(incidents), ARRAY(Text)))
    columns = (c[one.name] for one in fields(AlertRow))
    rows = select(*columns).select_from(source).order_by(*_rootness(c))
    found: dict[str, list[AlertRow]] = {}
    for one in map(alert_row, connection.execute(rows).mappings()):
        found.setdefault(one.incident, []).append(one)
    return found


def _rootness(c: Columns) -> tuple[ColumnElement[Any], ...]:
    """As `service.alerting.would_have.incidents_of` sorts what was never stored."""
    return (
        c.consequence,
        _has_fired(c).desc(),
        place_of(c.severity, *_SEVERITIES),
        c.cause == Cause.CORRELATION_BREAK.value,  # that it moved says more than that it parted from others
        c.confidence.desc().nulls_last(),
        c.fired_ms,
        c.since_ms,
        c.id,
    )


def _has_fired(c: Columns) -> ColumnElement[bool]:
    return or_(c.state == State.FIRING.value, c.fired_ms.is_not(None))


def _is_open(c: Columns) -> ColumnElement[bool]:
    state: ColumnElement[str] = c.state
    return state.in_([State.PENDING.value, State.FIRING.value])


def _open_ids(connection: Connection, models: Sequence[str]) -> Sequence[str]:
    """Few of all incidents are open: an index has them. Of all models where none is named."""
    ids = select(_alert.incident).where(_is_open(_alert)).distinct()
    return connection.execute(ids.where(_alert.model.in_(models)) if models else ids).scalars().all()


def _incidents(wanted: IncidentFilter, ids: ColumnElement[Any] | None = None) -> Subquery:
    """The alerts of the wanted incidents, the root in the first place, with what all of an incident say together."""
    if wanted.incidents is not None:
        ids = literal(list(wanted.incidents), ARRAY(Text))
    source, c = (alert, _alert) if ids is None else _alerts_of(ids)
    rows = select(
        c.incident.label("id"), c.model, c.cause, c.version, c.segment, c.feature, c.summary,
        *(column.label(name) for name, column in _together(c).items()),
        func.row_number().over(partition_by=(c.model, c.incident), order_by=_rootness(c)).label("place"),
    ).select_from(source)  # fmt: skip
    if wanted.model is not None:
        rows = rows.where(c.model == wanted.model)
    return rows.subquery("incident")


def _alerts_of(ids: ColumnElement[Any]) -> tuple[FromClause, Columns]:
    """A step for each: without statistics PostgreSQL takes a hundred incidents for half of all."""
    wanted = func.unnest(ids).table_valued("incident", name="wanted").render_derived()
    each = (
        select(alert)
        .where(_alert.incident == wanted.c.incident)
        .correlate(wanted)
        .offset(0)
        .lateral("alerts")
    )
    return wanted.join(each, true()), each.c


def _together(c: Columns) -> dict[str, ColumnElement[Any]]:
    together = (c.model, c.incident)
    is_page, fires = c.severity == Severity.PAGE.value, c.state == State.FIRING.value
    badness = place_of(c.severity, *_SEVERITIES)
    # An evaluator of the version before does not write when an alert fired.
    fired_ms = func.coalesce(c.fired_ms, case((fires, c.at_ms)))
    worst_fired = func.min(badness).filter(_has_fired(c)).over(partition_by=together)
    worst = func.coalesce(worst_fired, func.min(badness).over(partition_by=together))
    any_fires = func.bool_or(fires).over(partition_by=together)
    any_open = func.bool_or(c.state != State.RESOLVED.value).over(partition_by=together)
    last_ms = func.max(c.at_ms).over(partition_by=together)
    return {
        "state": case(
            (any_fires, State.FIRING.value), (any_open, State.PENDING.value), else_=State.RESOLVED.value
        ),
        "severity": case(dict(enumerate(_SEVERITIES)), value=worst, else_=Severity.INFO.value),
        "since_ms": func.min(c.since_ms).over(partition_by=together),
        "until_ms": case((~any_open, last_ms)),
        "fired_ms": func.min(fired_ms).over(partition_by=together),
        "paged_ms": func.min(fired_ms).filter(is_page).over(partition_by=together),
        "alerts": func.count().over(partition_by=together),
    }


def _matching(incident: Subquery, wanted: IncidentFilter) -> Select[Any]:
    mark, ack = marks_that_hold(), acknowledgements()
    told = [column for column in incident.c if column.name != "place"]
    rows = (
        select(
            *told, mark.c.verdict, mark.c.who, mark.c.why, mark.c.marked_at,
            ack.c.acknowledged_by, ack.c.acknowledged_at,
        )
        .outerjoin(mark, mark.c.incident == incident.c.id)
        .outerjoin(ack, ack.c.incident == incident.c.id)
        .where(incident.c.place == 1)
    )  # fmt: skip
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
