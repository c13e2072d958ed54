"""The list of incidents: what is open first, each told by its sentence, and who has it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse

from service.alerting.standing_words import silent_words
from service.store.incidents import IncidentFilter
from service.store.paging import Chunk, Paging
from service.web.api.incidents import ListedIncident, listed
from service.web.api.parameters import LONGEST_CURSOR, Filled, Name, decode_cursor, encode_cursor
from service.web.dependencies import Dependencies, WebDependencies
from service.web.links import api, incident_page, incidents_page, model_page
from service.web.pages.page import page
from service.web.wording import moment

MOST_ROWS = 100


class Shown(StrEnum):
    """Which incidents."""

    ALL = "all"
    OPEN = "open"
    OVER = "over"


class Asked(BaseModel):
    """What the page is asked for; `cursor` goes on in those that are over."""

    model_config = ConfigDict(extra="forbid")

    model: Filled[Name] = None
    state: Shown = Shown.ALL
    cursor: str | None = Field(None, max_length=LONGEST_CURSOR)


def incidents(request: Request, web: Dependencies, asked: Annotated[Asked, Query()]) -> HTMLResponse:
    """Incidents of all models, or of one."""
    still = (
        _rows(web, asked.model, is_open=True)
        if asked.state is not Shown.OVER and not asked.cursor
        else Chunk(())
    )
    over = (
        _rows(web, asked.model, is_open=False, cursor=asked.cursor)
        if asked.state is not Shown.OPEN
        else Chunk(())
    )
    now_ms = web.clock_ms()
    after = None if over.next is None else encode_cursor(over.next)
    return page(
        request, "incidents.html", place="incidents", model=asked.model, state=asked.state.value, states=list(Shown),
        groups=[("Open", still.rows), ("Over", over.rows)], many=still.next is not None,
        more=after and incidents_page(model=asked.model, state=Shown.OVER.value, cursor=after),
        source=api("incidents", model=asked.model), when_of=lambda ms: moment(ms, now_ms),
        incident_page=incident_page, model_page=model_page, silent_words=silent_words, now=moment(now_ms, now_ms),
    )  # fmt: skip


def _rows(
    web: WebDependencies, model: str | None, *, is_open: bool, cursor: str | None = None
) -> Chunk[ListedIncident]:
    after = None if cursor is None else decode_cursor(cursor)
    return listed(web, IncidentFilter(model=model, open=is_open), Paging(MOST_ROWS, after))
