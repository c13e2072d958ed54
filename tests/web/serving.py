"""The application behind a real uvicorn, with a clock that tests move."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from service.settings import Auth
from service.web.app import create_app
from service.web.dependencies import WebDependencies
from service.web.server import bounded_config
from tests.web.seeding import NOW_MS


@dataclass
class Site:
    """A running application: its address, its client, and what a test may change under it."""

    engine: Engine
    now_ms: int = NOW_MS
    complaints: dict[str, str] = field(default_factory=dict)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    url: str = ""
    client: httpx.Client = field(default_factory=httpx.Client)

    def dependencies(self, **changes: Any) -> WebDependencies:
        values: dict[str, Any] = {
            "engine": self.engine,
            "clock_ms": lambda: self.now_ms,
            "registry": self.registry,
            "ready": lambda: self.complaints.get("ready"),
            "alive": lambda: self.complaints.get("alive"),
            "auth": Auth.OPEN,
            "requests_per_minute": 1_000_000,
        }
        return WebDependencies(**values | changes)

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        """What a GET of this path answers."""
        return self.client.get(path, params=parameters or None)

    def items(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """The items of the first page of a listing."""
        answer = self.get(f"/api/v1/{path}", **parameters)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


@contextmanager
def serving(app: FastAPI, trusted_proxies: Sequence[str] = ()) -> Iterator[str]:
    """Serve the application on a free port; gives its address."""
    # asyncio turns Nagle's delay off only for sockets that say they are TCP; with it each answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = uvicorn.Server(bounded_config(app, trusted_proxies, lifespan="off"))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def site_of(engine: Engine, trusted_proxies: Sequence[str] = (), **changes: Any) -> Iterator[Site]:
    """A site whose application has other dependencies than usual."""
    site = Site(engine)
    with (
        serving(create_app(site.dependencies(**changes)), trusted_proxies) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        site.url, site.client = url, client
        yield site
