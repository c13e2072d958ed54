"""What people say of incidents: whether the page was right. Marks are only added; of several the last one holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from service.store.engine import make_durable, transaction
from service.store.paging import columns_of
from service.store.tables import alert, incident_mark

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Subquery

    from service.store.statements import Statement


class AlarmVerdict(StrEnum):
    """Whether there was something to be woken for; what was expected was a planned change, and nobody's mistake."""

    FALSE_ALARM = "false_alarm"
    TRUE_ALARM = "true_alarm"
    EXPECTED = "expected"


@dataclass(frozen=True, slots=True)
class Mark:
    """One person's word on one incident."""

    incident: str
    model: str
    verdict: AlarmVerdict
    who: str
    why: str
    marked_at: datetime


def add_mark(engine: Engine, incident: str, verdict: AlarmVerdict, said: Statement) -> Mark | None:
    """Mark an incident, durably; None when there is none of that id."""
    with transaction(engine) as connection:
        make_durable(connection)
        of_incident = select(alert.c.model).where(alert.c.incident == incident).limit(1)
        model = connection.execute(of_incident).scalar()
        if model is None:
            return None
        marked = insert(incident_mark).values(
            incident=incident, model=model, verdict=verdict.value, who=said.who, why=said.why
        )
        at = connection.execute(marked.returning(incident_mark.c.marked_at)).scalar_one()
        return Mark(incident, model, verdict, said.who, said.why, at)


def marks_of(connection: Connection, incident: str) -> tuple[Mark, ...]:
    """All marks of an incident, the one that holds first."""
    rows = select(*columns_of(incident_mark, Mark)).where(incident_mark.c.incident == incident)
    found = connection.execute(rows.order_by(incident_mark.c.id.desc())).mappings()
    return tuple(Mark(**dict(row) | {"verdict": AlarmVerdict(row["verdict"])}) for row in found)


def marks_that_hold() -> Subquery:
    """Of each incident the last mark, to be joined with."""
    mark = incident_mark.c
    return (
        select(mark.incident, mark.verdict, mark.who, mark.why, mark.marked_at)
        .ext(distinct_on(mark.incident))
        .order_by(mark.incident, mark.id.desc())
        .subquery("mark")
    )
