"""What a request may cost: bytes, requests, connections and time."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import httpx
import psutil
import pytest
from sqlalchemy import Engine

from service.settings import Auth
from service.store.keys import Scope
from service.web import connections
from service.web.buckets import MOST_NAMES, Buckets
from service.web.limits import MOST_BODY_BYTES, Turns
from tests.web.serving import Site, site_of
from tests.web.visitors import bearer, guarded, new_key
from tests.web.wire import connected, head, said, status_of

pytestmark = pytest.mark.postgres

MEGABYTE = 1_048_576
PROBLEM = "application/problem+json"
GONE = (BrokenPipeError, ConnectionResetError)
REPLAY = "/api/v1/dead-letters/replay"
CHUNKED = {"Host": "127.0.0.1", "Transfer-Encoding": "chunked", "Content-Type": "application/json"}


# ---------------------------------------------------------------- bodies
@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "DELETE"])
@pytest.mark.parametrize("path", [REPLAY, "/api/v1/models", "/none", "/static/driftbell.css", "/login"])
def test_a_body_that_is_too_large_is_refused_by_its_header_alone(site: Site, method: str, path: str) -> None:
    headers = {"Host": "127.0.0.1", "Content-Length": str(MOST_BODY_BYTES + 1)}
    answer = said(site, head(path, headers, method))
    assert status_of(answer) == 413
    assert b"default-src 'none'" in answer


def test_the_largest_body_is_taken_and_one_byte_more_is_not(site: Site) -> None:
    kind = {"Content-Type": "application/json"}
    for size, status in ((MOST_BODY_BYTES, 409), (MOST_BODY_BYTES + 1, 413)):
        body = b"{}" + b" " * (size - 2)
        assert site.client.post(REPLAY, content=body, headers=kind).status_code == status
        assert site.client.post(REPLAY, content=iter([body]), headers=kind).status_code == status


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_chunked_body_without_end_is_refused_and_costs_no_memory(site: Site, method: str) -> None:
    """Whoever goes on after the refusal is read for a while, and nothing of it is kept."""
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with connected(site) as connection, ThreadPoolExecutor(1) as reader:
        connection.sendall(head(REPLAY, CHUNKED, method).replace(b"Connection: close\r\n", b""))
        refusal = reader.submit(connection.recv, 65_536)
        before = psutil.Process().memory_info().rss
        with suppress(*GONE):
            for _ in range(128 * MEGABYTE // len(chunk)):
                connection.sendall(chunk)
        grown = psutil.Process().memory_info().rss - before
        assert status_of(refusal.result(30)) == 413
    assert grown < 24 * MEGABYTE, "this process holds the sender, too"


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"Content-Encoding": "gzip"}, "without a Content-Encoding"),
        ({"Content-Encoding": "br"}, "without a Content-Encoding"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, "no form is taken here"),
        ({"Content-Type": "Multipart/Mixed; boundary=x"}, "no form is taken here"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "no form is taken here"),
    ],
)
def test_what_would_have_to_be_unpacked_is_refused(
    site: Site, headers: dict[str, str], sentence: str
) -> None:
    answer = site.client.post(REPLAY, content=b"x", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (415, PROBLEM)
    assert sentence in answer.json()["detail"]


def test_a_form_of_a_million_fields_is_refused(site: Site) -> None:
    fields = b"&".join(b"a=1" for _ in range(200_000))
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": site.url}
    assert site.client.post(REPLAY, content=fields, headers=kind).status_code == 415
    assert site.client.post("/login", content=fields, headers=kind).status_code == 422
    assert site.client.post("/login", content=b"a=1&" * 1_000_000, headers=kind).status_code == 413


def test_headers_are_bounded(site: Site) -> None:
    assert status_of(said(site, head("/healthz", {"Host": "127.0.0.1", "X": "x" * 32_000}))) == 200
    with connected(site) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        with pytest.raises(GONE):  # noqa: PT012 - whichever send meets the end
            for _ in range(1_000):
                connection.sendall(b"X: " + b"x" * 8_000 + b"\r\n")
                time.sleep(0.001)


def test_ten_thousand_ranges_of_a_file_are_the_whole_file(site: Site) -> None:
    whole = site.client.get("/static/driftbell.css")
    ranges = "bytes=" + ",".join(f"{n}-{n}" for n in range(10_000))
    for sent in (ranges[:60_000], "bytes=0-0", "bytes=-1", "bytes=9-1", "nonsense"):
        answer = site.client.get("/static/driftbell.css", headers={"Range": sent, "If-Range": '"x"'})
        assert (answer.status_code, answer.content) == (200, whole.content)


# ---------------------------------------------------------------- requests
def test_a_bucket_refills_and_never_overflows() -> None:
    #  t  0 s    0 s    0 s      0.5 s    1 s     100 s
    #     take   take   wait 1   wait .5  take    take, take, wait
    now_ms = [0]
    buckets = Buckets(burst=2, per_second=1, clock_ms=lambda: now_ms[0])
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]
    assert buckets.take("b") == 0, "each has its own"
    now_ms[0] = 500
    assert buckets.take("a") == 0.5
    now_ms[0] = 1_000
    assert buckets.take("a") == 0
    now_ms[0] = 100_000
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]
    now_ms[0] = 0
    assert buckets.take("a") == 1, "a clock that is set back gives nothing"


def test_only_so_many_callers_are_remembered() -> None:
    buckets = Buckets(burst=1, per_second=1, clock_ms=lambda: 0)
    for number in range(MOST_NAMES + 5):
        buckets.take(str(number))
    assert len(buckets._left) == MOST_NAMES


def test_a_key_that_asks_too_often_is_told_when_to_ask_again_and_others_are_not(engine: Engine) -> None:
    busy, calm = new_key(engine), new_key(engine)
    with guarded(engine, requests_per_minute=30) as site:
        statuses = [site.client.get("/api/v1/models", headers=bearer(busy)).status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        refused = site.client.get("/", headers=bearer(busy))
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
        assert refused.headers["content-type"] == PROBLEM
        assert site.client.get("/api/v1/models", headers=bearer(calm)).status_code == 200
        site.now_ms += 2_000
        assert site.client.get("/api/v1/models", headers=bearer(busy)).status_code == 200


def test_guessing_is_limited_by_address_and_leaves_keys_alone(engine: Engine) -> None:
    key = new_key(engine)
    with guarded(engine, requests_per_minute=30) as site:
        statuses = [site.client.get("/api/v1/models", headers=bearer("db_x")).status_code for _ in range(6)]
        assert statuses == [401] * 5 + [429]
        assert site.client.get("/api/v1/models", headers=bearer(key)).status_code == 200


def test_where_everybody_is_answered_addresses_are_limited(engine: Engine) -> None:
    with site_of(engine, auth=Auth.OPEN, requests_per_minute=30) as site:
        assert [site.get("/api/v1/models").status_code for _ in range(6)] == [200] * 5 + [429]
        assert site.get("/healthz").status_code == 200, "a probe that is refused restarts the process"


def test_an_address_is_believed_only_of_a_trusted_proxy(engine: Engine) -> None:
    def statuses(site: Site) -> list[int]:
        told = [{"X-Forwarded-For": f"10.0.0.{n}"} for n in range(6)]
        return [site.client.get("/api/v1/models", headers=one).status_code for one in told]

    with site_of(engine, auth=Auth.OPEN, requests_per_minute=30) as site:
        assert statuses(site) == [200] * 5 + [429]
    with site_of(engine, ["127.0.0.1"], auth=Auth.OPEN, requests_per_minute=30) as site:
        assert statuses(site) == [200] * 6


# ---------------------------------------------------------------- connections
@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.6)


def ends(connection: socket.socket) -> bool:
    """Whether the server closes the connection (within the client's patience)."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx",
        b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost:",
    ],
    ids=["nothing", "half a head", "half a body", "an endless body", "a second head"],
)
def test_who_stops_in_the_middle_is_cut_off(site: Site, sent: bytes) -> None:
    with connected(site) as connection:
        connection.sendall(sent)
        assert ends(connection)


@pytest.mark.usefixtures("impatient")
def test_a_second_head_has_no_more_time_than_the_first(site: Site) -> None:
    with connected(site) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status_of(connection.recv(65_536)) == 200
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        assert ends(connection)


@pytest.mark.usefixtures("impatient")
def test_a_head_that_drips_is_cut_off_however_alive_it_looks(site: Site) -> None:
    with connected(site) as connection, pytest.raises(GONE):  # noqa: PT012
        connection.sendall(b"GET / HTTP/1.1\r\n")
        for _ in range(600):
            connection.sendall(b"X: y\r\n")
            time.sleep(0.05)


def test_a_thousand_slow_connections_do_not_keep_others_out(engine: Engine) -> None:
    """The newest take the places of those that have waited longest without a request."""
    key = bearer(new_key(engine, Scope.READ))
    answers = []
    with guarded(engine) as site, ExitStack() as stack:
        for number in range(1_000):
            stack.enter_context(connected(site)).sendall(b"GET /healthz HTTP/1.1\r\nHost:")
            if number % 50 == 0:
                answers.append(httpx.get(f"{site.url}/api/v1/models", headers=key, timeout=30).status_code)
        answers += [site.client.get("/api/v1/models", headers=key).status_code for _ in range(20)]
    assert answers == [200] * 40


# ---------------------------------------------------------------- large answers
@pytest.mark.parametrize("path", ["comparison", "weak-slices", "prediction-health"])
def test_who_asks_for_much_while_enough_others_do_is_told_to_come_again_at_once(
    engine: Engine, path: str
) -> None:
    turns = Turns(2)
    with site_of(engine, large_answers=turns) as site:
        with turns.one():
            assert site.get(f"/api/v1/{path}", model="nobody").status_code == 404
            with turns.one():
                begun = time.monotonic()
                busy = site.get(f"/api/v1/{path}", model="nobody")
                assert time.monotonic() - begun < 2
                assert site.get("/readyz").status_code == 200
        assert (busy.status_code, busy.headers["Retry-After"], busy.headers["content-type"]) == (
            503, "5", PROBLEM,
        )  # fmt: skip
        assert site.get(f"/api/v1/{path}", model="nobody").status_code == 404


def test_large_answers_of_many_callers_at_once_leave_connections_for_the_others(engine: Engine) -> None:
    with site_of(engine) as site, ThreadPoolExecutor(24) as callers:
        asked = [
            callers.submit(site.get, f"/api/v1/{path}", model="nobody")
            for _ in range(24)
            for path in ("comparison", "weak-slices", "prediction-health")
        ]
        assert site.get("/metrics").status_code == 200
        assert {one.result().status_code for one in asked} <= {404, 503}
