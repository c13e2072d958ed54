"""Incidents over the API: listed, shown with their alerts, marked as right or false, and what the budget has left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service.alerting.effect import effect_said
from service.store import gauge_queries
from service.store.engine import transaction
from service.store.incidents import IncidentFilter, IncidentRow, alerts_of, find_incident, list_incidents
from service.store.ledger import Ledger, ledger_of
from service.store.marks import AlarmVerdict, Mark, add_mark, marks_of
from service.store.result_queries import AlertRow
from service.store.statements import LONGEST_WHO, LONGEST_WHY, Statement, one_line
from service.web.authorization import address_of, caller_of
from service.web.condition import monitor_of
from service.web.dependencies import Dependencies
from service.web.parameters import IncidentQuery, Listing, NameInPath, listing
from service.web.problems import not_found

_NONE_OF_THIS_ID = "there is no incident of this id"


# ---------------------------------------------------------------- reading
def incidents(web: Dependencies, asked: IncidentQuery) -> Listing[IncidentRow]:
    """Incidents, the latest begun first, each told by its root."""
    wanted = IncidentFilter(**asked.filters)
    with transaction(web.engine) as connection:
        return listing(list_incidents(connection, wanted, asked.paging))


class Incident(BaseModel):
    """One incident: `alerts` are the root, other causes, what follows; `marks` begin with the one that holds.

    `effect` says what was seen of the model's answers meanwhile: how far they moved, how often they are wrong. It is
    null where nothing is known.
    """

    incident: IncidentRow
    effect: str | None
    alerts: list[AlertRow]
    marks: list[Mark]


def incident(web: Dependencies, incident_id: NameInPath) -> Incident:
    """One incident with its alerts and marks."""
    with transaction(web.engine) as connection:
        row = find_incident(connection, incident_id)
        if row is None:
            raise not_found(_NONE_OF_THIS_ID)
        alerts, marks = alerts_of(connection, incident_id), marks_of(connection, incident_id)
    effect = effect_said(alert.evidence for alert in alerts)
    return Incident(incident=row, effect=effect, alerts=list(alerts), marks=list(marks))


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
    unmarked: int
    spent: float
    expected: float
    incidents: list[IncidentRow]


def budget(web: Dependencies, model: NameInPath) -> BudgetLedger:
    """What one model's false-alarm budget promised, and what was spent of it."""
    now_ms = web.clock_ms()
    with transaction(web.engine) as connection:
        monitors = gauge_queries.monitors_in_force(connection, now_ms)
        if model not in monitors:
            raise not_found("there is no model of this name")
        return _document(ledger_of(connection, model, monitor_of(model, monitors[model]).budget, now_ms))


def _document(ledger: Ledger) -> BudgetLedger:
    numbers = set(BudgetLedger.model_fields) - {"incidents"}
    values = {name: getattr(ledger, name) for name in numbers}
    return BudgetLedger(**values, incidents=list(ledger.pages))


# ---------------------------------------------------------------- marking
def _line(longest: int) -> Callable[[str], str]:
    return lambda text: one_line(text, longest)


class MarkOrder(BaseModel):
    """A person's word on an incident. `who` is the key's name; where it says otherwise the key stands beside it."""

    model_config = ConfigDict(extra="forbid")

    verdict: AlarmVerdict
    why: Annotated[str, Field(max_length=LONGEST_WHY), AfterValidator(_line(LONGEST_WHY))]
    who: Annotated[str, Field(max_length=LONGEST_WHO), AfterValidator(_line(LONGEST_WHO))] | None = None


def mark(web: Dependencies, request: Request, incident_id: NameInPath, order: MarkOrder) -> Mark:
    """Mark an incident: was its page right, or a false alarm, and why. A later mark replaces this one."""
    made = add_mark(web.engine, incident_id, order.verdict, Statement(_who(request, order.who), order.why))
    if made is None:
        raise not_found(_NONE_OF_THIS_ID)
    return made


def _who(request: Request, named: str | None) -> str:
    """Nobody signs with another's name: the key that was sent is always told."""
    key = caller_of(request).key
    if key is None:
        return named or f"somebody at {address_of(request)}"
    return key.name if named in {None, key.name} else f"{named} (by the key {key.name})"


INCIDENT_ENDPOINTS: dict[str, Callable[..., Any]] = {
    "/incidents": incidents,
    "/incidents/{incident_id}": incident,
    "/models/{model:path}/budget": budget,
}
