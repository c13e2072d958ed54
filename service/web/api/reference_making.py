"""References made over the API: of a table that is sent, or of live panes."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service.accepting import (
    AskedSpan,
    accept,
    candidate,
    objections_to,
    present_of,
    refuse_what_is_not_normal,
    span_to_learn,
)
from service.errors import ConfigurationError, FormatError
from service.learning import learn
from service.messages import iso
from service.monitor import Task
from service.names import clean_name
from service.reference.bounds import refuse_bomb
from service.reference.builder import Head, build_reference
from service.reference.profile import ReferenceProfile
from service.reference.specification import ReferenceSpec
from service.store import queries
from service.store.configuration import refuse_to_replace, store_reference
from service.store.engine import transaction
from service.store.profiles import to_be_stored
from service.store.statements import Statement
from service.web.api.parameters import Duration, Name, Time
from service.web.api.signatures import Who, Why, signed
from service.web.api.uploads import uploaded_table
from service.web.dependencies import Dependencies, WebDependencies
from service.web.problems import Refused, not_found

BUILD_SECONDS = 40.0
"""Less than a request has in all."""
T = TypeVar("T")
_HEAD = Head(rows=200_000, size=2**27)


def _readable(text: str) -> str:
    if clean_name(text) != text:
        raise ValueError("write a name of 1 to 200 visible characters")
    return text


NewName = Annotated[str, Field(max_length=200), AfterValidator(_readable)]
Header = Annotated[str, Field(max_length=500)]


class TableParameters(BaseModel):
    """What a table's columns are, by their names in its header; all others are features."""

    model_config = ConfigDict(extra="forbid")

    model: NewName
    name: NewName | None = Field(None, description="the reference's name; the model's if none is given")
    label: Header | None = Field(None, description="the column with the true answer")
    prediction: Header | None = Field(None, description="the column with the model's answer")
    score: Header | None = Field(None, description="the column with the probability of the positive class")
    time: Header | None = Field(None, description="the column with the event time")
    id: Header | None = Field(None, description="the column with the inference id")
    exclude: list[Header] = Field([], max_length=300, description="a column to leave out, once for each")
    replace: bool = Field(False, description="even if the model has a reference of this name")  # noqa: FBT003

    def specification(self) -> ReferenceSpec:
        """The same, as the builder takes it."""
        return ReferenceSpec(
            self.model, self.name or self.model, self.label, self.prediction, self.score, self.time, self.id,
            exclude=tuple(self.exclude),
        )  # fmt: skip


class MadeReference(BaseModel):
    """A reference that was made: what it counted, and what to know of it."""

    name: str
    model: str
    task: Task
    rows: int
    features: list[str]
    warnings: list[str]


def upload(
    web: Dependencies,
    asked: Annotated[TableParameters, Query()],
    table: Annotated[Path, Depends(uploaded_table)],
) -> MadeReference:
    """Count a table, CSV or Parquet, sent as the body, into a reference and store it. No row of it is kept."""
    spec = asked.specification()
    _refuse_taken(web, spec.name, spec.model, must_be_new=not asked.replace)
    with web.large_answers.one():
        try:
            refuse_bomb(table)
            made = build_reference(table, spec, _in_time(), _HEAD)
        except ConfigurationError as why:
            said = "; ".join(why.problems).replace(str(table), "the table")
            raise Refused(422, said) from why
    return _stored(web, made, must_be_new=not asked.replace)


def _in_time() -> Callable[[int, int], None]:
    until = time.monotonic() + BUILD_SECONDS

    def check(_done: int, _total: int) -> None:
        if time.monotonic() > until:
            raise ConfigurationError(
                f"counting the table takes longer than {BUILD_SECONDS:.0f} s; use `driftbell reference build`"
            )

    return check


def _refuse_taken(web: WebDependencies, name: str, model: str, *, must_be_new: bool) -> None:
    """Before the work; it is asked again when all is stored."""
    with transaction(web.engine) as connection:
        _or_refuse(lambda: refuse_to_replace(connection, name, model, must_be_new=must_be_new))


def _stored(web: WebDependencies, made: ReferenceProfile, *, must_be_new: bool) -> MadeReference:
    _or_refuse(lambda: store_reference(web.engine, to_be_stored(made), must_be_new=must_be_new))
    return _made(made)


def _made(profile: ReferenceProfile) -> MadeReference:
    features = [one.column.name for one in profile.columns if one.column.role == "feature"]
    return MadeReference(
        name=profile.name,
        model=profile.model,
        task=profile.task,
        rows=profile.rows,
        features=features,
        warnings=list(profile.warnings),
    )


# ---------------------------------------------------------------- live panes
class LearnOrder(BaseModel):
    """A model, and the event times of the panes to learn of. The reference is stored; no monitor names it yet."""

    model_config = ConfigDict(extra="forbid")

    model: Name
    name: NewName | None = None
    since: Time
    until: Time


def learn_reference(web: Dependencies, order: LearnOrder) -> MadeReference:
    """Make a reference of what was seen live, and store it."""
    if order.since >= order.until:
        raise Refused(422, "since: is not before until")
    _require_monitor(web, order.model)
    name = order.name or f"{order.model}-learned"
    _refuse_taken(web, name, order.model, must_be_new=True)
    with web.large_answers.one():
        made = _or_refuse(lambda: learn(web.engine, order.model, name, order.since, order.until))
    return _stored(web, made, must_be_new=True)


class AcceptReferenceOrder(BaseModel):
    """Make the present normal: the panes of the last time, or of a time, become the reference of a model's monitor.

    `even_so`: also while an incident that pages is open.
    """

    model_config = ConfigDict(extra="forbid")

    model: Name
    since: Time | None = None
    until: Time | None = None
    last: Duration | None = Field(
        None, description="so much event time up to its end, if no `since` is given; 7d"
    )
    name: NewName | None = None
    even_so: bool = False
    why: Why
    who: Who | None = None

    def asked(self) -> AskedSpan:
        """The time."""
        usual = AskedSpan()
        last_ms = usual.last_ms if self.last is None else self.last
        return AskedSpan(self.since, self.until, last_ms, usual.until_said)


class AcceptedReference(BaseModel):
    """What is the model's reference now: learned of events from `from_ms` to `to_ms`, in force from `since_ms` on."""

    name: str
    model: str
    rows: int
    from_ms: int
    to_ms: int
    since_ms: int
    since: str


def accept_reference(web: Dependencies, request: Request, order: AcceptReferenceOrder) -> AcceptedReference:
    """Learn a reference of live panes and make it the model's, in one step."""
    _require_monitor(web, order.model)
    said = signed(request, order.why, order.who)
    with web.large_answers.one():
        return _or_refuse(lambda: _accepted(web, order, said))


def _accepted(web: WebDependencies, order: AcceptReferenceOrder, said: Statement) -> AcceptedReference:
    now_ms = web.clock_ms()
    present = present_of(web.engine, order.model)
    span = span_to_learn(web.engine, present.monitor, order.asked(), now_ms)
    refuse_what_is_not_normal(
        objections_to(web.engine, order.model, span),
        even_so=order.even_so,
        mend="mend that first, or say even_so",
    )
    made, span = candidate(web.engine, present, order.name, span, now_ms)
    applied = accept(web.engine, present, made, span, said, now_ms)
    return AcceptedReference(
        name=made.name,
        model=made.model,
        rows=made.rows,
        from_ms=span.from_ms,
        to_ms=span.to_ms,
        since_ms=applied.since_ms,
        since=iso(applied.since_ms),
    )


def _require_monitor(web: WebDependencies, model: str) -> None:
    with transaction(web.engine) as connection:
        known = queries.find_monitor(connection, model) is not None
    if not known:
        raise not_found("there is no monitor of a model of this name; save one first")


def _or_refuse(act: Callable[[], T]) -> T:
    """What it gives; what it says must be mended first is a conflict with what is stored."""
    try:
        return act()
    except ConfigurationError as why:
        raise Refused(HTTPStatus.CONFLICT, "; ".join(why.problems)) from why
    except FormatError as why:
        raise Refused(HTTPStatus.CONFLICT, f"what is stored cannot be read: {why}") from why
