"""All pages and their addresses."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse, Response

from service.web.authorization import may_use
from service.web.pages.dead_letters import dead_letter, dead_letters
from service.web.pages.feature import feature
from service.web.pages.incident import incident
from service.web.pages.incident_actions import add_incident_forms
from service.web.pages.incidents import incidents
from service.web.pages.model import model
from service.web.pages.monitors import monitor_edit, monitors
from service.web.pages.overview import overview
from service.web.pages.pipeline import pipeline
from service.web.pages.setup import setup

PAGES: dict[str, Callable[..., Response]] = {
    "/": overview,
    "/models/{model:path}": model,
    "/incidents": incidents,
    "/incidents/{incident_id}": incident,
    "/pipeline": pipeline,
    "/pipeline/dead-letters": dead_letters,
    "/pipeline/dead-letters/{topic:path}/{partition}/{offset}": dead_letter,
    "/feature": feature,
    "/monitors": monitors,
    "/monitors/edit": monitor_edit,
    "/setup": setup,
}
"""Names may hold slashes, hence `:path` where one stands in an address."""


def pages_router() -> APIRouter:
    """Every page, for who may look."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(may_use)])
    for path, endpoint in PAGES.items():
        router.add_api_route(path, endpoint, methods=["GET", "HEAD"], response_class=HTMLResponse)
    add_incident_forms(router)
    return router
