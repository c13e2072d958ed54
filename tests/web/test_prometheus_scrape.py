"""A real Prometheus with the shipped configuration is let in by its token, and by nothing else."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from service.web.process_app import create_process_app
from tests.deploy.rendering import render
from tests.servers.prometheus import prometheus
from tests.web.serving import serving
from tests.web.visitors import guarded

pytestmark = [pytest.mark.postgres, pytest.mark.prometheus]

TOKEN = "scrape-scrape-scrape"
WAIT_SECONDS = 60


def last_errors(url: str) -> dict[str, str]:
    """What Prometheus has to say of the last scrape of each role, once it has tried both; empty is good."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{url}/api/v1/targets", timeout=5)
            active = answer.raise_for_status().json()["data"]["activeTargets"]
        except (httpx.TransportError, httpx.HTTPStatusError):  # it listens before it is ready
            active = []
        tried = {one["scrapePool"]: one["lastError"] for one in active if one["health"] != "unknown"}
        if len(tried) == 2:
            return tried
        time.sleep(0.2)
    raise AssertionError("Prometheus has not scraped both")


@pytest.mark.parametrize(
    ("sent", "error"),
    [(TOKEN, ""), ("another-another-another", "server returned HTTP status 401 Unauthorized")],
)
def test_the_shipped_configuration_scrapes_with_its_token(
    engine: Engine, tmp_path: Path, sent: str, error: str
) -> None:
    collector = create_process_app(
        CollectorRegistry(), alive=lambda: None, ready=lambda: None, metrics_token=TOKEN
    )
    with guarded(engine, metrics_token=TOKEN) as site, serving(collector) as collect:
        made = render(
            tmp_path, serve=site.url.removeprefix("http://"), alertmanager="127.0.0.1:1",
            webhook_url="http://127.0.0.1:1", pipeline={"collect": collect.removeprefix("http://")},
            metrics_token=sent,
        )  # fmt: skip
        with prometheus(made.prometheus, tmp_path) as url:
            assert last_errors(url) == {"driftbell-serve": error, "driftbell-collect": error}
