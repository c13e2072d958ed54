"""Callers of every kind: with each sort of key, and with none."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from sqlalchemy import Engine

from service.moments import time_at
from service.settings import Auth
from service.store.engine import connect
from service.store.keys import Scope, create_key, revoke_key
from service.web.app import create_app
from service.web.dependencies import WebDependencies
from tests.web.seeding import NOW_MS
from tests.web.serving import Site, site_of

NOW = time_at(NOW_MS)
HOUR = timedelta(hours=1)
IN_PATHS = {"by": "reason", "partition": "0", "offset": "0"}


def unserved_app(**changes: Any) -> FastAPI:
    """The application over a database that it never asks, to look at its routes."""
    nowhere = connect("postgresql://nobody@127.0.0.1:1/none")
    return create_app(WebDependencies(engine=nowhere, clock_ms=lambda: NOW_MS, **changes))


def routes() -> Iterator[tuple[str, str, RouteContext]]:
    """Every method and path of the application, with a word for each parameter."""
    for route in iter_route_contexts(unserved_app().routes):
        path = (route.path_format or "").removesuffix("/{path}")
        for name in getattr(route, "param_convertors", {}):
            path = path.replace(f"{{{name}}}", IN_PATHS.get(name, "none"))
        for method in sorted(route.methods or {"GET"}):
            yield method, path, route


@contextmanager
def guarded(engine: Engine, **changes: Any) -> Iterator[Site]:
    """A site that asks for keys."""
    with site_of(engine, **{"auth": Auth.KEYS} | changes) as site:
        yield site


def new_key(engine: Engine, scope: Scope = Scope.READ, name: str = "somebody", **changes: Any) -> str:
    """A key made an hour ago."""
    return create_key(engine, name, scope, NOW - HOUR, **changes)


def unusable_keys(engine: Engine) -> dict[str, str]:
    """What is sent by callers that nobody knows."""
    revoked = new_key(engine)
    revoke_key(engine, id_of(revoked), NOW)
    right = new_key(engine)
    return {
        "malformed": "db_nonsense",
        "not ASCII": "db_\u00e9",
        "unknown": f"db_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}",
        "wrong secret": right[:-43] + secrets.token_urlsafe(32),
        "another's secret": f"db_{id_of(revoked)}_{right[-43:]}",
        "expired": new_key(engine, lifetime=HOUR),
        "revoked": revoked,
    }


def id_of(key: str) -> str:
    """The public part of a key."""
    return key.split("_")[1]


def bearer(key: str) -> dict[str, str]:
    """The header that a key is sent in."""
    return {"Authorization": f"Bearer {key}"}
