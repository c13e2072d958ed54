"""`serve` and `evaluate` as processes: what the environment says is what strangers meet."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from service.moments import time_at
from service.opening import now_ms
from service.store.engine import connect
from service.store.keys import Scope, create_key
from tests.flow.stack import Stack, free_port, running
from tests.web.visitors import bearer

pytestmark = pytest.mark.postgres

TOKEN = "scrape-scrape-scrape"


def status(url: str, **headers: str) -> int | None:
    """The status of an answer, None while nobody listens."""
    try:
        return httpx.get(url, headers=headers, timeout=10).status_code
    except httpx.TransportError:
        return None


def test_every_role_guards_what_it_shows(database: str, tmp_path: Path) -> None:
    metrics_port = free_port()
    guard = {
        "AUTH": "keys",
        "METRICS_TOKEN": TOKEN,
        "METRICS_PORT": str(metrics_port),
        "REQUESTS_PER_MINUTE": "30",
    }
    stack = Stack(database, "127.0.0.1:1", "none", tmp_path, settings=guard)
    stack.prepare([])
    engine = connect(database)
    key = create_key(engine, "me", Scope.READ, time_at(now_ms()))
    engine.dispose()
    with running(stack):
        stack.start("serve")
        stack.start("evaluate")
        serve, evaluate = f"http://127.0.0.1:{stack.port}", f"http://127.0.0.1:{metrics_port}"
        for url in (serve, evaluate):
            stack.wait_until(lambda url=url: status(f"{url}/healthz") == 200, f"{url} answers")  # type: ignore[misc]
            assert status(f"{url}/metrics") == 401
            assert status(f"{url}/metrics", **bearer(TOKEN)) == 200
            assert status(f"{url}/metrics", **bearer(TOKEN), Host="attacker.example.net") == (
                200 if url == serve else 400
            )
        models = f"{serve}/api/v1/models"
        assert status(models) == status(models, **bearer(TOKEN)) == 401
        assert status(models, **bearer(key), Host="attacker.example.net") == 400
        assert [status(models, **bearer(key)) for _ in range(6)].count(429) >= 1
    assert key[-43:] not in stack.logs()
    assert TOKEN not in stack.logs()
