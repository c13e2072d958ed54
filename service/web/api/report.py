"""The report of an incident over the API: a page that needs nothing else, Markdown for a ticket, or JSON."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from service.reports.incident import incident_report
from service.reports.markdown import markdown_of
from service.store.report_cases import incident_case
from service.web.api.parameters import NameInPath
from service.web.api.representation import weights_of
from service.web.api.words import NONE_OF_THIS_ID
from service.web.dependencies import Dependencies
from service.web.problems import not_found
from service.web.report_page import html_of, report_policy
from service.web.security import POLICY


class Format(StrEnum):
    """What a report is shown in."""

    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"


_KINDS = {Format.HTML: "text/html", Format.MARKDOWN: "text/markdown", Format.JSON: "application/json"}
_TEXT, _OBJECT = {"schema": {"type": "string"}}, {"schema": {"type": "object"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: _OBJECT if form is Format.JSON else _TEXT for form, kind in _KINDS.items()}}
}


def incident_report_of(
    web: Dependencies,
    request: Request,
    incident_id: NameInPath,
    format: Format | None = None,  # noqa: A002
) -> Response:
    """All about one incident on one page; as Markdown for a ticket, or as JSON, by `format` or the Accept header."""
    case = incident_case(web.engine, incident_id, web.clock_ms())
    if case is None:
        raise not_found(NONE_OF_THIS_ID)
    found = incident_report(case)
    chosen = format or _accepted(request)
    if chosen is Format.JSON:
        return JSONResponse(asdict(found, dict_factory=_plain), headers={"Vary": "Accept"})
    if chosen is Format.MARKDOWN:
        return Response(markdown_of(found), media_type=_KINDS[chosen], headers={"Vary": "Accept"})
    return HTMLResponse(html_of(found), headers={POLICY: report_policy(), "Vary": "Accept"})


def _accepted(request: Request) -> Format:
    """What is wanted most; the page where none is named."""
    weights = weights_of(request.headers.get("accept", ""))
    return max(Format, key=lambda one: weights.get(_KINDS[one], 0.0))


def _plain(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in items}


def add_report_route(router: APIRouter) -> None:
    """Beside the incident."""
    router.add_api_route(
        "/incidents/{incident_id}/report", incident_report_of, methods=["GET"], response_class=HTMLResponse,
        responses=_ANSWERS,
    )  # fmt: skip
