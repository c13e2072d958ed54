"""Monitors: all of them at a glance, and one to look at and change."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from starlette.responses import HTMLResponse

from service.configuration import ALWAYS_MS
from service.moments import utc
from service.monitor_changes import budget_said
from service.store import queries
from service.store.engine import transaction
from service.store.queries import MonitorRow
from service.web.api.backtests import LONGEST_DAYS
from service.web.api.monitor_editing import LONGEST_YAML
from service.web.api.parameters import Name, PageQuery, encode_cursor
from service.web.condition import monitor_of
from service.web.dependencies import Dependencies
from service.web.links import api, model_page, monitor_page, monitors_page, setup_page
from service.web.pages.page import page
from service.web.problems import not_found

ORIGINS = {"applied": "applied by a person", "learned": "learned with its first event"}


@dataclass(frozen=True, slots=True)
class MonitorView:
    """One monitor's row, or card on a narrow screen."""

    name: str
    number: int
    since: str
    origin: str
    budget: str
    windows: str
    segments: tuple[str, ...]
    reference: str | None
    edit: str
    model: str
    source: str


def monitors(request: Request, web: Dependencies, asked: PageQuery) -> HTMLResponse:
    """All monitors by their models' names."""
    with transaction(web.engine) as connection:
        chunk = queries.list_monitors(connection, asked.paging)
    return page(
        request,
        "monitors.html",
        place="monitors",
        monitors=[view_of(row, web.clock_ms()) for row in chunk.rows],
        next=None if chunk.next is None else monitors_page(cursor=encode_cursor(chunk.next)),
        setup=setup_page(),
    )


def view_of(row: MonitorRow, now_ms: int) -> MonitorView:
    """One monitor as the pages show it."""
    monitor = monitor_of(row.model, row.monitor)
    return MonitorView(
        name=row.model,
        number=row.number,
        since=since_said(row.since_ms, now_ms),
        origin=ORIGINS.get(row.origin, row.origin),
        budget=budget_said(monitor.budget),
        windows=", ".join(spec.name for spec in monitor.windows),
        segments=monitor.segments,
        reference=row.reference_name,
        edit=monitor_page(row.model),
        model=model_page(row.model),
        source=api("monitors", row.model),
    )


def since_said(since_ms: int, now_ms: int) -> str:
    """From which event time on it holds, in words."""
    if since_ms == ALWAYS_MS:
        return "the first event"
    return f"{utc(since_ms)}, which lies ahead" if since_ms > now_ms else utc(since_ms)


def monitor_edit(request: Request, web: Dependencies, model: Name) -> HTMLResponse:
    """One monitor's YAML, and what can be asked about a change before it is saved."""
    with transaction(web.engine) as connection:
        row = queries.find_monitor(connection, model)
    if row is None:
        raise not_found("there is no monitor of a model of this name; set it up first")
    return page(
        request,
        "monitor_edit.html",
        place="monitors",
        row=row,
        view=view_of(row, web.clock_ms()),
        longest=LONGEST_YAML,
        longest_days=LONGEST_DAYS,
        can_backtest=web.backtesting is not None,
    )
