"""What Alertmanagers should know, what each of them was told, and what is silent there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, or_, select, true
from sqlalchemy.dialects.postgresql import insert as upsert

from service.alerting.effect import EFFECT, effect_said
from service.alerting.incident_alerts import OpenIncident
from service.alerting.pushing import Sent, Situation, Told
from service.alerting.shared_silences import Before, Link, Wanted
from service.alerting.words import Said, Word
from service.messages import Severity, State
from service.store.engine import transaction
from service.store.incident_words import end_within, models_of, silences_in_force, silences_over
from service.store.incidents import IncidentFilter, IncidentRow, alerts_of_all, list_incidents
from service.store.paging import Paging, columns_of
from service.store.statements import Statement
from service.store.tables import alert, alertmanager, alertmanager_alert, alertmanager_silence, incident_word
from service.store.texts import storable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.store.result_queries import AlertRow

_ALL = Paging(2**31 - 2)
"""What rings and were left out would be told as over."""
_MOST_FACTS = 6
_GUARDED_LONGER = timedelta(minutes=15)
"""Rules of Prometheus hold on to what is over for some minutes: so long they are hushed."""
_HEARD = (Severity.PAGE.value, Severity.TICKET.value)
_LONGEST_TROUBLE = 500
_silence, _table = alertmanager_silence.c, alertmanager


@dataclass(frozen=True, slots=True)
class SilencedThere:
    """A silence over an incident that people made at an Alertmanager."""

    alertmanager: str
    id: str
    incident: str
    model: str
    who: str
    why: str
    until_at: datetime


@dataclass(frozen=True, slots=True)
class AlertmanagerRow:
    """How one of them does: when it last took what it was sent, since when it does not, and why."""

    name: str
    reached_at: datetime | None
    failing_since: datetime | None
    trouble: str | None


class Alertmanagers:
    """The `Register` in Postgres."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def news(self) -> object:
        newest = select(func.max(alert.c.updated_at), select(func.max(incident_word.c.id)).scalar_subquery())
        with transaction(self._engine) as connection:
            return tuple(connection.execute(newest).one())

    def situation(self, now: datetime) -> Situation:
        with transaction(self._engine) as connection:
            rows = _that_ring(connection)
            silent = silences_over(connection, {one.id: one.model for one in rows}, now)
            expected = {
                incident
                for incident, said in silent.items()
                if any(one.word is Word.EXPECTED for one in said)
            }
            alerts = alerts_of_all(connection, [one.id for one in rows if one.id not in expected])
            # All alerts of one that is missing have joined another meanwhile.
            incidents = [_told(one, alerts[one.id]) for one in rows if one.id in alerts]
            silences = {
                Wanted(one.id, incident): one
                for incident, said in silent.items()
                for one in said
                if one.word is Word.SILENCED and incident not in expected
            }
            return Situation(incidents, _guarded(connection, now), silences)

    def before(self, alertmanager: str) -> tuple[Sequence[Sent], Before]:
        sent = select(*(alertmanager_alert.c[name] for name in Sent._fields))
        links = select(*columns_of(alertmanager_silence, Link)).where(
            _silence.alertmanager == alertmanager, _silence.word.is_not(None)
        )
        with transaction(self._engine) as connection:
            found = connection.execute(sent.where(alertmanager_alert.c.alertmanager == alertmanager))
            alerts = [Sent(*row) for row in found]
            made = [Link(**row) for row in connection.execute(links).mappings()]
            until = select(incident_word.c.id, incident_word.c.until_at).where(
                incident_word.c.id.in_([one.word for one in made])
            )
            return alerts, Before(made, {row.id: row.until_at for row in connection.execute(until)})

    def told(self, alertmanager: str, told: Told, now: datetime) -> None:
        with transaction(self._engine) as connection:
            if told.trouble is None:  # noted first: whoever tells the same one at the same time waits here
                _note(connection, alertmanager, reached_at=func.now(), failing_since=None, trouble=None)
            else:
                _note_failing(connection, alertmanager, told.trouble)
            _replace(connection, alertmanager_alert, alertmanager, [one._asdict() for one in told.sent])
            if told.links is not None:
                _replace(connection, alertmanager_silence, alertmanager, _rows(connection, told.links))
            said = Statement(f"Alertmanager {alertmanager}"[:100], "the silence was ended there")
            for word in sorted(told.ended_there):
                end_within(connection, word, said, now)

    def failed(self, alertmanager: str, trouble: str) -> None:
        with transaction(self._engine) as connection:
            _note_failing(connection, alertmanager, trouble)


def alertmanagers(connection: Connection) -> tuple[AlertmanagerRow, ...]:
    """Those that were ever told something, by their names."""
    rows = select(*columns_of(alertmanager, AlertmanagerRow)).order_by(alertmanager.c.name)
    return tuple(AlertmanagerRow(**row) for row in connection.execute(rows).mappings())


def silenced_there(
    connection: Connection, now: datetime, incidents: Sequence[str] | None = None
) -> tuple[SilencedThere, ...]:
    """What our incidents are silent by at Alertmanagers alone, as far as was seen at the last look."""
    known = select(alert.c.model).where(alert.c.incident == _silence.incident).limit(1).lateral("known")
    own = [_silence[one.name] for one in fields(SilencedThere) if one.name != "model"]
    rows = select(*own, known.c.model).join(known, true())
    rows = rows.where(_silence.until_at > now, _silence.word.is_(None))
    if incidents is not None:
        rows = rows.where(_silence.incident.in_(incidents))
    order = (_silence.incident, _silence.until_at, _silence.alertmanager, _silence.id)
    return tuple(SilencedThere(**row) for row in connection.execute(rows.order_by(*order)).mappings())


def all_silences(
    connection: Connection, now: datetime, model: str | None = None
) -> tuple[tuple[Said, ...], tuple[SilencedThere, ...]]:
    """What is silent or expected now by words said here, and by those said there; of one model, or of all."""
    ours = silences_in_force(connection, now, model=model)
    there = silenced_there(connection, now)
    return ours, tuple(one for one in there if model in {None, one.model})


def _that_ring(connection: Connection) -> list[IncidentRow]:
    rows = list_incidents(connection, IncidentFilter(open=True), _ALL).rows
    return [one for one in rows if one.fired_ms is not None and one.severity in _HEARD]


def _told(one: IncidentRow, alerts: Sequence[AlertRow]) -> OpenIncident:
    facts = [(name, value) for name, value in sorted(alerts[0].evidence.items()) if name != EFFECT]
    return OpenIncident(
        one.id, one.model, one.cause, one.severity, one.segment, one.feature, one.version, one.summary, one.since_ms,
        alerts[0].confidence, effect_said(each.evidence for each in alerts), tuple(facts[:_MOST_FACTS]),
        one.acknowledged_by,
    )  # fmt: skip


def _guarded(connection: Connection, now: datetime) -> list[str]:
    """Models with something that fires, or has until a short time ago."""
    c = alert.c
    lately = or_(c.state == State.FIRING.value, c.updated_at > now - _GUARDED_LONGER)
    return list(
        connection.execute(select(c.model).where(lately, c.fired_ms.is_not(None)).distinct()).scalars()
    )


def _rows(connection: Connection, links: Sequence[Link]) -> list[dict[str, Any]]:
    """Of incidents that are ours; who tells an Alertmanager of others may be another driftbell."""
    known = models_of(connection, {one.incident for one in links})
    return [_row(one) for one in links if one.incident in known]


def _row(link: Link) -> dict[str, Any]:
    return {
        "id": link.id, "incident": link.incident, "word": link.word, "who": storable(link.who),
        "why": storable(link.why), "until_at": link.until_at,
    }  # fmt: skip


def _replace(connection: Connection, table: Any, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(delete(table).where(table.c.alertmanager == name))
    if rows:
        connection.execute(insert(table), [{**row, "alertmanager": name} for row in rows])


def _note_failing(connection: Connection, name: str, trouble: str) -> None:
    since = func.coalesce(_table.c.failing_since, func.now())
    said = storable(trouble)[:_LONGEST_TROUBLE]
    _note(connection, name, changing={"failing_since": since}, failing_since=func.now(), trouble=said)


def _note(
    connection: Connection, name: str, changing: Mapping[str, Any] | None = None, **values: Any
) -> None:
    statement = upsert(_table).values(name=name, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[_table.c.name], set_={**values, **(changing or {})})
    )
