"""A browser, and the pages over the demo's data."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from service.embedded import EmbeddedPostgres
from service.store.engine import connect
from service.web.app import create_app
from tests.browser.demo_data import play_demo
from tests.servers.chromium import chromium
from tests.web.serving import Site, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.servers.fixtures import Broker


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once for all tests here; `visit` gives each its own page."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def demo_site(
    postgres_server: EmbeddedPostgres, embedded_broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The pages at the moment at which the demo's script has ended. Tests that change something undo it."""
    name = f"demo_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    database = postgres_server.url_of(name)
    end_ms = play_demo(database, embedded_broker, tmp_path_factory.mktemp("demo"))
    engine = connect(database)
    site = Site(engine, now_ms=end_ms)
    with (
        serving(create_app(site.dependencies())) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        site.url, site.client = url, client
        yield site
    engine.dispose()
