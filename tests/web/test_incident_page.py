"""The page of an incident and its forms: whoever may write says something by it, others are told why not."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from markupsafe import escape
from sqlalchemy import Engine

from service.monitor import HOUR_MS
from service.store.keys import Scope
from service.web.wording import iso
from tests.web.conftest import Add
from tests.web.seeding import HOSTILE_NAMES, NOW_MS, add_alert, add_finding, add_model, add_window
from tests.web.serving import Site
from tests.web.visitors import guarded, new_key

pytestmark = pytest.mark.postgres

PAGE = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def incident(add: Add) -> None:
    add(add_model, "churn")
    add(add_window, "churn", NOW_MS)
    add(add_finding, "churn", NOW_MS, feature="weight", value=2.0, verdict="drift")
    add(
        add_alert, "a", "churn", incident="i-1", cause="unit_change", feature="weight", fired_ms=NOW_MS,
        confidence=0.97, evidence={"factor": 2.2046}, summary="churn: weight is in pounds (10:00 to 10:05, 100 events)",
    )  # fmt: skip


def send(site: Site, incident: str = "i-1", **fields: str) -> httpx.Response:
    return site.client.post(f"/incidents/{incident}", data=fields, headers={"Origin": site.url})


def standing(site: Site) -> dict[str, Any]:
    shown: dict[str, Any] = site.get("/api/v1/incidents/i-1").json()["standing"]
    return shown


def heading(answer: httpx.Response) -> str:
    found = re.search("<h1>(.*?)</h1>", answer.text, re.DOTALL)
    assert found
    return re.sub("<[^>]*>", "", found[1])


# ---------------------------------------------------------------- looking
def test_the_sentence_is_the_heading_and_what_it_rests_on_follows(site: Site) -> None:
    shown = site.get("/incidents/i-1")
    assert shown.status_code == 200
    assert heading(shown) == "churn: weight is in pounds"
    for said in ("10:00 to 10:05, 100 events", "very sure (0.97 of 1)", "Nobody has it yet", "2.205",
                 "../feature?model=churn&amp;role=feature&amp;feature=weight", "roll back or repair the producer",
                 "0 of 1 false pages spent"):  # fmt: skip
        assert said in shown.text


def test_the_list_has_what_is_open_first_and_is_filtered(site: Site, add: Add) -> None:
    add(add_alert, "b", "fraud", incident="i-2", state="resolved", since_ms=NOW_MS, summary="all is mended")
    text = site.get("/incidents").text
    assert text.index("weight is in pounds") < text.index("all is mended")
    assert "nobody yet" in text
    only = site.get("/incidents", model="churn", state="open").text
    assert "weight is in pounds" in only
    assert "all is mended" not in only
    assert "weight is in pounds" not in site.get("/incidents", state="over").text
    assert "Nothing is open." in site.get("/incidents", model="fraud").text
    assert site.get("/incidents", state="lost").status_code == 422


def test_an_incident_that_is_not_there_is_not_found(site: Site) -> None:
    assert site.client.get("/incidents/none", headers=PAGE).status_code == 404
    assert send(site, "none", do="acknowledge").status_code == 404


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_text(site: Site, add: Add, name: str) -> None:
    add(
        add_alert,
        "h",
        name,
        incident="i-h",
        feature=name,
        segment=f"{name}={name}",
        summary=name,
        version=name,
    )
    for path in ("/incidents/i-h", "/incidents"):
        shown = site.get(path)
        assert shown.status_code == 200
        assert escape(name) in shown.text
        assert "<script>alert" not in shown.text


def test_a_link_to_an_incident_works_after_the_login(engine: Engine) -> None:
    with guarded(engine) as site:
        asked = site.client.get("/incidents/i-1", headers=PAGE)
        assert (asked.status_code, asked.headers["location"]) == (303, "../login?next=incidents%2Fi-1")
        form = {"key": new_key(engine), "next": "incidents/i-1"}
        opened = site.client.post("/login", data=form, headers={"Origin": site.url})
        assert opened.headers["location"] == "./incidents/i-1"
        shown = site.client.get("/incidents/i-1", headers=PAGE)
        assert heading(shown) == "churn: weight is in pounds"
        assert 'name="do"' not in shown.text
        assert "Your key may read only" in shown.text
        refused = send(site, do="acknowledge")
        assert refused.status_code == 403
        assert standing(site) == {"acknowledged": None, "silences": [], "silenced_there": [], "words": []}


# ---------------------------------------------------------------- saying
def test_a_form_says_what_the_api_says_and_comes_back(site: Site) -> None:
    answer = send(site, do="acknowledge", who="anna")
    assert (answer.status_code, answer.headers["location"]) == (303, "../incidents/i-1")
    assert standing(site)["acknowledged"]["who"] == "anna"
    send(site, do="silence", why="known", who="anna", **{"for": "4h"})
    (silence,) = standing(site)["silences"]
    assert silence["until_at"] == iso(NOW_MS + 4 * HOUR_MS)
    shown = site.get("/incidents/i-1").text
    assert "anna</bdi> has it" in shown
    assert "until 2026-11-22 04:00 UTC, by <bdi>anna" in shown
    assert "silent until 2026-11-22 04:00 UTC" in site.get("/incidents").text
    send(site, do="end", silence=str(silence["id"]))
    send(site, do="release", who="anna")
    assert (standing(site)["silences"], standing(site)["acknowledged"]) == ([], None)


def test_a_time_that_was_written_counts_before_the_choice(site: Site) -> None:
    send(site, do="silence", why="known", until=iso(NOW_MS + HOUR_MS), widely="true", **{"for": "4h"})
    (silence,) = standing(site)["silences"]
    assert silence["until_at"] == iso(NOW_MS + HOUR_MS)
    assert silence["covers"] == [["unit_change", "feature", "weight", ""]]


def test_what_was_expected_and_what_was_false_is_on_the_budget_as_such(site: Site) -> None:
    send(site, do="expect", why="new scales", **{"for": "open"})
    assert standing(site)["silences"][0]["until_at"] is None
    assert "until there is a new reference" in site.get("/incidents/i-1").text
    send(site, do="false-alarm", why="it was nothing")
    shown = site.get("/incidents/i-1").text
    assert "1 of 1 false pages spent (100 %)" in shown
    assert shown.index("false alarm</b>") < shown.index("expected</b>")


def test_what_is_wrong_with_a_form_is_said_on_the_page_and_nothing_is_done(site: Site) -> None:
    for fields, said in (
        ({"do": "silence", "for": "4h"}, "why: Field required"),
        ({"do": "silence", "why": "x", "until": "tomorrow"}, "until: write a time such as"),
        ({"do": "silence", "why": "x", "until": iso(NOW_MS)}, "the end must lie ahead"),
        ({"do": "accept", "why": "x", "from": "0", "to": "1"}, "tick that you have read"),
        ({"do": "end", "silence": "x"}, "this is no silence"),
        ({"do": "nonsense"}, "this page has no such form"),
    ):
        answer = send(site, **fields)
        assert (answer.status_code, said in answer.text) == (422, True), (fields, answer.text[:2_000])
    assert standing(site)["words"] == []


def test_no_foreign_page_says_anything(site: Site, engine: Engine) -> None:
    foreign = site.client.post(
        "/incidents/i-1", data={"do": "acknowledge"}, headers={"Origin": "https://evil"}
    )
    assert foreign.status_code == 403
    json = site.client.post("/incidents/i-1", json={"do": "acknowledge"})
    assert json.status_code == 415
    with guarded(engine) as asked:
        key = new_key(engine, Scope.WRITE)
        asked.client.post("/login", data={"key": key}, headers={"Origin": asked.url})
        assert asked.client.post("/incidents/i-1", data={"do": "acknowledge"}).status_code == 403
        assert send(asked, do="acknowledge").status_code == 303
    assert standing(site)["acknowledged"]["who"] == "somebody"
