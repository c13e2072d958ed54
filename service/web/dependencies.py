"""What the web application is given, and how a route asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from service.settings import Auth
from service.web.limits import Turns

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.dead_letters.replaying import Replaying


def _no_complaint() -> str | None:
    return None


@dataclass(frozen=True)
class WebDependencies:
    """What `create_app` needs. `ready` and `alive` give None, or a sentence that says why not.

    `registry` holds the metrics of this process, which are added to those of the models.
    `replaying` writes dead letters to the log again; None where this process knows no Kafka.
    `allowed_hosts` are the host names that requests may name, `*.example.com` included; empty allows all.
    `large_answers` are given by turns, whoever asks.
    `webhook` says whether this process knows one that alerts are sent to. Results are deleted after `results_kept_ms`.
    `metrics_token` opens /metrics, beside keys. One key, or one address without, may ask `requests_per_minute` times.
    """

    engine: Engine
    clock_ms: Callable[[], int]
    max_series: int = 10_000
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    ready: Callable[[], str | None] = _no_complaint
    alive: Callable[[], str | None] = _no_complaint
    allowed_hosts: tuple[str, ...] = ()
    auth: Auth = Auth.KEYS
    metrics_token: str | None = None
    requests_per_minute: int = 6_000
    replaying: Replaying | None = None
    webhook: bool = False
    results_kept_ms: int | None = None
    large_answers: Turns = field(default_factory=Turns)


def dependencies_of(request: Request) -> WebDependencies:
    """The dependencies of the application that answers this request."""
    dependencies: WebDependencies = request.app.state.dependencies
    return dependencies


Dependencies = Annotated[WebDependencies, Depends(dependencies_of)]
