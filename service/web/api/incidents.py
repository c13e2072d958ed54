"""Incidents over the API: listed, shown with their alerts, marked as right or false, and what the budget has left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict

from service.alerting.effect import effect_said
from service.alerting.words import Said
from service.moments import time_at
from service.store import queries
from service.store.engine import transaction
from service.store.incident_words import silences_over
from service.store.incidents import IncidentFilter, IncidentRow, alerts_of, find_incident, list_incidents
from service.store.ledger import ledger_of
from service.store.marks import AlarmVerdict, Mark, add_mark, marks_of
from service.store.paging import Chunk, Paging
from service.store.result_queries import AlertRow
from service.web.api.parameters import IncidentQuery, Listing, NameInPath, listing
from service.web.api.signatures import Who, Why, signed
from service.web.api.unknown_model import no_model_among
from service.web.api.words import NONE_OF_THIS_ID, IncidentStanding, standing_of
from service.web.condition import monitor_of
from service.web.dependencies import Dependencies, WebDependencies
from service.web.problems import not_found

if TYPE_CHECKING:
    from sqlalchemy import Connection


# ---------------------------------------------------------------- reading
@dataclass(frozen=True, slots=True)
class ListedIncident(IncidentRow):
    """An incident with what it is silent by now."""

    silences: tuple[Said, ...] = ()


def incidents(web: Dependencies, asked: IncidentQuery) -> Listing[ListedIncident]:
    """Incidents, the latest begun first, each told by its root, and by what people say of it."""
    return listing(listed(web, IncidentFilter(**asked.filters), asked.paging))


def listed(web: WebDependencies, wanted: IncidentFilter, paging: Paging) -> Chunk[ListedIncident]:
    """A page of them."""
    now = time_at(web.clock_ms())
    with transaction(web.engine) as connection:
        chunk = list_incidents(connection, wanted, paging)
        silent = silences_over(connection, {row.id: row.model for row in chunk.rows}, now)
    names = [one.name for one in fields(IncidentRow)]

    def told(row: IncidentRow) -> ListedIncident:
        return ListedIncident(**{name: getattr(row, name) for name in names}, silences=silent.get(row.id, ()))

    return Chunk(tuple(map(told, chunk.rows)), chunk.next)


class Incident(BaseModel):
    """One incident: `alerts` are the root, other causes, what follows; `marks` begin with the one that holds.

    `effect` says what was seen of the model's answers meanwhile: how far they moved, how often they are wrong. It is
    null where nothing is known.
    """

    incident: IncidentRow
    effect: str | None
    alerts: list[AlertRow]
    marks: list[Mark]
    standing: IncidentStanding


def incident(web: Dependencies, incident_id: NameInPath) -> Incident:
    """One incident with its alerts and marks."""
    with transaction(web.engine) as connection:
        row = find_incident(connection, incident_id)
        if row is None:
            raise not_found(NONE_OF_THIS_ID)
        alerts, marks = alerts_of(connection, incident_id), marks_of(connection, incident_id)
        standing = standing_of(connection, row, time_at(web.clock_ms()))
    effect = effect_said(alert.evidence for alert in alerts)
    return Incident(incident=row, effect=effect, alerts=list(alerts), marks=list(marks), standing=standing)


class BudgetLedger(BaseModel):
    """The false pages that a model's budget allows in its period, which ends now, and the pages that came.

    `spent` is the share that is spent for certain: pages marked false, by those promised. `expected` counts the pages
    that nobody has marked as false ones, too. `incidents` are the pages, the latest begun first.
    """

    model: str
    since_ms: int
    until_ms: int
    promised: float
    paged: int
    marked_false: int
    marked_true: int
    marked_expected: int
    unmarked: int
    spent: float
    expected: float
    incidents: list[IncidentRow]


def budget(web: Dependencies, model: NameInPath) -> BudgetLedger:
    """What one model's false-alarm budget promised, and what was spent of it."""
    with transaction(web.engine) as connection:
        found = budget_of(connection, model, web.clock_ms())
        if found is None:
            raise no_model_among(connection, model)
    return found


def budget_of(connection: Connection, model: str, now_ms: int) -> BudgetLedger | None:
    """The same for API and pages; None where the model has no monitor."""
    document = queries.monitor_at(connection, model, now_ms)
    if document is None:
        return None
    ledger = ledger_of(connection, model, monitor_of(model, document).budget, now_ms)
    numbers = set(BudgetLedger.model_fields) - {"incidents"}
    values = {name: getattr(ledger, name) for name in numbers}
    return BudgetLedger(**values, incidents=list(ledger.pages))


# ---------------------------------------------------------------- marking
class MarkOrder(BaseModel):
    """A person's word on an incident. `who` is the key's name; where it says otherwise the key stands beside it."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal[AlarmVerdict.FALSE_ALARM, AlarmVerdict.TRUE_ALARM]
    why: Why
    who: Who | None = None


def mark(web: Dependencies, request: Request, incident_id: NameInPath, order: MarkOrder) -> Mark:
    """Mark an incident: was its page right, or a false alarm, and why. A later mark replaces this one."""
    made = add_mark(web.engine, incident_id, order.verdict, signed(request, order.why, order.who))
    if made is None:
        raise not_found(NONE_OF_THIS_ID)
    return made


INCIDENT_ENDPOINTS: dict[str, Callable[..., Any]] = {
    "/incidents": incidents,
    "/incidents/{incident_id}": incident,
    "/models/{model:path}/budget": budget,
}
