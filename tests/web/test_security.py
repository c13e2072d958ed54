from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.web.serving import Site, site_of

pytestmark = pytest.mark.postgres

PATHS = [
    "/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/static/driftbell.css", "/static/none", "/none",
    "/api/v1/models", "/api/v1/models/none", "/api/v1/findings?limit=0", "/api/v1/alerts?cursor=x",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_headers(site: Site, path: str) -> None:
    headers = site.get(path).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")


def test_every_route_only_reads(site: Site) -> None:
    document = site.get("/openapi.json").json()
    assert {method for path in document["paths"].values() for method in path} == {"get"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("driftbell.example.com", 200),
        ("DRIFTBELL.example.com:8765", 200),
        ("a.internal.example.com", 200),
        ("internal.example.com", 400),
        ("evil.example.net", 400),
        ("driftbell.example.com.evil.net", 400),
        ("evilinternal.example.com", 400),
        ("", 400),
    ],
)
def test_only_allowed_hosts_are_answered(engine: Engine, host: str, status: int) -> None:
    with site_of(engine, allowed_hosts=("driftbell.example.com", "*.internal.example.com")) as site:
        answer = site.client.get("/api/v1/models", headers={"Host": host})
        assert answer.status_code == status
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert site.client.get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200
