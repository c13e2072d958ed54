"""What a collector or evaluator shows of itself: its metrics and its health."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

Complaint = Callable[[], str | None]


def create_process_app(registry: CollectorRegistry, *, alive: Complaint, ready: Complaint) -> FastAPI:
    """`/metrics`, `/healthz` (the loop turns) and `/readyz` (the database takes what it says)."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/healthz")
    def healthz() -> Response:
        return _answer(alive())

    @app.get("/readyz")
    def readyz() -> Response:
        return _answer(ready())

    return app


def _answer(complaint: str | None) -> Response:
    return Response(f"{complaint or 'ok'}\n", 503 if complaint else 200, media_type="text/plain")
