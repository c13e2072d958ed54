"""The report of an incident over the API: HTML with a policy of its own, or Markdown, for whoever may read."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine

from service.client import Client
from service.web.report_page import report_policy
from tests.servers.chromium import chromium, visit
from tests.web.conftest import Add
from tests.web.seeding import HOSTILE_NAMES, NOW_MS, add_alert, add_finding, add_model, add_window
from tests.web.serving import Site
from tests.web.visitors import guarded

pytestmark = pytest.mark.postgres
PATH = "/api/v1/incidents/i-1/report"


def add_incident(add: Add, name: str = "amount") -> None:
    add(add_model, "churn")
    add(add_window, "churn", NOW_MS)
    add(add_alert, "a", "churn", incident="i-1", feature=name, summary=f"{name} is broken", confidence=0.9)
    add(add_finding, "churn", NOW_MS, feature=name, value=2.0, verdict="drift")


def test_a_browser_gets_a_page_whose_policy_allows_its_own_style_only(site: Site, add: Add) -> None:
    add_incident(add)
    answer = site.get(PATH)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"] == report_policy()
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (answer.headers["cache-control"], bool(answer.headers["etag"])) == ("private, no-cache", True)
    assert "amount is broken. Confidence 0.90 of 1." in answer.text


def test_a_ticket_gets_markdown(site: Site, add: Add) -> None:
    add_incident(add)
    answer = site.client.get(PATH, headers={"Accept": "text/markdown, */*;q=0.1"})
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert set(answer.headers["vary"].split(", ")) == {"Accept", "Accept-Encoding"}
    assert answer.text.startswith("# Incident i-1: model churn\n")
    assert answer.headers["content-security-policy"] != report_policy()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("application/json;q=0.5, text/markdown", "text/markdown; charset=utf-8"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
    ],
)
def test_who_says_what_they_take_gets_that(site: Site, add: Add, accept: str, kind: str) -> None:
    add_incident(add)
    answer = site.client.get(PATH, headers={"Accept": accept})
    assert answer.headers["content-type"] == kind


def test_the_client_gets_what_it_asks_for(site: Site, add: Add) -> None:
    add_incident(add)
    client = Client(site.url)
    assert client.incident_report("i-1").startswith("# Incident i-1: model churn\n")
    assert json.loads(client.incident_report("i-1", "application/json"))["title"]


def test_what_cannot_be_read_of_the_panes_is_said_in_the_report(site: Site, add: Add) -> None:
    add_incident(add)
    assert "what is stored cannot be read" in site.get(PATH).text


def test_an_incident_that_is_not_there_has_no_report(site: Site) -> None:
    answer = site.get(PATH)
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no incident of this id")


def test_nobody_without_a_key_reads_it(engine: Engine, add: Add) -> None:
    add_incident(add)
    with guarded(engine) as site:
        assert site.get(PATH).status_code == 401


@pytest.mark.browser
def test_in_a_browser_it_has_its_style_fits_a_phone_and_does_no_mischief(site: Site, add: Add) -> None:
    add_incident(add, HOSTILE_NAMES[2])
    with chromium() as browser, visit(browser) as visitor:
        visitor.page.set_viewport_size({"width": 390, "height": 844})
        said = visitor.open(site.url + PATH)
        assert f"{HOSTILE_NAMES[2]} is broken" in said
        assert (
            visitor.value_of("getComputedStyle(document.querySelector('.said')).borderLeftStyle") == "solid"
        )
        assert visitor.value_of("document.documentElement.scrollWidth") == 390
        assert visitor.misdeeds == []
