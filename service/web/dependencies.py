"""What the web application is given, and how a route asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from service.settings import Auth
from service.web.limits import MOST_UPLOADS, Turns

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.dead_letters.replaying import Replaying
    from service.web.api.backtests import Backtesting
    from service.web.api.topics import Topics


def _no_complaint() -> str | None:
    return None


@dataclass(frozen=True)
class WebDependencies:
    """What `create_app` needs. `ready` and `alive` give None, or a sentence that says why not.

    `registry` holds the metrics of this process, which are added to those of the models.
    `replaying` writes dead letters to the log again; None where this process knows no Kafka.
    `topics` can be looked into, `backtesting` judges stored panes by other monitors; None where this process cannot.
    `allowed_hosts` are the host names that requests may name, `*.example.com` included; empty allows all.
    `large_answers` and `uploads` have their turns, whoever asks.
    Who listens for changes is told of them within `look_seconds`, and hears at least something every `beat_seconds`.
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
    uploads: Turns = field(default_factory=lambda: Turns(MOST_UPLOADS))
    topics: Topics | None = None
    backtesting: Backtesting | None = None
    look_seconds: float = 2.0
    beat_seconds: float = 15.0


def dependencies_of(request: Request) -> WebDependencies:
    """The dependencies of the application that answers this request."""
    dependencies: WebDependencies = request.app.state.dependencies
    return dependencies


Dependencies = Annotated[WebDependencies, Depends(dependencies_of)]
