"""What was open in a stretch of a model's time: incidents, and alerts that fired. However long ago they began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from service.messages import State
from service.store.incidents import IncidentFilter, IncidentRow, list_incidents
from service.store.paging import Paging, columns_of
from service.store.result_queries import AlertRow, alert_row
from service.store.tables import alert

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

MOST_INCIDENTS, MOST_ALERTS = 50, 200
_alert = alert.c


def incidents_in(connection: Connection, model: str, since_ms: int, until_ms: int) -> tuple[IncidentRow, ...]:
    """The latest begun first."""
    begun = func.min(_alert.since_ms)
    wanted = (_alert.model == model, _alert.since_ms < until_ms, _lasts_beyond(since_ms))
    query = select(_alert.incident).where(*wanted).group_by(_alert.incident).order_by(begun.desc())
    names = connection.execute(query.limit(MOST_INCIDENTS)).scalars().all()
    return list_incidents(connection, IncidentFilter(incidents=names), Paging(MOST_INCIDENTS)).rows


def fired_in(
    connection: Connection, model: str, segment: str, since_ms: int, until_ms: int
) -> tuple[AlertRow, ...]:
    """Of one slice, the latest begun first; not what follows from others."""
    mine = (_alert.model == model, _alert.segment == segment, ~_alert.consequence)
    wanted = (*mine, _alert.fired_ms <= until_ms, _lasts_beyond(since_ms))
    query = select(*columns_of(alert, AlertRow)).where(*wanted).order_by(_alert.since_ms.desc(), _alert.id)
    return tuple(map(alert_row, connection.execute(query.limit(MOST_ALERTS)).mappings()))


def _lasts_beyond(since_ms: int) -> ColumnElement[Any]:
    return or_(_alert.state != State.RESOLVED.value, _alert.at_ms > since_ms)
