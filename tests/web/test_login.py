"""The login of the pages: a cookie that only our own pages may use, and that ends."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from html import unescape

import httpx
import pytest
from sqlalchemy import Engine, func, select

from service.moments import time_at
from service.settings import Auth
from service.store.engine import transaction
from service.store.keys import Scope, revoke_key
from service.store.tables import login
from service.web.app import LOGINS_AT_ONCE
from tests.web.serving import Site, site_of
from tests.web.visitors import guarded, id_of, new_key

pytestmark = pytest.mark.postgres

HOURS_12_MS = 12 * 3_600_000
PAGE = {"Accept": "text/html"}


def log_in(site: Site, key: str, wanted: str = "", **headers: str) -> httpx.Response:
    """Send the form as a browser does."""
    sent = {"Origin": site.url} | headers
    return site.client.post("/login", data={"key": key, "next": wanted}, headers=sent)


def cookie_of(answer: httpx.Response) -> str:
    return answer.headers["set-cookie"]


def test_a_page_asks_for_a_login_and_comes_back_after_it(engine: Engine) -> None:
    with guarded(engine) as site:
        asked = site.client.get("/", params={"limit": "5"}, headers=PAGE)
        assert (asked.status_code, asked.headers["location"]) == (303, "login?next=%3Flimit%3D5")
        form = site.client.get("/login", params={"next": "?limit=5"})
        assert form.status_code == 200
        assert 'name="key"' in form.text
        wanted = unescape(re.search('name="next" type="hidden" value="(.*?)"', form.text)[1])  # type: ignore[index]
        opened = log_in(site, new_key(engine), wanted)
        assert (opened.status_code, opened.headers["location"]) == (303, "./?limit=5")
        assert site.client.get("/", params={"limit": "5"}, headers=PAGE).status_code == 200
        assert site.client.get("/api/v1/models").status_code == 200
        assert site.client.get("/login").headers["location"] == "./"


def test_the_cookie_is_for_the_browser_alone_and_stored_as_a_hash(engine: Engine) -> None:
    with guarded(engine) as site:
        cookie = cookie_of(log_in(site, new_key(engine)))
    token = re.match("driftbell-login=([^;]{43});", cookie)[1]  # type: ignore[index]
    assert {part.strip() for part in cookie.split(";")[1:]} == {
        "HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200",
    }  # fmt: skip
    with transaction(engine) as connection:
        assert connection.execute(select(login.c.token_hash)).scalars().all() == [
            sha256(token.encode()).digest()
        ]


def test_behind_a_trusted_proxy_that_speaks_https_the_cookie_is_secure(engine: Engine) -> None:
    with guarded(engine) as site:
        plain = log_in(site, new_key(engine), **{"X-Forwarded-Proto": "https"})
    assert "Secure" not in cookie_of(plain), "nobody is trusted unless told so"
    with guarded(engine, trusted_proxies=["127.0.0.1"]) as site:
        assert "Secure" in cookie_of(log_in(site, new_key(engine), **{"X-Forwarded-Proto": "https"}))


def test_a_login_ends_after_twelve_hours(engine: Engine) -> None:
    with guarded(engine) as site:
        log_in(site, new_key(engine))
        site.now_ms += HOURS_12_MS - 1
        assert site.get("/api/v1/models").status_code == 200
        site.now_ms += 1
        assert site.get("/api/v1/models").status_code == 401
        assert site.client.get("/", headers=PAGE).status_code == 303


def test_a_login_ends_with_its_key(engine: Engine) -> None:
    key, short = new_key(engine), new_key(engine, lifetime=timedelta(hours=2))
    with guarded(engine) as site:
        log_in(site, key)
        revoke_key(engine, id_of(key), time_at(site.now_ms))
        assert site.get("/api/v1/models").status_code == 401
        log_in(site, short)
        assert site.get("/api/v1/models").status_code == 200
        site.now_ms += 3_600_000
        assert site.get("/api/v1/models").status_code == 401


def test_logging_out_ends_the_login_in_the_database_not_only_in_the_browser(engine: Engine) -> None:
    with guarded(engine) as site:
        token = re.match("driftbell-login=([^;]+)", cookie_of(log_in(site, new_key(engine))))[1]  # type: ignore[index]
        page = site.client.get("/", headers=PAGE).text
        assert 'action="logout"' in page
        assert "somebody" in page
        out = site.client.post("/logout", headers={"Origin": site.url})
        assert (out.status_code, out.headers["location"]) == (303, "./login")
        assert "driftbell-login" not in site.client.cookies
        kept = {"Cookie": f"driftbell-login={token}"}
        assert site.client.get("/api/v1/models", headers=kept).status_code == 401


def test_old_logins_are_taken_away(engine: Engine) -> None:
    key = new_key(engine)
    with guarded(engine) as site:
        for _ in range(3):
            log_in(site, key)
            site.now_ms += HOURS_12_MS
    with transaction(engine) as connection:
        assert connection.execute(select(func.count()).select_from(login)).scalar_one() == 1


@pytest.mark.parametrize("key", ["", "nonsense", "db_000000000000_" + "x" * 43, "\u00e9", "x" * 3_000])
def test_a_wrong_key_shows_the_form_again_with_a_sentence(engine: Engine, key: str) -> None:
    with guarded(engine) as site:
        answer = log_in(site, key, "?limit=5")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "there is no such key" in answer.text
    assert 'value="?limit=5"' in answer.text
    assert "set-cookie" not in answer.headers
    assert key == "" or key not in answer.text


@pytest.mark.parametrize(
    "wanted",
    ["\\evil.example.net", "a\r\nSet-Cookie: x=y", "x" * 2_001, "a b", "\u00e9", "\x00", '"><script>'],
)
def test_a_page_to_come_back_to_that_is_none_is_forgotten(engine: Engine, wanted: str) -> None:
    with guarded(engine) as site:
        answer = log_in(site, new_key(engine), wanted)
    assert answer.headers["location"] in {"./", './"><script>'}
    assert answer.headers.get_list("set-cookie")[0].startswith("driftbell-login=")


@pytest.mark.parametrize(
    "wanted", ["//evil.example.net", "https://evil.example.net", "/..//evil.example.net", "@evil"]
)
def test_after_a_login_nobody_is_sent_to_another_host(engine: Engine, wanted: str) -> None:
    with guarded(engine) as site:
        answer = log_in(site, new_key(engine), wanted)
        where = httpx.URL(f"{site.url}/login").join(answer.headers["location"])
        assert f"{where.scheme}://{where.netloc.decode()}" == site.url


def test_a_link_from_elsewhere_is_followed_from_our_own_page_so_that_the_cookie_comes_along(
    engine: Engine,
) -> None:
    """Browsers keep strict cookies back when a chat or a mail links here."""
    with guarded(engine) as site:
        bounced = site.client.get("/", headers=PAGE | {"Sec-Fetch-Site": "cross-site"})
        assert (bounced.status_code, 'http-equiv="refresh" content="0"' in bounced.text) == (200, True)
        again = site.client.get("/", headers=PAGE | {"Sec-Fetch-Site": "same-origin"})
        assert again.status_code == 303


# ---------------------------------------------------------------- other sites
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example.net"}, {"Origin": "null"}, {},
]  # fmt: skip


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_write_that_comes_with_a_cookie_needs_proof_that_it_comes_from_us(
    engine: Engine, headers: dict[str, str]
) -> None:
    with guarded(engine) as site:
        log_in(site, new_key(engine, Scope.WRITE))
        refused = site.client.post("/api/v1/dead-letters/replay", json={}, headers=headers)
        assert (refused.status_code, "another site" in refused.json()["detail"]) == (403, True)
        for ours in ({"Origin": site.url}, {"Sec-Fetch-Site": "same-origin"}):
            assert site.client.post("/api/v1/dead-letters/replay", json={}, headers=ours).status_code == 409
        assert site.client.get("/api/v1/models", headers=headers).status_code == 200, "reading is no harm"


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_nobody_is_logged_in_or_out_by_another_site(engine: Engine, headers: dict[str, str]) -> None:
    with guarded(engine) as site:
        key = new_key(engine)
        answer = site.client.post("/login", data={"key": key}, headers=headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        log_in(site, key)
        assert site.client.post("/logout", headers=headers).status_code == 403
        assert site.get("/api/v1/models").status_code == 200


def test_attempts_are_limited_and_the_limit_ends(engine: Engine) -> None:
    with guarded(engine) as site:
        statuses = [log_in(site, "wrong").status_code for _ in range(LOGINS_AT_ONCE + 2)]
        assert statuses == [401] * LOGINS_AT_ONCE + [429] * 2
        key = new_key(engine)
        refused = log_in(site, key)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "6")
        site.now_ms += 6_000
        assert log_in(site, key).status_code == 303


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"key": "x"}', "application/json", 415),
        (b"key=x", "text/plain", 415),
        (b"&".join(b"a=1" for _ in range(5)), "application/x-www-form-urlencoded", 422),
        (b"key=\xff", "application/x-www-form-urlencoded", 422),
        (b"--x", "multipart/form-data; boundary=x", 415),
    ],
)
def test_the_login_takes_its_form_and_nothing_else(
    engine: Engine, content: bytes, kind: str, status: int
) -> None:
    with guarded(engine) as site:
        headers = {"Content-Type": kind, "Origin": site.url}
        assert site.client.post("/login", content=content, headers=headers).status_code == status


def test_where_everybody_is_answered_there_is_no_form(engine: Engine) -> None:
    with site_of(engine, auth=Auth.OPEN) as site:
        assert site.client.get("/login").headers["location"] == "./"
        assert site.client.get("/", headers=PAGE).status_code == 200
        assert "logout" not in site.client.get("/", headers=PAGE).text
