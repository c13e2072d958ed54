"""The report of an incident over the API: a page that needs nothing else, or Markdown for a ticket."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from service.reports.incident import incident_report
from service.reports.markdown import markdown_of
from service.store.report_cases import incident_case
from service.web.dependencies import Dependencies
from service.web.parameters import NameInPath
from service.web.problems import not_found
from service.web.report_page import html_of, report_policy
from service.web.security import POLICY

MARKDOWN = "text/markdown"
_TEXT = {"schema": {"type": "string"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": _TEXT, MARKDOWN: _TEXT}}}


def incident_report_of(web: Dependencies, request: Request, incident_id: NameInPath) -> Response:
    """All about one incident on one page; with `Accept: text/markdown` for a ticket."""
    case = incident_case(web.engine, incident_id, web.clock_ms())
    if case is None:
        raise not_found("there is no incident of this id")
    found = incident_report(case)
    if MARKDOWN in request.headers.get("accept", ""):
        return Response(markdown_of(found), media_type=MARKDOWN, headers={"Vary": "Accept"})
    return HTMLResponse(html_of(found), headers={POLICY: report_policy(), "Vary": "Accept"})


def add_report_route(router: APIRouter) -> None:
    """Beside the incident."""
    router.add_api_route(
        "/incidents/{incident_id}/report", incident_report_of, methods=["GET"], response_class=HTMLResponse,
        responses=_ANSWERS,
    )  # fmt: skip
