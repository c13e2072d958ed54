"""The first page: every model, the worst first, and how it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse

from service.store import queries, result_queries
from service.store.engine import transaction
from service.store.paging import Chunk, Paging
from service.store.queries import ModelRow
from service.store.result_queries import AlertRow
from service.web.authorization import caller_of, may_use
from service.web.condition import Condition, ModelState, condition_of
from service.web.dependencies import Dependencies
from service.web.parameters import PageQuery, encode_cursor
from service.web.rendering import render
from service.web.wording import age, counted, iso, utc

MOST_MODELS = 1_000
ALERTS_SHOWN = 4
HALTED_SHOWN = 20

STATE_WORDS = {
    ModelState.SILENT: "Silent",
    ModelState.ALERT: "Alert",
    ModelState.WARNING: "Warning",
    ModelState.UNSCORED: "Not scored",
    ModelState.WAITING: "Waiting",
    ModelState.LEARNING: "Learning",
    ModelState.SUSPICION: "Suspicion",
    ModelState.WELL: "Well",
}


def pages_router() -> APIRouter:
    """The one page."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(may_use)])
    router.add_api_route("/", _first_page, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return router


@dataclass(frozen=True, slots=True)
class Moment:
    """An event time as the page shows it."""

    ago: str
    utc: str
    iso: str


@dataclass(frozen=True, slots=True)
class AlertView:
    """An open alert: its sentence, and what it asks for."""

    summary: str
    word: str
    state: str
    link: str


@dataclass(frozen=True, slots=True)
class ModelView:
    """One model's row, or card on a narrow screen."""

    name: str
    link: str
    condition: Condition
    word: str
    versions: tuple[str, ...]
    last_event: Moment | None
    last_window: Moment | None
    alerts: tuple[AlertView, ...]
    more_alerts: int
    alerts_link: str


def _first_page(request: Request, web: Dependencies, asked: PageQuery) -> HTMLResponse:
    now_ms = web.clock_ms()
    paging = Paging(MOST_MODELS, asked.paging.after)
    with transaction(web.engine) as connection:
        chunk = queries.list_models(connection, now_ms, paging)
        names = [row.model for row in chunk.rows]
        alerts = result_queries.worst_open_alerts(connection, names, ALERTS_SHOWN)
        halted = queries.list_partitions(connection, Paging(HALTED_SHOWN), halted=True)
    views = _views(chunk, alerts, now_ms)
    page = render(
        "first.html",
        models=views,
        summary=_summary(views),
        wake=sum(view.condition.state in {ModelState.ALERT, ModelState.SILENT} for view in views),
        halted=halted.rows,
        now=_moment(now_ms, now_ms),
        next=None if chunk.next is None else encode_cursor(chunk.next),
        caller=caller_of(request),
    )
    return HTMLResponse(page)


def _views(chunk: Chunk[ModelRow], alerts: Iterable[AlertRow], now_ms: int) -> list[ModelView]:
    by_model: dict[str, list[AlertRow]] = {}
    for alert in alerts:
        by_model.setdefault(alert.model, []).append(alert)
    views = [_view(row, by_model.get(row.model, []), now_ms) for row in chunk.rows]
    worst_first = list(ModelState)
    return sorted(views, key=lambda view: (worst_first.index(view.condition.state), view.name))


def _view(row: ModelRow, alerts: list[AlertRow], now_ms: int) -> ModelView:
    condition = condition_of(row, now_ms)
    return ModelView(
        name=row.model,
        link=f"api/v1/models/{quote(row.model, safe='')}",
        condition=condition,
        word=STATE_WORDS[condition.state],
        versions=tuple(filter(None, row.versions)),  # labels often name none
        last_event=_moment(row.last_event_ms, now_ms),
        last_window=_moment(row.last_window_end_ms, now_ms),
        alerts=tuple(map(_alert_view, alerts)),
        more_alerts=row.alerts.total - len(alerts),
        alerts_link=f"api/v1/alerts?model={quote(row.model, safe='')}",
    )


def _alert_view(row: AlertRow) -> AlertView:
    word = row.severity if row.state == "firing" else row.state
    return AlertView(row.summary, word, row.state, f"api/v1/alerts/{quote(row.id, safe='')}")


def _moment(ms: int | None, now_ms: int) -> Moment | None:
    if ms is None:
        return None
    past_ms = now_ms - ms
    return Moment(f"{age(past_ms)} ago" if past_ms >= 0 else "just now", utc(ms), iso(ms))


def _summary(views: list[ModelView]) -> str:
    counts = Counter(view.condition.state for view in views)
    states = [f"{counts[state]:,} {STATE_WORDS[state].lower()}" for state in ModelState if counts[state]]
    return f"{counted(len(views), 'model')}: {', '.join(states)}" if views else ""
