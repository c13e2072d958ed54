"""One model: how it is, what moved when, how well it answers, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import HTMLResponse

from service.messages import PREDICTION, SCORE, Column, State
from service.moments import utc
from service.monitor import DAY_MS, Monitor, Task
from service.reports.phrases import number, share, times_over
from service.store import queries
from service.store.engine import transaction
from service.store.incidents import IncidentFilter, IncidentRow, list_incidents
from service.store.open_in_time import MOST_INCIDENTS, fired_in, incidents_in
from service.store.paging import Paging
from service.store.queries import ModelRow
from service.store.result_queries import AlertRow
from service.web.api.incidents import budget_of
from service.web.api.parameters import Filled, Name, NameInPath, Time
from service.web.api.slices import Slice, slices
from service.web.api.unknown_model import no_model_among
from service.web.api.window_spans import WindowSpanParameters, window_span_of
from service.web.condition import STATE_WORDS, condition_of, monitor_of
from service.web.dependencies import Dependencies
from service.web.links import api, feature_page, incident_page, incidents_page, model_page, monitor_page
from service.web.pages.page import page
from service.web.wording import moment

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_PLACES = 360
"""Of the heat map: each is two pixels wide or more, and a month of 200 columns is 60 KB."""
_SPANS = (("day", DAY_MS), ("week", 7 * DAY_MS), ("30 days", 30 * DAY_MS))


class ModelPageParameters(BaseModel):
    """Which windows the page shows."""

    model_config = ConfigDict(extra="ignore")

    window: Filled[Name] = None
    version: Filled[Name] = None
    segment: Name = ""
    metric: Filled[Name] = None
    since: Filled[Time] = None
    until: Filled[Time] = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the visitor looks at, as it stands in addresses."""

    window: str
    version: str | None
    segment: str
    since: int
    until: int

    @property
    def values(self) -> dict[str, str | int | None]:
        """For addresses; the whole model has no segment."""
        return {
            "window": self.window, "version": self.version, "segment": self.segment or None, "since": self.since,
            "until": self.until,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """An alert from when it fired to when it was resolved; None: it still fires."""

    id: str
    incident: str
    severity: str
    summary: str
    since_ms: int
    until_ms: int | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen."""

    windows: tuple[str, ...]
    versions: tuple[str, ...]
    segments: tuple[str, ...]
    spans: tuple[tuple[str, str], ...]


def model(
    request: Request, web: Dependencies, model: NameInPath, asked: Annotated[ModelPageParameters, Query()]
) -> HTMLResponse:
    """The page of one model."""
    now_ms = web.clock_ms()
    with transaction(web.engine) as connection:
        row = queries.find_model(connection, now_ms, model)
        if row is None:
            raise no_model_among(connection, model)
        monitor, parameters = monitor_of(model, row.monitor), _parameters(model, asked)
        span = window_span_of(parameters, monitor, now_ms)
        chosen = Chosen(span.window, span.version, span.segment, span.since_ms, span.until_ms)
        incidents = _incidents(connection, model, chosen)
        alerts = fired_in(connection, model, chosen.segment, chosen.since, chosen.until)
        budget = budget_of(connection, model, now_ms)
    beside = slices(web, parameters)
    condition = condition_of(row, now_ms)
    return page(
        request, "model.html", place="overview", model=row, condition=condition,
        word=STATE_WORDS[condition.state], chosen=chosen, choices=_choices(row, monitor, beside.items, chosen, now_ms),
        last_event=moment(row.last_event_ms, now_ms), last_label=moment(row.last_label_ms, now_ms),
        incidents=incidents, alerts=_bars(alerts), slices=beside.items,
        budget=budget,
        answers=_answers(monitor),
        sources=_sources(model, chosen, asked.metric) | {"answers": _course(model, chosen, monitor, beside.items)},
        link=LINKS, span=(utc(chosen.since), utc(chosen.until)), number=number, share=share, times_over=times_over,
    )  # fmt: skip


LINKS = {
    "incident": incident_page, "incidents": incidents_page, "feature": feature_page, "model": model_page,
    "monitor": monitor_page,
}  # fmt: skip


def _parameters(model: str, asked: ModelPageParameters) -> WindowSpanParameters:
    return WindowSpanParameters.model_construct(model=model, **asked.model_dump(exclude={"metric"}))


def _answers(monitor: Monitor) -> Column:
    """What tells most of the model's answers: scores where there are any."""
    return SCORE if monitor.task is Task.BINARY else PREDICTION


def _incidents(connection: Connection, model: str, chosen: Chosen) -> Sequence[IncidentRow]:
    """Those that are open, and those of the time that is looked at."""
    open_now = list_incidents(connection, IncidentFilter(model=model, open=True), Paging(MOST_INCIDENTS)).rows
    in_time = incidents_in(connection, model, chosen.since, chosen.until)
    found = {one.id: one for one in (*open_now, *in_time)}
    return sorted(found.values(), key=lambda one: (one.since_ms, one.id), reverse=True)


def _bars(alerts: Sequence[AlertRow]) -> list[Bar]:
    return [
        Bar(one.id, one.incident, one.severity, one.summary, one.fired_ms, _end_of(one))
        for one in alerts
        if one.fired_ms is not None
    ]


def _end_of(alert: AlertRow) -> int | None:
    return alert.at_ms if alert.state == State.RESOLVED else None


def _choices(row: ModelRow, monitor: Monitor, beside: list[Slice], chosen: Chosen, now_ms: int) -> Choices:
    kinds = dict.fromkeys([*(one.name for one in monitor.windows), chosen.window])
    versions = dict.fromkeys([*filter(None, row.versions), *filter(None, [chosen.version])])
    segments = dict.fromkeys(
        [*(one.segment for one in beside if one.segment), *filter(None, [chosen.segment])]
    )
    values = chosen.values | {"until": None}
    spans = ((word, model_page(row.model, **values | {"since": now_ms - ms})) for word, ms in _SPANS)
    return Choices(tuple(kinds), tuple(versions), tuple(segments), tuple(spans))


def _sources(model: str, chosen: Chosen, metric: str | None) -> dict[str, str]:
    """What the charts are drawn from."""
    of = {"model": model} | chosen.values
    heat = api("heat", **of, points=MOST_PLACES)
    return {
        "heat": heat,
        "volume": heat,  # one address is asked once, whoever is drawn from it
        "performance": api("performance-over-time", **of, metric=metric),
        "missing": api("missing-over-time", **of),
    }


def _course(model: str, chosen: Chosen, monitor: Monitor, beside: list[Slice]) -> str:
    """From the first window on that there is: a course has a bounded number of points, and shows them all."""
    answers = _answers(monitor)
    since = max([chosen.since, *([min(one.first_start_ms for one in beside)] if beside else [])])
    of = {"model": model} | chosen.values | {"since": since}
    return api("course", **of, role=answers.role.value, feature=answers.name)
