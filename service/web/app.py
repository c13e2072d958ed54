"""Puts the web application together: routes, headers, errors."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from service import __version__
from service.web.api import api_router
from service.web.dependencies import WebDependencies
from service.web.health import health_router
from service.web.metrics_endpoint import ModelMetrics, metrics_router
from service.web.pages import pages_router
from service.web.problems import add_problem_answers
from service.web.security import GuardedAnswers, KnownHosts


def create_app(dependencies: WebDependencies) -> FastAPI:
    """The application. It has no documentation pages: FastAPI's load their scripts from elsewhere."""
    app = FastAPI(
        title="driftbell",
        summary="Windows, findings and alerts of monitored models",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.dependencies = dependencies
    app.state.model_metrics = ModelMetrics(dependencies)
    for router in (health_router(), metrics_router(), pages_router(), api_router()):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")), name="static")
    add_problem_answers(app)
    if dependencies.allowed_hosts:
        app.add_middleware(KnownHosts, allowed_hosts=dependencies.allowed_hosts)
    app.add_middleware(GuardedAnswers)  # the last one added is the outermost
    return app
