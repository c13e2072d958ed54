"""What every answer carries, and which hosts are answered."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import Engine

from service.settings import Auth
from service.web.app import create_app
from service.web.security import LOOPBACK_HOSTS
from tests.web.serving import Site, serving, site_of
from tests.web.visitors import bearer, guarded, new_key, routes
from tests.web.wire import head, said, status_of

pytestmark = pytest.mark.postgres

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
LARGE = {"Content-Length": "9999999"}


def is_guarded(answer: httpx.Response) -> bool:
    caching = "no-cache" if answer.request.url.path.startswith("/static/") else "no-store"
    caching = "private, no-cache" if "etag" in answer.headers and caching == "no-store" else caching
    return HEADERS.items() <= dict(answer.headers).items() and answer.headers["cache-control"] == caching


def test_every_answer_of_every_route_carries_the_headers(engine: Engine) -> None:
    key = bearer(new_key(engine))
    bare = []
    with guarded(engine) as site:
        for method, path, _ in routes():
            for headers in ({}, key, {"Accept": "text/html"}, key | {"Content-Encoding": "gzip"}):
                with site.client.stream(method, path, headers=headers) as answer:
                    if not is_guarded(answer):
                        bare.append((method, path, answer.status_code))
    assert bare == []


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/none", {}, 404),
        ("GET", "/static/none", {}, 404),
        ("GET", "/static/driftbell.css", {}, 200),
        ("DELETE", "/api/v1/models", {}, 405),
        ("BREW", "/", {}, 405),
        ("GET", "/api/v1/findings?limit=0", {}, 422),
        ("GET", "/api/v1/alerts?cursor=x", {}, 422),
        ("POST", "/static/driftbell.css", {"Content-Type": "multipart/form-data"}, 415),
        ("POST", "/api/v1/dead-letters/replay", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", "/", {"Host": "evil.example.net"}, 400),
    ],
)
def test_errors_carry_the_headers_too(
    engine: Engine, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    with site_of(engine, allowed_hosts=LOOPBACK_HOSTS) as site:
        answer = site.client.request(method, path, headers=headers)
        assert (answer.status_code, is_guarded(answer)) == (status, True)
        too_large = said(site, head(path, {"Host": "localhost"} | LARGE, method))
        assert (status_of(too_large), b"default-src 'none'" in too_large) == (413, True)


def test_what_nobody_expected_carries_the_headers_too(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        message = "broken"
        raise RuntimeError(message)

    app = create_app(Site(engine).dependencies())
    app.add_api_route("/fail", fail)
    with serving(app) as url:
        answer = httpx.get(f"{url}/fail")
    caplog.clear()
    assert (answer.status_code, is_guarded(answer)) == (500, True)


def test_too_many_requests_and_strangers_are_answered_with_the_headers(engine: Engine) -> None:
    with guarded(engine, requests_per_minute=6) as site:
        answers = [site.get("/api/v1/models") for _ in range(2)]
    assert [(answer.status_code, is_guarded(answer)) for answer in answers] == [(401, True), (429, True)]


# ---------------------------------------------------------------- hosts
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("driftbell.example.com", 200),
        ("DRIFTBELL.example.com:8765", 200),
        ("a.internal.example.com", 200),
        ("internal.example.com", 400),
        ("evil.example.net", 400),
        ("driftbell.example.com.evil.net", 400),
        ("driftbell.example.com:x", 400),
        ("x@driftbell.example.com", 400),
        ("evilinternal.example.com", 400),
        ("", 400),
    ],
)
def test_only_allowed_hosts_are_answered(engine: Engine, host: str, status: int) -> None:
    with site_of(engine, allowed_hosts=("driftbell.example.com", "*.internal.example.com")) as site:
        answer = site.client.get("/api/v1/models", headers={"Host": host})
        assert (answer.status_code, is_guarded(answer)) == (status, True)
        assert site.client.get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8765", "127.0.0.1:1", "[::1]", "[::1]:8765"])
def test_on_loopback_its_own_names_are_answered_at_any_port(engine: Engine, host: str) -> None:
    with site_of(engine, allowed_hosts=LOOPBACK_HOSTS) as site:
        assert site.client.get("/api/v1/models", headers={"Host": host}).status_code == 200


def test_a_rebound_name_reads_nothing_and_prometheus_may_use_an_address(engine: Engine) -> None:
    """A name of the attacker's that suddenly leads to 127.0.0.1: the browser takes us for his site."""
    rebound = {"Host": "attacker.example.net:8765"}
    with site_of(engine, allowed_hosts=LOOPBACK_HOSTS, auth=Auth.OPEN) as site:
        for path in ("/", "/api/v1/models", "/metrics", "/openapi.json", "/static/driftbell.css"):
            assert site.client.get(path, headers=rebound).status_code == 400
    by_address = {"Host": "10.0.0.7:8765"}
    with guarded(engine, allowed_hosts=("driftbell.example.com",)) as site:
        assert site.client.get("/metrics", headers=by_address).status_code == 401
        assert site.client.get("/metrics", headers=by_address | bearer(new_key(engine))).status_code == 200


def test_two_host_headers_are_none(engine: Engine) -> None:
    with site_of(engine, allowed_hosts=LOOPBACK_HOSTS) as site:
        twice = head("/api/v1/models", {"Host": "localhost", "host": "localhost"})
        assert status_of(said(site, twice)) == 400
