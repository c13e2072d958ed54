"""Monitors written over the API: checked with all mistakes at once, compared with what is stored, and saved."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from service.applying import Written, read_text
from service.messages import iso
from service.monitor import Monitor, to_document
from service.monitor_changes import budget_said, changes_between, lines_between, taken_by_default
from service.plurals import counted
from service.store.profiles import stored_profiles
from service.store.queries import MonitorRow
from service.store.saving import Saved, look_at_monitors, save_monitors
from service.web.api.signatures import Who, Why, signed_by
from service.web.condition import monitor_of
from service.web.dependencies import Dependencies, WebDependencies
from service.web.problems import MEDIA_TYPE, Mistake, Refused

LONGEST_YAML = 200_000
"""Characters: YAML is read slowly, about 100,000 of them a second."""

logger = logging.getLogger(__name__)


def _not_too_long(text: str) -> str:
    if len(text) > LONGEST_YAML:
        raise ValueError(f"has more than {LONGEST_YAML:,} characters; save fewer models at a time")
    return text


class MonitorText(BaseModel):
    """Monitors as YAML: `models:` and below it at least one model."""

    model_config = ConfigDict(extra="forbid")

    yaml: Annotated[str, AfterValidator(_not_too_long)]


class Line(BaseModel):
    """One mistake: the line it is on, counted from 1, and what to write instead."""

    line: int
    sentence: str


class ReadMonitor(BaseModel):
    """One monitor as it was understood: what was written, what is taken by default, and its budget in words."""

    model: str
    written: dict[str, Any]
    by_default: dict[str, Any]
    budget: str


class Validation(BaseModel):
    """Either mistakes, all of them, or the monitors."""

    valid: bool
    mistakes: list[Line] = []
    monitors: list[ReadMonitor] = []


def validate(web: Dependencies, order: MonitorText) -> Validation:
    """Say every mistake in some monitors, or how they are understood. Nothing is stored."""
    written = read_text(order.yaml, stored_profiles(web.engine))
    mistakes = [Line(line=line, sentence=sentence) for line, sentence in written.mistakes]
    return Validation(valid=not mistakes, mistakes=mistakes, monitors=list(map(_read, written.monitors)))


def _read(monitor: Monitor) -> ReadMonitor:
    return ReadMonitor(
        model=monitor.model,
        written=to_document(monitor),
        by_default=taken_by_default(monitor),
        budget=budget_said(monitor.budget),
    )


def monitors_in(web: WebDependencies, yaml: str) -> Sequence[Monitor]:
    """The monitors of a text; answers with its mistakes when there are any."""
    written: Written = read_text(yaml, stored_profiles(web.engine))
    if written.mistakes:
        first = written.mistakes[0]
        raise Refused(
            422,
            f"{counted(len(written.mistakes), 'mistake')} in the monitors; line {first.line}: {first.sentence}",
            [Mistake(parameter="yaml", sentence=sentence, line=line) for line, sentence in written.mistakes],
        )
    return written.monitors


# ---------------------------------------------------------------- looking
class Difference(BaseModel):
    """What saving would change of one model: a unified diff of YAML, and a sentence for each change.

    `number` is that of the stored monitor, 0 where there is none; `since_ms` the event time from which on the new one
    would hold, null for all of the model's events.
    """

    model: str
    action: str
    number: int
    since_ms: int | None
    since: str
    diff: str
    changes: list[str]


class Differences(BaseModel):
    """What saving some monitors would change."""

    items: list[Difference]


def diff(web: Dependencies, order: MonitorText) -> Differences:
    """What saving these monitors would change, and from when on. Nothing is stored."""
    monitors = monitors_in(web, order.yaml)
    found = look_at_monitors(web.engine, monitors, web.clock_ms())
    by_model = {one.model: one for one in monitors}
    return Differences(items=[_difference(one, by_model[one.model]) for one in found])


def _difference(saved: Saved, monitor: Monitor) -> Difference:
    before = None if saved.before is None else monitor_of(saved.model, saved.before.monitor)
    return Difference(
        model=saved.model,
        action=saved.action,
        number=0 if saved.before is None else saved.before.number,
        since_ms=saved.since_ms,
        since=_since(saved),
        diff=lines_between(before, monitor),
        changes=list(changes_between(before, monitor)),
    )


def _since(saved: Saved) -> str:
    if saved.action == "unchanged":
        return "nothing changes"
    if saved.since_ms is None:
        return "from the model's first event on"
    return f"from event time {iso(saved.since_ms)} on, a pane's border that no event has reached"


# ---------------------------------------------------------------- saving
class SaveOrder(MonitorText):
    """Monitors to save. With `number`, only if that is the stored one's (0: there is none yet); of one model only."""

    number: int | None = Field(None, ge=0, le=2**31 - 1)
    who: Who | None = None
    why: Why | None = None


class SavedMonitor(BaseModel):
    """What became of one monitor; `since_ms` is null for all of the model's events."""

    model: str
    action: str
    number: int
    since_ms: int | None
    since: str


class SavedMonitors(BaseModel):
    """What became of some monitors."""

    items: list[SavedMonitor]


def save(web: Dependencies, request: Request, order: SaveOrder) -> Any:
    """Save all of these monitors, or none. Answers 409 with the newer monitor when `number` is not the stored one's."""
    monitors = monitors_in(web, order.yaml)
    if order.number is not None and len(monitors) != 1:
        raise Refused(422, "number: is of one model; leave it out, or save one model at a time")
    expected = {} if order.number is None else {monitors[0].model: order.number}
    found = save_monitors(web.engine, monitors, expected, web.clock_ms())
    if isinstance(found, MonitorRow):
        return _newer(found)
    who = signed_by(request, order.who)
    for one in found:
        logger.info(
            "the monitor of model %r was %s by %r as number %d: %r",
            one.model, one.action, who, one.number, order.why or "no reason given",
        )  # fmt: skip
    return SavedMonitors(items=[_saved(one) for one in found])


def _saved(one: Saved) -> SavedMonitor:
    return SavedMonitor(
        model=one.model, action=one.action, number=one.number, since_ms=one.since_ms, since=_since(one)
    )


def _newer(row: MonitorRow) -> Response:
    """A problem that carries what is stored, so that who was overtaken can compare."""
    what = f"the monitor of this model was changed meanwhile: number {row.number} is stored"
    detail = f"{what}; look at it, then save again"
    problem = {"type": "about:blank", "title": "Conflict", "status": 409, "detail": detail}
    return JSONResponse(problem | {"number": row.number, "monitor": row.monitor}, 409, media_type=MEDIA_TYPE)
