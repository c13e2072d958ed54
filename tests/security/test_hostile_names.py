"""Names out of Kafka are text wherever they are shown: nothing runs, nothing is fetched, nothing is missing."""

from __future__ import annotations

import csv
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import pytest

from service.monitor import Monitor, WindowSpec
from service.names import clean_name
from service.reference.builder import build_reference
from service.reference.specification import ReferenceSpec
from tests.browser.looks import settle
from tests.flow.stack import Stack, running
from tests.security.payloads import NAMELESS, PAYLOADS
from tests.servers.chromium import Visit, chromium, visit
from tests.servers.fixtures import Broker

pytestmark = [pytest.mark.postgres, pytest.mark.kafka, pytest.mark.browser, pytest.mark.slow]

CLEANED = list(dict.fromkeys(name for payload in PAYLOADS if (name := clean_name(payload))))
WATCHED, SEGMENT = PAYLOADS[0], PAYLOADS[2]
NUMBERS = [payload for payload in PAYLOADS if payload != SEGMENT]
REFERENCE = "<b>reference</b>"
EVENTS = 1_500
MOST_OF_A_KIND = 8
CHARTS = {"models": 5}
"""Of each page of a kind; where it is not told here, as many as it has."""
LINKS = """
[...document.querySelectorAll('a[href]')].map((one) => new URL(one.getAttribute('href'), document.baseURI).href)
"""
CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


def table(path: Path) -> Path:
    """What the watched model was trained on: a column for each payload, and one whose values are payloads."""
    chance = random.Random(1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(clean_name(name) for name in unique(NUMBERS)), SEGMENT])
        for _ in range(2_000):
            row = [chance.gauss(0, 1) for _ in unique(NUMBERS)]
            writer.writerow([*row, clean_name(chance.choice(PAYLOADS[:8]))])
    return path


def unique(payloads: list[str]) -> list[str]:
    """One payload of those that are one name after cleaning."""
    return list({clean_name(payload): payload for payload in payloads}.values())


def events() -> Iterator[bytes]:
    """Every payload as model, version, feature, category and segment; what is nameless, too."""
    start_ms = time.time_ns() // 1_000_000 - 900_000
    chance = random.Random(2)
    for i in range(EVENTS):
        payload = PAYLOADS[i % len(PAYLOADS)]
        features: dict[str, Any] = {name: 100 + chance.gauss(0, 1) for name in unique(NUMBERS)}
        yield event(WATCHED, payload, i, start_ms + i * 600, features | {SEGMENT: payload})
        yield event(payload, payload, i, start_ms + i * 600, {payload: payload})
    for i, payload in enumerate(NAMELESS):
        yield event(payload, "1", i, start_ms, {"x": 1})


def event(model: str, version: str, number: int, ts: int, features: dict[str, Any]) -> bytes:
    document = {
        "type": "prediction", "model": model, "version": version, "id": f"{model}-{number}", "ts": ts,
        "features": features, "prediction": {"label": version, "score": 0.5},
    }  # fmt: skip
    return json.dumps(document).encode()


@pytest.fixture(scope="module")
def site(
    postgres_server: Any, embedded_broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """All roles over a stream of hostile names, when everything is counted and the alerts ring."""
    from tests.web.databases import migrated

    folder = tmp_path_factory.mktemp("hostile")
    profile = build_reference(table(folder / "t.csv"), ReferenceSpec(WATCHED, REFERENCE))
    monitor = Monitor(
        model=WATCHED, reference=REFERENCE, windows=(WindowSpec.tumbling(300_000),), disorder_ms=0,
        segments=(SEGMENT,),
    )  # fmt: skip
    with migrated(postgres_server, "hostile") as engine:
        database = engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
        stack = Stack(database, embedded_broker.bootstrap_servers, embedded_broker.new_topic(1), folder)
        stack.settings = {"UNKNOWN_MODELS": "learn", "LOG_LEVEL": "debug"}
        stack.prepare([monitor], [profile])
        sent = list(events())
        embedded_broker.topics.produce(stack.topic, sent)
        with running(stack):
            stack.start("run")
            stack.wait_until(lambda: sum(stack.consumed().values()) == len(sent), "all is read", 90)
            stack.wait_until(lambda: firing(stack) > len(CLEANED) // 2, "the features' alerts ring", 90)
            yield stack


def firing(stack: Stack) -> int:
    return int(stack.rows("SELECT count(*) FROM alert WHERE state = 'firing'")[0][0])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def visitor(browser: Any) -> Iterator[Visit]:
    """A visitor to whom nothing bad may happen."""
    with visit(browser) as visitor:
        yield visitor
        assert visitor.misdeeds == []


def url(stack: Stack, path: str) -> str:
    return f"http://127.0.0.1:{stack.port}{path}"


def unharmed(visitor: Visit) -> bool:
    """Whether nothing of theirs ran, no script is in the page but our files, and no cookie was set."""
    ours = (
        "[...document.scripts].every((one) => one.src.startsWith(`${location.origin}/static/`) && !one.text)"
    )
    return visitor.value_of(f"[typeof window.struck, document.cookie, {ours}]") == ["undefined", "", True]


def test_the_first_page_shows_every_name_as_it_is(site: Stack, visitor: Visit) -> None:
    visitor.open(url(site, "/"))
    shown = visitor.value_of("[...document.querySelectorAll('bdi')].map((name) => name.textContent)")
    assert set(CLEANED) <= set(shown)  # type: ignore[call-overload]
    assert unharmed(visitor)
    assert (
        visitor.value_of(
            "document.querySelectorAll('iframe, base, object, embed, td img, th img, main svg image').length"
        )
        == 0
    )


def test_what_a_mouse_or_a_keyboard_touches_does_not_run(site: Stack, visitor: Visit) -> None:
    visitor.open(url(site, "/"))
    visitor.value_of(
        "[...document.querySelectorAll('*')].forEach((one) => ['mouseover', 'focus', 'error', 'load']"
        ".forEach((kind) => one.dispatchEvent(new Event(kind))))"
    )
    assert unharmed(visitor)


def test_every_link_of_the_first_page_stays_here_and_leads_to_what_it_names(
    site: Stack, visitor: Visit
) -> None:
    visitor.open(url(site, "/"))
    links: Any = visitor.value_of(
        "[...document.querySelectorAll('th[scope=row] a')].map((link) => [link.textContent, link.href])"
    )
    assert {name for name, _ in links} >= set(CLEANED)
    for name, link in links:
        assert link.startswith(url(site, "/models/"))
        visitor.open(link)
        assert visitor.value_of("document.querySelector('h1 bdi').textContent") == name
        assert unharmed(visitor)


def test_no_page_that_links_lead_to_is_harmed(site: Stack, visitor: Visit) -> None:
    """Of each kind of page some, as a visitor finds them; charts are drawn, and nothing is complained about."""
    waiting, seen, kinds = [url(site, "/")], set[str](), Counter[str]()
    while waiting:
        address = waiting.pop(0)
        kind = urlsplit(address).path.split("/")[1]
        if address in seen or kind in {"api", "metrics", "openapi.json"} or kinds[kind] >= MOST_OF_A_KIND:
            continue
        seen.add(address)
        kinds[kind] += 1
        visitor.open(address)
        drawn = visitor.page.locator("figure[data-chart]").count()
        settle(visitor.page, CHARTS.get(kind, drawn))
        assert unharmed(visitor), address
        assert visitor.misdeeds == [], address
        links: Any = visitor.value_of(LINKS)
        waiting += [link.partition("#")[0] for link in links if link.startswith(url(site, "/"))]
    assert {"", "models", "feature", "incidents", "monitors", "pipeline", "setup"} <= set(kinds)


def test_every_listing_shows_the_names_as_text(site: Stack, visitor: Visit) -> None:
    with httpx.Client(base_url=url(site, ""), timeout=30) as client:
        document = client.get("/openapi.json").json()
        listings = [path for path, verbs in document["paths"].items() if "get" in verbs and "{" not in path]
        assert len(listings) >= 6
        for path in listings:
            answer = client.get(path)
            if answer.status_code != 200:
                continue
            assert answer.headers["content-type"] == "application/json"
            assert CONTROL.findall(answer.text) == []
            assert json.loads(visitor.open(url(site, path)))
            assert unharmed(visitor)


def test_the_alerts_name_their_features(site: Stack) -> None:
    with httpx.Client(base_url=url(site, ""), timeout=30) as client:
        alerts: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            answer = client.get("/api/v1/alerts", params={"model": WATCHED, "limit": 200} | cursor).json()
            alerts += answer["items"]
            if not answer.get("next"):
                break
            cursor = {"cursor": answer["next"]}
    features = {alert["feature"] for alert in alerts}
    assert {clean_name(name) for name in unique(NUMBERS)} - {"   "} <= features
    assert any(alert["segment"] for alert in alerts) or firing(site)


@pytest.mark.parametrize("path", ["/metrics", "/openapi.json", "/healthz", "/readyz"])
def test_what_machines_read_is_safe_in_a_browser_too(site: Stack, visitor: Visit, path: str) -> None:
    assert visitor.open(url(site, path))
    assert unharmed(visitor)


def test_a_path_or_a_filter_that_nobody_knows_is_answered_in_text(site: Stack, visitor: Visit) -> None:
    for payload in CLEANED:
        asked = urlencode({"model": payload, "cursor": payload, "limit": payload})
        for path in (f"/{quote(payload, safe='')}", f"/?{asked}"):
            visitor.open(url(site, path))
            assert unharmed(visitor)
    # The console says that an answer is a 404 or a 422, as it is.
    visitor.misdeeds[:] = [deed for deed in visitor.misdeeds if "Failed to load resource" not in deed]


def test_no_name_is_a_control_character_in_the_log(site: Stack) -> None:
    logs = site.logs()
    assert CONTROL.findall(logs) == []
    assert not re.search(r"^Set-Cookie", logs, re.MULTILINE)
    assert "Traceback" not in logs


def test_what_has_no_name_is_a_dead_letter(site: Stack) -> None:
    assert site.consumed()["dead"] == len(NAMELESS)


def test_names_are_stored_clean(site: Stack) -> None:
    stored = {row[0] for row in site.rows("SELECT DISTINCT model FROM model_version")}
    assert stored == set(CLEANED) | {WATCHED}
