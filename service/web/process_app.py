"""What a collector or evaluator shows of itself: its metrics and its health."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.exceptions import HTTPException

from service.web.authorization import REALM, is_token
from service.web.limits import BoundedBodies
from service.web.problems import add_problem_answers
from service.web.security import GuardedAnswers, KnownHosts

Complaint = Callable[[], str | None]


def create_process_app(
    registry: CollectorRegistry,
    *,
    alive: Complaint,
    ready: Complaint,
    metrics_token: str | None = None,
    allowed_hosts: Sequence[str] = (),
) -> FastAPI:
    """`/metrics`, `/healthz` (the loop turns) and `/readyz` (the database takes what it says).

    With a token `/metrics` asks for it, without one it is for whoever reaches the port: it has numbers, no data.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(_router(registry, alive, ready, metrics_token))
    add_problem_answers(app)
    app.add_middleware(BoundedBodies)
    if allowed_hosts:
        app.add_middleware(KnownHosts, allowed_hosts=allowed_hosts)
    app.add_middleware(GuardedAnswers)
    return app


def _router(
    registry: CollectorRegistry, alive: Complaint, ready: Complaint, metrics_token: str | None
) -> APIRouter:
    def with_token(request: Request) -> None:
        if metrics_token is not None and not is_token(request, metrics_token):
            raise HTTPException(
                401, "send DRIFTBELL_METRICS_TOKEN as bearer token", {"WWW-Authenticate": REALM}
            )

    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    router = APIRouter()
    router.add_api_route("/metrics", metrics, methods=["GET", "HEAD"], dependencies=[Depends(with_token)])
    router.add_api_route("/healthz", lambda: _answer(alive()), methods=["GET", "HEAD"])
    router.add_api_route("/readyz", lambda: _answer(ready()), methods=["GET", "HEAD"])
    return router


def _answer(complaint: str | None) -> Response:
    return Response(f"{complaint or 'ok'}\n", 503 if complaint else 200, media_type="text/plain")
