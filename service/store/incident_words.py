"""What people say of incidents while they last: words are only added, and what holds is read out of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from service.alerting.words import SILENCING, Cover, Said, Word, covers_of, silences_of
from service.messages import State
from service.store.engine import make_durable, transaction
from service.store.marks import AlarmVerdict
from service.store.paging import columns_of
from service.store.tables import alert, incident_mark, incident_word, model_version

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, RowMapping, Select, Subquery

    from service.store.statements import Statement

_MOST_WORDS = 500
_word, _alert = incident_word.c, alert.c


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be said of an incident. `widely`: also of what is wrong in it where it comes again elsewhere."""

    incident: str
    word: Word
    said: Statement
    until_at: datetime | None = None
    widely: bool = False


def say(engine: Engine, order: Order) -> Said | None:
    """Say it, durably; None when there is no incident of that id. What is expected is marked so, too."""
    with transaction(engine) as connection:
        make_durable(connection)
        model = connection.execute(
            select(_alert.model).where(_alert.incident == order.incident).limit(1)
        ).scalar()
        if model is None:
            return None
        covers: Iterable[Cover] = ()
        if order.widely:
            covers = covers_of(wrong_in(connection, [order.incident]).get(order.incident, ()))
        if order.word is Word.EXPECTED:
            _mark_expected(connection, order, model)
        return _add(connection, order, model, {
            "covers": [list(one) for one in covers], "until_at": order.until_at,
            "reference_name": reference_of(connection, model) if order.word is Word.EXPECTED else None,
        })  # fmt: skip


def end(engine: Engine, silence: int, said: Statement, now: datetime) -> Said | None:
    """End a silence that holds; None when there is none of that id."""
    with transaction(engine) as connection:
        make_durable(connection)
        return end_within(connection, silence, said, now)


def end_within(connection: Connection, silence: int, said: Statement, now: datetime) -> Said | None:
    """End it in this transaction."""
    row = connection.execute(_in_force(now).where(_word.id == silence)).mappings().first()
    if row is None:
        return None
    found = _said(row)
    return _add(connection, Order(found.incident, Word.ENDED, said), found.model, {"ends": silence})


def words_of(connection: Connection, incident: str) -> tuple[Said, ...]:
    """All words on an incident, the last one first."""
    rows = select(*columns_of(incident_word, Said)).where(_word.incident == incident)
    found = connection.execute(rows.order_by(_word.id.desc()).limit(_MOST_WORDS)).mappings()
    return tuple(map(_said, found))


def silences_in_force(connection: Connection, now: datetime, *, model: str | None = None) -> tuple[Said, ...]:
    """The silences, and what is expected, that hold now; the first one said first."""
    rows = _in_force(now)
    if model is not None:
        rows = rows.where(_word.model == model)
    return tuple(map(_said, connection.execute(rows).mappings()))


def _in_force(now: datetime) -> Select[Any]:
    ended = incident_word.alias("ended")
    return (
        select(*columns_of(incident_word, Said))
        .where(
            _word.word.in_([one.value for one in SILENCING]),
            or_(_word.until_at.is_(None), _word.until_at > now),
            ~select(ended.c.id).where(ended.c.ends == _word.id).exists(),
            or_(
                _word.word != Word.EXPECTED.value,
                _word.reference_name.is_not_distinct_from(_reference_now(_word.model)),
            ),
        )
        .order_by(_word.id)
    )


def silences_over(
    connection: Connection, incidents: Mapping[str, str], now: datetime
) -> Mapping[str, tuple[Said, ...]]:
    """What each of these incidents (their models by their ids) is silent by now; only those that are."""
    return silent_by(connection, silences_in_force(connection, now), incidents) if incidents else {}


def silent_by(
    connection: Connection, holding: Sequence[Said], incidents: Mapping[str, str]
) -> Mapping[str, tuple[Said, ...]]:
    """The same by these silences, which hold."""
    if not (holding and incidents):
        return {}
    wrong = wrong_in(connection, list(incidents)) if any(one.covers for one in holding) else {}
    found = {
        incident: silences_of(holding, incident, model, wrong.get(incident, ()))
        for incident, model in incidents.items()
    }
    return {incident: silences for incident, silences in found.items() if silences}


def wrong_in(connection: Connection, incidents: Sequence[str]) -> Mapping[str, Collection[Cover]]:
    """What is wrong in each incident and follows from nothing else: what is open, or all if nothing is any more."""
    columns = (_alert.incident, _alert.cause, _alert.role, _alert.feature, _alert.segment)
    rows = (
        select(*columns, func.bool_or(_alert.state != State.RESOLVED.value).label("is_open"))
        .where(_alert.incident.in_(incidents), ~_alert.consequence)
        .group_by(*columns)
    )
    every: dict[str, set[Cover]] = {}
    still: dict[str, set[Cover]] = {}
    for incident, *cover, is_open in connection.execute(rows):
        every.setdefault(incident, set()).add(Cover(*cover))
        if is_open:
            still.setdefault(incident, set()).add(Cover(*cover))
    return every | still


def models_of(connection: Connection, incidents: Collection[str]) -> Mapping[str, str]:
    """The models of incidents, by their ids; only of those that are there."""
    rows = select(_alert.incident, _alert.model).where(_alert.incident.in_(incidents)).distinct()
    return {row.incident: row.model for row in connection.execute(rows)}


def reference_of(connection: Connection, model: str) -> str | None:
    """The name of the reference of the model's newest monitor."""
    return connection.execute(select(_reference_now(model))).scalar()


def acknowledgements() -> Subquery:
    """Of each incident the last word on who has it, to be joined with; `acknowledged_by` is None when nobody has."""
    said = (
        select(_word.incident, _word.word, _word.who, _word.said_at)
        .ext(distinct_on(_word.incident))
        .where(_word.word.in_([Word.ACKNOWLEDGED.value, Word.RELEASED.value]))
        .order_by(_word.incident, _word.id.desc())
        .subquery("last_word")
    )
    return (
        select(said.c.incident, said.c.who.label("acknowledged_by"), said.c.said_at.label("acknowledged_at"))
        .where(said.c.word == Word.ACKNOWLEDGED.value)
        .subquery("acknowledgement")
    )


def _reference_now(model: Any) -> Any:
    newest = model_version.alias("newest")
    return (
        select(newest.c.reference_name)
        .where(newest.c.model == model)
        .order_by(newest.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def _add(connection: Connection, order: Order, model: str, more: Mapping[str, Any]) -> Said:
    made = insert(incident_word).values(
        incident=order.incident, model=model, word=order.word.value, who=order.said.who, why=order.said.why, **more
    )  # fmt: skip
    row = connection.execute(made.returning(*columns_of(incident_word, Said))).mappings().one()
    return _said(row)


def _mark_expected(connection: Connection, order: Order, model: str) -> None:
    verdict = AlarmVerdict.EXPECTED.value
    mark = {"incident": order.incident, "model": model, "verdict": verdict}
    connection.execute(insert(incident_mark).values(**mark, who=order.said.who, why=order.said.why))


def _said(row: RowMapping) -> Said:
    covers = tuple(Cover(*one) for one in row["covers"])
    return Said(**dict(row) | {"word": Word(row["word"]), "covers": covers})
