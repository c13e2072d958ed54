"""The overview: every model, the worst first, and how it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import HTMLResponse

from service.monitor import format_duration
from service.plurals import counted
from service.store import queries
from service.store.engine import transaction
from service.store.paging import Paging
from service.web.api.overview import (
    BudgetSpent,
    OverviewModel,
    OverviewParameters,
    WorstIncident,
    overview_of,
)
from service.web.condition import STATE_WORDS, ModelState
from service.web.dependencies import Dependencies
from service.web.links import api, incident_page, incidents_page, model_page, overview_page
from service.web.pages.page import page
from service.web.pages.spark import HEIGHT, SparkView, spark_view
from service.web.wording import Moment, moment

HALTED_SHOWN = 20
MOST_SHOWN = 500
_WAKING = (ModelState.ALERT, ModelState.SILENT)


class PageOfOverview(OverviewParameters):
    """A person looks at the worst first: fewer at once than a program asks for."""

    limit: int = Field(50, ge=1, le=MOST_SHOWN, description="the most models")


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An open incident: its sentence, what it asks for, and who has it."""

    summary: str
    word: str
    link: str
    who: str | None


@dataclass(frozen=True, slots=True)
class BudgetView:
    """What is spent of the budget for certain, and what may be, in parts of a bar that is 100 long."""

    spent: int
    expected: int
    said: str


@dataclass(frozen=True, slots=True)
class ModelView:
    """One model's row, or card on a narrow screen."""

    name: str
    link: str
    state: ModelState
    word: str
    sentence: str
    versions: tuple[str, ...]
    spark: SparkView
    rate: str | None
    last_event: Moment | None
    last_label: Moment | None
    last_window: Moment | None
    incidents: tuple[IncidentView, ...]
    more_incidents: int
    incidents_link: str
    budget: BudgetView


def overview(request: Request, web: Dependencies, asked: Annotated[PageOfOverview, Query()]) -> HTMLResponse:
    """All models, or those of a state or with a part of a name."""
    now_ms = web.clock_ms()
    with transaction(web.engine) as connection:
        told = overview_of(connection, asked, now_ms)
        halted = queries.list_partitions(connection, Paging(HALTED_SHOWN), halted=True)
    chosen = {"state": asked.state, "q": asked.q}
    return page(
        request,
        "overview.html",
        place="overview",
        models=[_view(one, now_ms) for one in told.items],
        summary=_summary(told.totals),
        wake=sum(told.totals.get(state, 0) for state in _WAKING),
        halted=halted.rows,
        now=moment(now_ms, now_ms),
        asked=asked,
        states=[(state.value, STATE_WORDS[state], told.totals.get(state, 0)) for state in ModelState],
        is_filtered=any(chosen.values()),
        source=api("overview", **chosen, limit=asked.limit, cursor=asked.cursor),
        stream=api("events/stream"),
        next=None if told.next is None else overview_page(**chosen, limit=asked.limit, cursor=told.next),
        spark_height=HEIGHT,
    )


def _view(one: OverviewModel, now_ms: int) -> ModelView:
    return ModelView(
        name=one.model,
        link=model_page(one.model),
        state=one.state,
        word=STATE_WORDS[one.state],
        sentence=one.sentence,
        versions=tuple(filter(None, one.versions)),  # labels often name none
        spark=spark_view(one.spark.percents, one.spark.window),
        rate=None if one.events_a_minute is None else rate_words(one.events_a_minute),
        last_event=moment(one.last_event_ms, now_ms),
        last_label=moment(one.last_label_ms, now_ms),
        last_window=moment(one.last_window_end_ms, now_ms),
        incidents=tuple(map(_incident_view, one.worst_incidents)),
        more_incidents=one.open_incidents - len(one.worst_incidents),
        incidents_link=incidents_page(model=one.model),
        budget=_budget_view(one.budget),
    )


def _incident_view(one: WorstIncident) -> IncidentView:
    word = one.severity if one.state == "firing" else one.state
    return IncidentView(one.summary, word, incident_page(one.id), one.acknowledged_by)


def _budget_view(budget: BudgetSpent) -> BudgetView:
    period = format_duration(budget.per_ms)
    said = f"{budget.marked_false:,} of {budget.promised:g} false pages in {period}"
    if budget.unmarked:
        said += f", {counted(budget.unmarked, 'page')} not marked yet"
    spent, expected = (round(100 * min(1.0, share)) for share in (budget.spent, budget.expected))
    return BudgetView(spent, expected, said)


def rate_words(events_a_minute: float) -> str:
    """The number with as many digits as anybody wants to read."""
    if events_a_minute >= 100 or events_a_minute == 0:
        return f"{events_a_minute:,.0f}"
    return f"{events_a_minute:.1f}" if events_a_minute >= 1 else f"{events_a_minute:.2g}"


def _summary(totals: Mapping[ModelState, int]) -> str:
    states = [f"{count:,} {STATE_WORDS[state].lower()}" for state, count in totals.items()]
    return f"{counted(sum(totals.values()), 'model')}: {', '.join(states)}" if totals else ""
