"""What the web application is given, and how a route asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

if TYPE_CHECKING:
    from sqlalchemy import Engine


def _no_complaint() -> str | None:
    return None


@dataclass(frozen=True)
class WebDependencies:
    """What `create_app` needs. `ready` and `alive` give None, or a sentence that says why not.

    `registry` holds the metrics of this process, which are added to those of the models.
    `allowed_hosts` are the host names that requests may name, `*.example.com` included; empty allows all.
    """

    engine: Engine
    clock_ms: Callable[[], int]
    max_series: int = 10_000
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    ready: Callable[[], str | None] = _no_complaint
    alive: Callable[[], str | None] = _no_complaint
    allowed_hosts: tuple[str, ...] = ()


def dependencies_of(request: Request) -> WebDependencies:
    """The dependencies of the application that answers this request."""
    dependencies: WebDependencies = request.app.state.dependencies
    return dependencies


Dependencies = Annotated[WebDependencies, Depends(dependencies_of)]
