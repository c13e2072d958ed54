"""Every route, whoever asks: the table of who may do what is made of the routes themselves."""

from __future__ import annotations

import json
import logging

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import RouteContext
from sqlalchemy import Engine, select

from service.moments import time_at
from service.settings import Auth
from service.store.engine import transaction
from service.store.keys import Scope
from service.store.tables import api_key
from service.web.authorization import declared_by, for_everybody, may_use, refuse_undeclared
from tests.web.conftest import Add
from tests.web.seeding import add_model
from tests.web.serving import Site, site_of
from tests.web.visitors import bearer, guarded, id_of, new_key, routes, unserved_app, unusable_keys
from tests.web.wire import head, said, status_of

pytestmark = pytest.mark.postgres

PUBLIC = {"/healthz", "/readyz", "/login", "/logout", "/static"}
TOKEN = "scrape-scrape-scrape"
ROUTES = list(routes())
PROBLEM = "application/problem+json"


def is_public(route: RouteContext) -> bool:
    return declared_by(route) is for_everybody


def asked(site: Site, method: str, path: str, headers: dict[str, str | bytes]) -> httpx.Response:
    wire = {name: value.encode() if isinstance(value, str) else value for name, value in headers.items()}
    with site.client.stream(method, path, headers=wire) as answer:  # type: ignore[arg-type] # httpx takes bytes, too
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()  # which a stream of events has no end of
    return answer


def test_only_these_routes_are_for_everybody() -> None:
    """Who adds one here has thought about it."""
    assert {path for _, path, route in ROUTES if is_public(route)} == PUBLIC


def test_there_are_routes_to_ask() -> None:
    """The matrix below is made of them: an empty one would pass."""
    assert {method for method, _, _ in ROUTES} >= {"GET", "HEAD", "POST"}
    assert len({path for _, path, _ in ROUTES}) >= 18


@pytest.mark.parametrize(
    "dependencies", [[], [Depends(may_use), Depends(for_everybody)], [Depends(lambda: None)]]
)
def test_an_application_with_a_route_that_declares_no_scope_is_not_built(dependencies: list[object]) -> None:
    router = APIRouter(prefix="/new", dependencies=dependencies)  # type: ignore[arg-type]
    router.add_api_route("/route", lambda: None)
    app = unserved_app()
    app.include_router(router)
    with pytest.raises(LookupError, match="/new/route declares"):
        refuse_undeclared(app)


def test_nothing_may_be_mounted_unasked() -> None:
    app = unserved_app()
    app.mount("/tools", FastAPI())
    with pytest.raises(LookupError, match="/tools"):
        refuse_undeclared(app)


# ---------------------------------------------------------------- the matrix
def test_whom_nobody_knows_is_refused_everywhere_but_at_public_routes(engine: Engine) -> None:
    unknown: dict[str, dict[str, str | bytes]] = {"none": {}}
    unknown |= {name: dict(bearer(key)) for name, key in unusable_keys(engine).items()}
    right = new_key(engine, Scope.ADMIN)
    unknown |= {
        "basic": {"Authorization": f"Basic {right}"},
        "bare": {"Authorization": right},
        "two words": {"Authorization": f"Bearer {right} {right}"},
        "in a cookie": {"Cookie": f"driftbell-login={right}"},
        "in another header": {"X-Api-Key": right},
    }
    wrong = []
    with guarded(engine) as site:
        for method, path, route in ROUTES:
            for name, headers in unknown.items():
                answer = asked(site, method, path, headers)
                challenged = answer.status_code == 401 and "www-authenticate" in answer.headers
                if challenged is is_public(route):
                    wrong.append((method, path, name, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("scope", Scope)
def test_who_is_known_may_do_what_the_scope_includes(engine: Engine, scope: Scope) -> None:
    key = new_key(engine, scope)
    wrong = []
    with guarded(engine) as site:
        for method, path, route in ROUTES:
            if is_public(route):
                continue
            answer = asked(site, method, path, dict(bearer(key)))
            may = method in {"GET", "HEAD"} or scope is not Scope.READ
            if (answer.status_code not in {401, 403}) is not may or answer.status_code >= 500:
                wrong.append((method, path, answer.status_code))
    assert wrong == []


def test_a_missing_scope_is_named(engine: Engine) -> None:
    with guarded(engine) as site:
        answer = site.client.post("/api/v1/dead-letters/replay", json={}, headers=bearer(new_key(engine)))
    assert (answer.status_code, answer.headers["content-type"]) == (403, PROBLEM)
    assert answer.json()["detail"] == "this needs a key with the scope write"
    assert 'error="insufficient_scope", scope="write"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("unknown", "there is no such key"),
        ("wrong secret", "there is no such key"),
        ("another's secret", "there is no such key"),
        ("malformed", "there is no such key"),
        ("expired", "this key has expired; make another with `driftbell keys create`"),
        ("revoked", "this key is revoked; make another with `driftbell keys create`"),
    ],
)
def test_only_who_holds_the_secret_hears_what_became_of_the_key(
    engine: Engine, kind: str, sentence: str
) -> None:
    with guarded(engine) as site:
        answer = site.client.get("/api/v1/models", headers=bearer(unusable_keys(engine)[kind]))
    assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
    assert answer.json()["detail"] == sentence
    assert answer.headers["www-authenticate"].startswith('Bearer realm="driftbell"')


def test_a_refused_answer_holds_nothing_of_what_is_stored(engine: Engine, add: Add) -> None:
    add(add_model, "secret-model")
    with guarded(engine) as site:
        for method, path, route in ROUTES:
            if not is_public(route):
                assert "secret-model" not in asked(site, method, path, {"Accept": "text/html"}).text
        shown = site.client.get("/", headers=bearer(new_key(engine)))
    assert "secret-model" in shown.text


# ---------------------------------------------------------------- tricks
VARIANTS = [
    "//api/v1/models", "/api//v1/models", "/api/v1//models", "/api/v1/models/", "/API/v1/models", "/Api/V1/Models",
    "/api/v1/%6dodels", "/%61pi/v1/models", "/api/v1/./models", "/static/../api/v1/models", "/healthz/../api/v1/models",
    "/static/%2e%2e/api/v1/models", "/static/..%2fapi/v1/models", "/healthz/%2e%2e/metrics", "/login/../metrics",
    "/metrics/", "/metrics;x", "/metrics%00", "/metrics?x=/healthz", "/metrics%3f/healthz", "/openapi.json/",
    "//metrics", "/./metrics", "/login%2f..%2fmetrics", "/api/v1/models;/healthz", "/api/v1/models%20",
]  # fmt: skip
HOSTS = [
    "", " ", ":", "::", "a:b", "127.0.0.1:x", "evil/healthz", "evil/healthz?", "evil#", "evil?/healthz", "/healthz",
    "127.0.0.1/healthz#", "x@127.0.0.1", "[", "[::1", "[::1]]", "a b", "\u00e9".encode(), b"\xff", "%00", "a,b", "..",
    "healthz", "http://127.0.0.1/healthz", "x" * 5_000,
]  # fmt: skip


def spelled(site: Site, path: str, headers: dict[str, str | bytes]) -> int:
    """The status of a request that no client normalises; 400 where the server does not take it as HTTP."""
    return status_of(said(site, head(path, headers)))


def test_no_spelling_of_a_path_opens_what_its_plain_spelling_does_not(engine: Engine) -> None:
    """With a key the same request may find something; without it nothing but refusals."""
    with guarded(engine) as site:
        host = site.url.removeprefix("http://")
        found = {path: spelled(site, path, {"Host": host}) for path in VARIANTS}
    assert {path: status for path, status in found.items() if status not in {400, 401, 404}} == {}


def test_no_host_header_changes_what_is_asked_of_a_caller(engine: Engine) -> None:
    known = bearer(new_key(engine))
    wrong = []
    with guarded(engine) as site:
        for host in HOSTS:
            for path in ("/api/v1/models", "/metrics", "/"):
                refused = spelled(site, path, {"Host": host}) in {400, 401}
                answered = spelled(site, path, {"Host": host} | known) in {200, 400}
                sent_on = spelled(site, path, {"Host": host, "Accept": "text/html"}) in {303, 400, 401}
                if not (refused and answered and sent_on):
                    wrong.append((host, path))
    assert wrong == []


# ---------------------------------------------------------------- use, and the metrics token
def last_use(engine: Engine) -> object:
    with transaction(engine) as connection:
        return connection.execute(select(api_key.c.last_used_at)).scalar_one()


def test_the_last_use_is_written_at_most_once_a_minute(engine: Engine) -> None:
    key = new_key(engine)
    with guarded(engine) as site:
        seen = []
        for later_ms in (0, 30_000, 59_999, 60_000, 61_000):
            site.now_ms += later_ms - (site.now_ms - Site.now_ms)
            assert site.client.get("/api/v1/models", headers=bearer(key)).status_code == 200
            seen.append(last_use(engine))
    assert seen[0] == seen[1] == seen[2] != seen[3] == seen[4]


def test_a_key_opens_nothing_from_the_moment_that_it_is_revoked(engine: Engine) -> None:
    from service.store.keys import revoke_key

    key = new_key(engine)
    with guarded(engine) as site:
        assert site.client.get("/api/v1/models", headers=bearer(key)).status_code == 200
        revoke_key(engine, id_of(key), time_at(site.now_ms))
        assert site.client.get("/api/v1/models", headers=bearer(key)).status_code == 401


def test_the_metrics_token_opens_metrics_and_nothing_else(engine: Engine) -> None:
    with guarded(engine, metrics_token=TOKEN) as site:
        for method, path, route in ROUTES:
            if not is_public(route):
                status = asked(site, method, path, dict(bearer(TOKEN))).status_code
                assert (status == 200) is (path == "/metrics"), path
        assert site.client.get("/metrics", headers=bearer(TOKEN + "x")).status_code == 401
        assert site.client.get("/metrics", headers=bearer(new_key(engine))).status_code == 200


def test_without_a_metrics_token_an_empty_one_opens_nothing(engine: Engine) -> None:
    with guarded(engine) as site:
        for sent in ("Bearer", "Bearer ", "Bearer None", ""):
            assert spelled(site, "/metrics", {"Host": "x", "Authorization": sent}) in {400, 401}


def test_when_open_everybody_is_answered_whatever_is_sent(engine: Engine) -> None:
    with site_of(engine, auth=Auth.OPEN) as site:
        for headers in ({}, bearer("db_nonsense")):
            assert site.client.get("/api/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("browser", "status"),
    [
        ({}, 409),
        ({"Sec-Fetch-Site": "same-origin"}, 409),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example.net"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
    ],
)
def test_when_open_no_foreign_page_changes_anything(site: Site, browser: dict[str, str], status: int) -> None:
    """Any page that a browser shows may send requests to loopback addresses. 409: this site knows no Kafka."""
    answer = site.client.post("/api/v1/dead-letters/replay", json={"write": True}, headers=browser)
    assert answer.status_code == status


def test_the_secret_is_neither_stored_nor_logged(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    key = new_key(engine)
    with caplog.at_level(logging.DEBUG), guarded(engine) as site:
        site.client.get("/api/v1/models", headers=bearer(key))
        site.client.get("/api/v1/models", headers=bearer(key + "x"))
        site.client.post("/login", data={"key": key + "x"}, headers={"Origin": site.url})
    secret = key[-43:]
    with transaction(engine) as connection:
        rows = json.dumps([dict(row) for row in connection.execute(select(api_key)).mappings()], default=repr)
    assert secret not in rows
    ours = [
        r.getMessage()
        for r in caplog.records
        if r.name.startswith(("service", "uvicorn", "fastapi", "sqlalchemy"))
    ]
    assert not any(secret in line for line in ours)
