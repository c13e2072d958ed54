"""Whether this process lives and whether it can answer, for Kubernetes and load balancers."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Depends
from starlette.responses import PlainTextResponse

from service.errors import DriftbellError
from service.store.migrate import require_current
from service.web.authorization import for_everybody
from service.web.dependencies import Dependencies, WebDependencies


def health_router() -> APIRouter:
    """The two probes."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(for_everybody)])
    router.add_api_route("/healthz", _healthz, methods=["GET", "HEAD"], response_class=PlainTextResponse)
    router.add_api_route("/readyz", _readyz, methods=["GET", "HEAD"], response_class=PlainTextResponse)
    return router


def _healthz(web: Dependencies) -> PlainTextResponse:
    """Does not touch the database: a restart would not bring it back."""
    return _answer(web.alive(), "alive")


def _readyz(web: Dependencies) -> PlainTextResponse:
    return _answer(web.ready() or _database_complaint(web), "ready")


def _database_complaint(web: WebDependencies) -> str | None:
    try:
        require_current(web.engine)
    except DriftbellError as error:
        return str(error)
    return None


def _answer(complaint: str | None, word: str) -> PlainTextResponse:
    status = HTTPStatus.OK if complaint is None else HTTPStatus.SERVICE_UNAVAILABLE
    return PlainTextResponse(f"{complaint or word}\n", status)
