"""What a collector or evaluator shows of itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from service.web.process_app import create_process_app
from service.web.security import LOOPBACK_HOSTS
from tests.web.serving import serving
from tests.web.visitors import bearer

TOKEN = "scrape-scrape-scrape"


@contextmanager
def process(**changes: Any) -> Iterator[httpx.Client]:
    """A client of a process that has counted three things."""
    registry = CollectorRegistry()
    Counter("things", "Things.", registry=registry).inc(3)
    usual: dict[str, Any] = {"alive": lambda: None, "ready": lambda: None}
    with (
        serving(create_process_app(registry, **usual | changes)) as url,
        httpx.Client(base_url=url) as client,
    ):
        yield client


def test_its_metrics_are_for_whoever_reaches_the_port() -> None:
    with process() as client:
        answer = client.get("/metrics")
    assert (answer.status_code, "things_total 3.0" in answer.text) == (200, True)


def test_with_a_token_metrics_ask_for_it_and_probes_do_not() -> None:
    with process(metrics_token=TOKEN) as client:
        for headers in ({}, bearer("x"), bearer(TOKEN[:-1]), bearer(""), {"Authorization": TOKEN}):
            refused = client.get("/metrics", headers=[(k, v.strip()) for k, v in headers.items()])
            assert (refused.status_code, "www-authenticate" in refused.headers) == (401, True)
            assert "things" not in refused.text
        assert client.get("/metrics", headers=bearer(TOKEN)).status_code == 200
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_complaints_are_told_to_the_probes() -> None:
    with process(alive=lambda: "the loop stands still", ready=lambda: "no database") as client:
        alive, ready = client.get("/healthz"), client.get("/readyz")
    assert (alive.status_code, alive.text) == (503, "the loop stands still\n")
    assert (ready.status_code, ready.text) == (503, "no database\n")


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz", "/none", "/docs", "/openapi.json"])
def test_every_answer_carries_the_headers(path: str) -> None:
    with process() as client:
        for method in ("GET", "HEAD", "POST"):
            headers = client.request(method, path).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"


def test_bodies_are_bounded_and_nothing_else_is_there() -> None:
    with process() as client:
        assert client.post("/metrics", content=b"x" * 1_048_577).status_code == 413
        assert client.post("/metrics", content=b"x", headers={"Content-Encoding": "gzip"}).status_code == 415
        assert client.get("/docs").status_code == client.get("/openapi.json").status_code == 404


def test_on_loopback_a_rebound_name_reads_no_metrics() -> None:
    with process(allowed_hosts=LOOPBACK_HOSTS) as client:
        assert client.get("/metrics", headers={"Host": "attacker.example.net"}).status_code == 400
        assert client.get("/metrics").status_code == 200
