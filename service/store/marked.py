"""A model's incidents and what people said of them, for a back-test that asks whether it would have rung for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.store.incidents import IncidentFilter, IncidentRow, alerts_of, list_incidents
from service.store.ledger import MOST_PAGES
from service.store.marks import AlarmVerdict
from service.store.paging import Paging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class MarkedIncident:
    """An incident that somebody has marked, and all that its alerts speak of; `until_ms` is None while it is open."""

    id: str
    verdict: AlarmVerdict
    severity: str
    since_ms: int
    fired_ms: int
    until_ms: int | None
    causes: frozenset[str]
    features: frozenset[str]


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the monitors of then paged in some time, and the marked incidents of all times."""

    paged: int
    marked: tuple[MarkedIncident, ...]


def remembered_of(connection: Connection, model: str, start_ms: int, end_ms: int) -> Remembered:
    """The model's incidents; those count as pages whose first page fired in (start, end]."""
    rows = list_incidents(connection, IncidentFilter(model=model), Paging(MOST_PAGES)).rows
    paged = sum(one.paged_ms is not None and start_ms < one.paged_ms <= end_ms for one in rows)
    return Remembered(paged, _marked(connection, rows))


def _marked(connection: Connection, rows: Sequence[IncidentRow]) -> tuple[MarkedIncident, ...]:
    return tuple(
        _with_alerts(connection, one, AlarmVerdict(one.verdict)) for one in rows if one.verdict is not None
    )


def _with_alerts(connection: Connection, one: IncidentRow, verdict: AlarmVerdict) -> MarkedIncident:
    alerts = alerts_of(connection, one.id)
    fired = one.since_ms if one.fired_ms is None else one.fired_ms
    return MarkedIncident(
        one.id, verdict, one.severity, one.since_ms, fired, one.until_ms,
        frozenset(a.cause for a in alerts), frozenset(a.feature for a in alerts if a.feature),
    )  # fmt: skip
