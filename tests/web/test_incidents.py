"""Incidents over the API: told by their root, marked by whoever holds a key, counted against the budget."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from service.monitor import DAY_MS, HOUR_MS, Budget, Monitor
from service.store.keys import Scope
from tests.web.conftest import Add
from tests.web.seeding import HOSTILE_NAMES, NOW_MS, WINDOW_MS, add_alert, add_model
from tests.web.serving import Site
from tests.web.visitors import bearer, guarded, new_key

pytestmark = pytest.mark.postgres

FALSE = {"verdict": "false_alarm", "why": "planned price change"}


def add_page(connection: Any, incident: str, model: str = "churn", **changes: Any) -> None:
    """An incident of one alert that paged and is over."""
    usual = {"incident": incident, "state": "resolved", "fired_ms": NOW_MS}
    add_alert(connection, f"alert of {incident}", model, **usual | changes)


def mark(site: Site, incident: str, **order: Any) -> httpx.Response:
    return site.client.post(f"/api/v1/incidents/{incident}/mark", json=FALSE | order)


# ---------------------------------------------------------------- reading
def test_incidents_are_listed_and_filtered(site: Site, add: Add) -> None:
    add(add_page, "i-1", since_ms=NOW_MS - HOUR_MS, at_ms=NOW_MS - WINDOW_MS)
    add(add_alert, "a", "fraud", incident="i-2", cause="silence")
    shown = {item["id"]: item for item in site.items("incidents")}
    assert list(shown) == ["i-2", "i-1"]
    assert (shown["i-1"]["state"], shown["i-1"]["until_ms"]) == ("resolved", NOW_MS - WINDOW_MS)
    assert (shown["i-2"]["cause"], shown["i-2"]["until_ms"], shown["i-2"]["verdict"]) == (
        "silence",
        None,
        None,
    )
    assert [item["id"] for item in site.items("incidents", model="churn")] == ["i-1"]
    assert [item["id"] for item in site.items("incidents", open=True)] == ["i-2"]
    assert [item["id"] for item in site.items("incidents", open=False)] == ["i-1"]
    assert [item["id"] for item in site.items("incidents", since=NOW_MS - HOUR_MS)] == ["i-2"]


def test_one_is_shown_with_its_alerts_the_root_first_and_its_marks(site: Site, add: Add) -> None:
    add(add_alert, "scores", "churn", incident="i-1", consequence=True)
    add(
        add_alert,
        "unit",
        "churn",
        incident="i-1",
        confidence=0.97,
        evidence={"factor": 2.2046, "unit": "lb", "rows": 6},
    )
    mark(site, "i-1", why="first")
    mark(site, "i-1", why="second", verdict="true_alarm")
    shown = site.get("/api/v1/incidents/i-1").json()
    assert [alert["id"] for alert in shown["alerts"]] == ["unit", "scores"]
    assert shown["alerts"][0]["evidence"] == {"factor": 2.2046, "unit": "lb", "rows": 6}
    assert [one["why"] for one in shown["marks"]] == ["second", "first"]
    assert (shown["incident"]["verdict"], shown["incident"]["alerts"]) == ("true_alarm", 2)


def test_the_worst_effect_on_the_answers_is_told_or_none(site: Site, add: Add) -> None:
    calm, moved = (
        "its predictions have not moved so far",
        "its predictions moved with it: 23 % of them differ",
    )
    add(add_alert, "calm", "churn", incident="i-1", evidence={"effect": calm})
    add(add_alert, "moved", "churn", incident="i-1", evidence={"effect": moved, "predictions_moved": 0.23})
    add(add_alert, "unknown", "churn", incident="i-2")
    told = [site.get(f"/api/v1/incidents/{incident}").json()["effect"] for incident in ("i-1", "i-2")]
    assert told == [moved, None]


def test_alerts_tell_causes_from_consequences(site: Site, add: Add) -> None:
    add(add_alert, "scores", "churn", consequence=True)
    add(add_alert, "unit", "churn")
    assert [item["id"] for item in site.items("alerts", consequence=False)] == ["unit"]
    (alert,) = site.items("alerts", consequence=True)
    assert (alert["id"], alert["evidence"], alert["confidence"]) == ("scores", {}, None)


@pytest.mark.parametrize("path", ["incidents/none", "models/none/budget"])
def test_what_is_not_there_is_not_found(site: Site, path: str) -> None:
    answer = site.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"].startswith("there is no ")


# ---------------------------------------------------------------- marking
def test_a_mark_is_signed_with_the_name_of_the_key(engine: Engine, add: Add) -> None:
    add(add_page, "i-1")
    with guarded(engine) as site:
        site.client.headers = httpx.Headers(bearer(new_key(engine, Scope.WRITE, "pager")))
        made = mark(site, "i-1", why=" planned\n price  change ").json()
        named = mark(site, "i-1", who="anna").json()
        same = mark(site, "i-1", who="pager").json()
    assert (made["incident"], made["model"], made["verdict"]) == ("i-1", "churn", "false_alarm")
    assert made["why"] == "planned price change"
    assert [one["who"] for one in (made, named, same)] == ["pager", "anna (by the key pager)", "pager"]


def test_a_key_that_only_reads_marks_nothing(engine: Engine, add: Add) -> None:
    add(add_page, "i-1")
    with guarded(engine) as site:
        site.client.headers = httpx.Headers(bearer(new_key(engine, Scope.READ)))
        assert mark(site, "i-1").status_code == 403
        assert site.get("/api/v1/incidents/i-1").json()["marks"] == []


def test_without_keys_a_mark_tells_the_address_it_came_from(site: Site, add: Add) -> None:
    add(add_page, "i-1")
    assert mark(site, "i-1").json()["who"] == "somebody at 127.0.0.1"
    assert mark(site, "i-1", who="anna").json()["who"] == "anna"


def test_an_incident_that_is_not_there_is_not_marked(site: Site) -> None:
    answer = mark(site, "none")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is no incident of this id"


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "maybe"}, {"verdict": None}, {"why": ""}, {"why": " \n"}, {"why": "x" * 2_001},
        {"why": "\x1b[31m"}, {"why": "a\x00"}, {"who": "\u202e"}, {"who": "x" * 101}, {"when": "now"},
    ],
)  # fmt: skip
def test_an_order_with_a_mistake_marks_nothing(site: Site, add: Add, wrong: dict[str, Any]) -> None:
    add(add_page, "i-1")
    answer = mark(site, "i-1", **wrong)
    assert answer.status_code == 422
    assert next(iter(wrong)) in answer.json()["detail"]
    assert site.get("/api/v1/incidents/i-1").json()["marks"] == []


# ---------------------------------------------------------------- the budget
def test_the_ledger_holds_what_was_promised_against_what_came(site: Site, add: Add) -> None:
    add(add_model, "churn", monitor=Monitor("churn", budget=Budget(2.0, 7 * DAY_MS)))
    for incident, fired_ms in (("i-1", NOW_MS), ("i-2", NOW_MS - DAY_MS), ("old", NOW_MS - 8 * DAY_MS)):
        add(add_page, incident, fired_ms=fired_ms, since_ms=fired_ms)
        mark(site, incident) if incident != "i-2" else None
    shown = site.get("/api/v1/models/churn/budget").json()
    assert [one["id"] for one in shown.pop("incidents")] == ["i-1", "i-2"]
    assert shown == {
        "model": "churn", "since_ms": NOW_MS - 7 * DAY_MS, "until_ms": NOW_MS, "promised": 2.0, "paged": 2,
        "marked_false": 1, "marked_true": 0, "marked_expected": 0, "unmarked": 1, "spent": 0.5, "expected": 1.0,
    }  # fmt: skip


def test_a_model_that_never_paged_has_its_budget_whole(site: Site, add: Add) -> None:
    add(add_model, "a/b")
    shown = site.get("/api/v1/models/a%2Fb/budget").json()
    assert (shown["promised"], shown["paged"], shown["spent"], shown["incidents"]) == (1.0, 0, 0.0, [])
    assert site.get("/api/v1/models/a%2Fb").json()["model"] == "a/b"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_data(site: Site, add: Add, name: str) -> None:
    add(add_page, "i-1", model=name, feature=name, segment=f"{name}={name}", summary=name)
    (shown,) = site.items("incidents", model=name)
    assert (shown["summary"], shown["feature"], shown["model"]) == (name, name, name)
