"""Puts the web application together: routes, headers, errors, and who may do what."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from service import __version__
from service.settings import Auth
from service.store.engine import connect
from service.web.api.dead_letters import dead_letters_router
from service.web.api.event_stream import event_router
from service.web.api.jobs import Jobs
from service.web.api.openapi import DescribedApi
from service.web.api.router import api_router
from service.web.api.watcher import Watcher
from service.web.api.watching import look
from service.web.authorization import STATIC, may_use, refuse_undeclared
from service.web.buckets import Buckets
from service.web.dependencies import WebDependencies
from service.web.health import health_router
from service.web.limits import TABLE_PATHS, BoundedBodies, WholeFiles
from service.web.login import FORM_PATHS, add_login_answers, login_router
from service.web.methods import BodilessHeads
from service.web.metrics_endpoint import ModelMetrics, metrics_router
from service.web.pages.incident_actions import FORM_FOLDER
from service.web.pages.router import pages_router
from service.web.problems import add_problem_answers
from service.web.security import PROBES, GuardedAnswers, KnownHosts

LOGINS_AT_ONCE = 10
"""So many attempts of one address at once, and so many a minute."""


def create_app(dependencies: WebDependencies) -> FastAPI:
    """The application. It has no documentation pages: FastAPI's load their scripts from elsewhere."""
    app = DescribedApi(
        title="driftbell",
        summary="Windows, findings and alerts of monitored models",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.dependencies = dependencies
    app.state.backtests = Jobs(dependencies.clock_ms)
    app.state.model_metrics = ModelMetrics(dependencies)
    per_minute, clock_ms = dependencies.requests_per_minute, dependencies.clock_ms
    app.state.buckets = Buckets(max(1, per_minute / 6), per_minute / 60, clock_ms)
    app.state.login_buckets = Buckets(LOGINS_AT_ONCE, LOGINS_AT_ONCE / 60, clock_ms)
    app.state.watcher = Watcher(partial(look, dependencies), dependencies.look_seconds)
    for router in (
        health_router(),
        login_router(),
        metrics_router(),
        pages_router(),
        api_router(),
        event_router(),
    ):
        app.include_router(router)
    app.include_router(dead_letters_router(), dependencies=[Depends(may_use)])
    app.add_api_route("/openapi.json", app.openapi, include_in_schema=False, dependencies=[Depends(may_use)])
    app.mount(STATIC, WholeFiles(directory=Path(__file__).with_name("static")), name="static")
    add_problem_answers(app)
    add_login_answers(app)
    refuse_undeclared(app)
    _guard(app, dependencies)
    return app


def described_api() -> dict[str, Any]:
    """The OpenAPI document, of an application whose database is never asked."""
    nowhere = connect("postgresql://nobody@127.0.0.1:1/none")
    return create_app(WebDependencies(engine=nowhere, clock_ms=lambda: 0)).openapi()


def _guard(app: FastAPI, dependencies: WebDependencies) -> None:
    app.add_middleware(
        BoundedBodies, form_paths=FORM_PATHS, form_folders=(FORM_FOLDER,), streamed_paths=TABLE_PATHS
    )
    if dependencies.allowed_hosts:
        # Prometheus calls pods by their addresses; a page of a rebound name has no key to send.
        any_host = (*PROBES, "/metrics") if dependencies.auth is Auth.KEYS else PROBES
        app.add_middleware(KnownHosts, allowed_hosts=dependencies.allowed_hosts, any_host=any_host)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    app.add_middleware(BodilessHeads)
    app.add_middleware(GuardedAnswers)  # the last one added is the outermost
