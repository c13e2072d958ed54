"""HEAD answers what GET answers, without the body; OPTIONS says what an address can do, and lets no other site in."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.web import shop_window
from tests.web.conftest import Add
from tests.web.serving import Site
from tests.web.visitors import bearer, guarded, new_key, unserved_app
from tests.web.wire import head, said

pytestmark = pytest.mark.postgres

UNCHANGING = ["/api/v1/models", "/api/v1/alerts?limit=2", "/api/v1/models/none", "/api/v1/findings?limit=0"]


@pytest.mark.parametrize("path", UNCHANGING)
def test_head_has_the_status_and_headers_of_get_and_no_body(site: Site, add: Add, path: str) -> None:
    shop_window.fill(add)
    got, headed = site.client.get(path), site.client.head(path)
    assert headed.status_code == got.status_code
    same = ("content-type", "content-length", "etag", "cache-control", "content-security-policy")
    assert [headed.headers.get(name) for name in same] == [got.headers.get(name) for name in same]
    assert headed.content == b""


def test_no_byte_follows_the_headers_of_a_head(site: Site, add: Add) -> None:
    shop_window.fill(add)
    request = head("/api/v1/models", {"Host": "localhost", "Connection": "close"}).replace(b"GET", b"HEAD", 1)
    _, _, body = said(site, request).partition(b"\r\n\r\n")
    assert body == b""


def test_head_asks_for_a_key_as_get_does(engine: Engine) -> None:
    with guarded(engine) as site:
        assert site.client.head("/api/v1/models").status_code == 401
        assert site.client.head("/api/v1/models", headers=bearer(new_key(engine))).status_code == 200


def test_options_names_every_method_of_every_path(site: Site) -> None:
    for path, methods in unserved_app().openapi()["paths"].items():
        asked = path.replace("{by}", "reason").replace("{partition}", "0").replace("{offset}", "0")
        answer = site.client.options(asked.replace("{", "").replace("}", ""))
        assert answer.status_code == 204, path
        allowed = set(answer.headers["allow"].split(", "))
        assert allowed >= {"OPTIONS", *(method.upper() for method in methods)}, path
        assert ("HEAD" in allowed) is ("GET" in allowed), path


def test_options_lets_no_other_site_in(site: Site) -> None:
    asked = {"Origin": "https://evil.example.net", "Access-Control-Request-Method": "POST"}
    answer = site.client.options("/api/v1/dead-letters/replay", headers=asked)
    assert answer.headers["allow"] == "POST, OPTIONS"
    assert [name for name in answer.headers if name.startswith("access-control")] == []


def test_options_of_nothing_is_not_found(site: Site) -> None:
    assert site.client.options("/api/v1/none").status_code == 404
