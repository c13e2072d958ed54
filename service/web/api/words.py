"""People's words on incidents over the API: who has it, silent until when, expected, accepted; and what is silent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.exceptions import HTTPException

from service.accepting import Accepted, Asked, accept_span
from service.alerting.words import Cover, Said, Word, end_of_silence, who_has_it
from service.errors import ConfigurationError
from service.moments import time_at
from service.store.alertmanagers import SilencedThere, all_silences, silenced_there
from service.store.engine import transaction
from service.store.incident_words import (
    Order,
    end,
    say,
    silences_over,
    words_of,
)
from service.store.incidents import IncidentRow, find_incident
from service.store.statements import Statement
from service.web.api.parameters import Duration, Listing, Name, NameInPath, Time
from service.web.api.signatures import Who, Why, signed
from service.web.dependencies import Dependencies, WebDependencies
from service.web.problems import not_found

NONE_OF_THIS_ID = "there is no incident of this id"
_LARGEST_ID = 2**63 - 1

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = logging.getLogger(__name__)


# ---------------------------------------------------------------- what is sent
class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid")

    who: Who | None = None


class Acknowledgement(_Words):
    """Somebody has the incident."""

    why: Why = "looking into it"


class Release(_Words):
    """Nobody has the incident any more."""

    why: Why = "not any more"


class _Lasting(_Words):
    """`for` is a duration such as 4h, `until` a time; at most 366 days."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    why: Why
    lasts: Duration | None = Field(None, alias="for", description="a duration such as 1h or 4h")
    until: Time | None = None

    @model_validator(mode="after")
    def _only_one(self) -> _Lasting:
        if self.lasts is not None and self.until is not None:
            raise ValueError("say `for` or `until`, not both")
        return self

    def end_after(self, now_ms: int) -> datetime | None:
        """The end; raises 422 for one that is over, or too far away."""
        try:
            return end_of_silence(now_ms, self.lasts, self.until)
        except ConfigurationError as why:
            raise HTTPException(422, str(why)) from None


class SilenceOrder(_Lasting):
    """No notifications of this incident; `widely`: nor of what is wrong in it where it comes again in this model."""

    widely: bool = False

    @model_validator(mode="after")
    def _needs_an_end(self) -> SilenceOrder:
        if self.lasts is None and self.until is None:
            raise ValueError("say until when: `for` such as 4h, or `until`")
        return self


class ExpectOrder(_Lasting):
    """A planned change: it is no false page, and does not ring again until then, or until there is a new reference."""


class AcceptSpanOrder(_Words):
    """The stretch of event time that is how the model should be."""

    why: Why
    since: Time = Field(alias="from")
    to: Time

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


# ---------------------------------------------------------------- what is shown
class IncidentStanding(BaseModel):
    """What people say of an incident: who has it, what it is silent by here and at Alertmanagers, and all words."""

    acknowledged: Said | None
    silences: list[Said]
    silenced_there: list[SilencedThere]
    words: list[Said]


def standing_of(connection: Connection, row: IncidentRow, now: datetime) -> IncidentStanding:
    """Of an incident, now."""
    words = words_of(connection, row.id)
    silences = silences_over(connection, {row.id: row.model}, now).get(row.id, ())
    there = list(silenced_there(connection, now, [row.id]))
    return IncidentStanding(
        acknowledged=who_has_it(words), silences=list(silences), silenced_there=there, words=list(words)
    )


class Silence(BaseModel):
    """What is silent: by a word said here (`id`), or at an Alertmanager (`alertmanager`, and the id that it has there).

    `kind` is silenced or expected. Without `covers` it is about its incident as a whole. Without `until_at` it holds
    until somebody ends it, or until the model gets another reference than `reference_name`.
    """

    id: int | None
    alertmanager: str | None = None
    id_there: str | None = None
    kind: Word
    incident: str
    model: str
    covers: tuple[Cover, ...] = ()
    who: str
    why: str
    said_at: datetime | None = None
    until_at: datetime | None
    reference_name: str | None = None


def silences(web: Dependencies, model: Annotated[Name | None, Query()] = None) -> Listing[Silence]:
    """What is silent or expected now, by whom, why and until when; of one model, or of all."""
    now = _now(web)
    with transaction(web.engine) as connection:
        ours, there = all_silences(connection, now, model)
    return Listing(items=[*map(_ours, ours), *map(_theirs, there)], next=None)


def _ours(one: Said) -> Silence:
    return Silence(
        id=one.id, kind=one.word, incident=one.incident, model=one.model, covers=one.covers, who=one.who, why=one.why,
        said_at=one.said_at, until_at=one.until_at, reference_name=one.reference_name,
    )  # fmt: skip


def _theirs(one: SilencedThere) -> Silence:
    return Silence(
        id=None, alertmanager=one.alertmanager, id_there=one.id, kind=Word.SILENCED, incident=one.incident,
        model=one.model, who=one.who, why=one.why, until_at=one.until_at,
    )  # fmt: skip


# ---------------------------------------------------------------- saying
def acknowledge(web: Dependencies, request: Request, incident_id: NameInPath, order: Acknowledgement) -> Said:
    """Say that you have it. Everybody sees so; it is still told to whom it was told."""
    return said_of(web, Order(incident_id, Word.ACKNOWLEDGED, signed(request, order.why, order.who)))


def release(web: Dependencies, request: Request, incident_id: NameInPath, order: Release) -> Said:
    """Say that nobody has it any more."""
    return said_of(web, Order(incident_id, Word.RELEASED, signed(request, order.why, order.who)))


def silence(web: Dependencies, request: Request, incident_id: NameInPath, order: SilenceOrder) -> Said:
    """No notifications of it until then: no webhook, and a silence at each Alertmanager."""
    until, said = order.end_after(web.clock_ms()), signed(request, order.why, order.who)
    return said_of(web, Order(incident_id, Word.SILENCED, said, until, order.widely))


def expect(web: Dependencies, request: Request, incident_id: NameInPath, order: ExpectOrder) -> Said:
    """Say that it is a planned change: it pages nobody any more, is no false page, and does not ring again."""
    until, said = order.end_after(web.clock_ms()), signed(request, order.why, order.who)
    return said_of(web, Order(incident_id, Word.EXPECTED, said, until, widely=True))


def accept(web: Dependencies, request: Request, incident_id: NameInPath, order: AcceptSpanOrder) -> Accepted:
    """Make a stretch of event time the model's reference from now on: what it holds is normal."""
    return accepted_of(web, incident_id, (order.since, order.to), signed(request, order.why, order.who))


def said_of(web: WebDependencies, order: Order) -> Said:
    """The word as it is kept; raises 404 for an incident that is not there."""
    made = say(web.engine, order)
    if made is None:
        raise not_found(NONE_OF_THIS_ID)
    return made


def accepted_of(
    web: WebDependencies, incident_id: str, span_ms: tuple[int, int], said: Statement
) -> Accepted:
    """The reference as it is in force; raises 404, or 409 with what stands against it."""
    with transaction(web.engine) as connection:
        row = find_incident(connection, incident_id)
    if row is None:
        raise not_found(NONE_OF_THIS_ID)
    try:
        with web.large_answers.one():
            made = accept_span(web.engine, Asked(row.id, row.model, *span_ms), said, web.clock_ms())
    except ConfigurationError as why:
        raise HTTPException(409, "; ".join(why.problems)) from why
    _say_accepted(web, incident_id, Statement(said.who, f"{said.why} (reference {made.name})"))
    return made


def _say_accepted(web: WebDependencies, incident_id: str, said: Statement) -> None:
    """The reference is in force: a failure here must not have it accepted once more."""
    try:
        say(web.engine, Order(incident_id, Word.ACCEPTED, said))
    except Exception:
        log.exception("incident %s does not show that it was accepted: %s", incident_id, said.why)


# ---------------------------------------------------------------- ending
def end_silence(
    web: Dependencies, request: Request, silence_id: int, why: Annotated[Why, Query()] = "not any more"
) -> Said:
    """End one silence, or what is expected, before its time."""
    made = None
    if 0 < silence_id <= _LARGEST_ID:
        made = end(web.engine, silence_id, signed(request, why), _now(web))
    if made is None:
        raise not_found("there is no silence of this id, or it is over")
    return made


def _now(web: WebDependencies) -> datetime:
    return time_at(web.clock_ms())


_ORDERS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("POST", "/incidents/{incident_id}/acknowledge", acknowledge),
    ("POST", "/incidents/{incident_id}/release", release),
    ("POST", "/incidents/{incident_id}/silence", silence),
    ("POST", "/incidents/{incident_id}/expect", expect),
    ("POST", "/incidents/{incident_id}/accept", accept),
    ("DELETE", "/silences/{silence_id}", end_silence),
    ("GET", "/silences", silences),
)


def add_word_routes(router: APIRouter) -> None:
    """Beside the incidents."""
    for method, path, endpoint in _ORDERS:
        router.add_api_route(path, endpoint, methods=[method])
