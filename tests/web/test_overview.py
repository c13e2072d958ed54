"""The overview over the API: who is worst comes first, and silence is no health."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, Budget, Monitor, WindowSpec
from service.store.marks import AlarmVerdict, add_mark
from service.store.statements import Statement
from tests.web import shop_window
from tests.web.conftest import Add
from tests.web.seeding import (
    HOSTILE_NAMES,
    NOW_MS,
    WINDOW_MS,
    add_alert,
    add_model,
    add_pane,
    add_scored,
    add_window,
)
from tests.web.serving import Site

pytestmark = pytest.mark.postgres


def overview(site: Site, **asked: Any) -> dict[str, Any]:
    answer = site.get("/api/v1/overview", **asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def the_one(site: Site) -> dict[str, Any]:
    (one,) = overview(site)["items"]
    found: dict[str, Any] = one
    return found


def names(told: dict[str, Any]) -> list[str]:
    return [one["model"] for one in told["items"]]


def test_the_worst_comes_first_with_the_state_and_sentence_that_the_model_has(site: Site, add: Add) -> None:
    shop_window.fill(add)
    told = overview(site)
    assert list(dict.fromkeys(one["state"] for one in told["items"])) == list(shop_window.STATES)
    for one in told["items"]:
        alone = site.get(f"/api/v1/models/{one['model']}").json()
        same = (
            "state",
            "sentence",
            "versions",
            "last_event_ms",
            "last_label_ms",
            "last_window_end_ms",
            "open_alerts",
        )
        assert {name: one[name] for name in same} == {name: alone[name] for name in same}
    assert told["totals"] == dict.fromkeys(shop_window.STATES, 1) | {"well": 2}


def test_pages_go_on_where_the_one_before_ended_worst_first_over_all(site: Site, add: Add) -> None:
    shop_window.fill(add)
    seen, cursor = [], {}
    while True:
        told = overview(site, limit=2, **cursor)
        seen += names(told)
        if told["next"] is None:
            break
        cursor = {"cursor": told["next"]}
    assert seen == names(overview(site))
    assert len(seen) == len(shop_window.STATES) + 1


@pytest.mark.parametrize("cursor", ["WyJhIl0", "WzEsMl0", "x"])
def test_a_cursor_of_another_listing_is_refused(site: Site, cursor: str) -> None:
    assert site.get("/api/v1/overview", cursor=cursor).status_code == 422


def test_a_state_and_a_part_of_the_name_may_be_asked_for(site: Site, add: Add) -> None:
    shop_window.fill(add)
    assert names(overview(site, state="silent")) == ["silent-model"]
    assert overview(site, state="silent")["totals"]["well"] == 2
    assert names(overview(site, q="LENT-mod")) == ["silent-model"]
    assert overview(site, q="LENT-mod")["totals"] == {"silent": 1}
    for nothing in ("%", "_", "none"):
        assert names(overview(site, q=nothing)) == []


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_come_back_as_they_are(site: Site, add: Add, name: str) -> None:
    add(add_model, name)
    assert names(overview(site, q=name)) == [name]


# ---------------------------------------------------------------- the spark
def test_the_spark_has_a_place_for_each_window_until_now_the_worst_of_all_versions(
    site: Site, add: Add
) -> None:
    add(add_model, "churn")
    add(add_scored, "churn", NOW_MS - 46 * WINDOW_MS, {"amount": 0.25})
    add(add_scored, "churn", NOW_MS - WINDOW_MS, {"amount": 3.0, "age": 0.1})
    add(add_scored, "churn", NOW_MS - WINDOW_MS, {"amount": 0.5}, version="2")
    add(add_scored, "churn", NOW_MS - WINDOW_MS, {"amount": 9.0}, segment="country=DE")
    add(add_scored, "churn", NOW_MS, {"amount": 9.0}, window="1h", length_ms=HOUR_MS)
    add(add_scored, "churn", NOW_MS - 48 * WINDOW_MS, {"amount": 9.0})
    spark = the_one(site)["spark"]
    assert (spark["window"], spark["every_ms"], spark["last_end_ms"]) == ("5m", WINDOW_MS, NOW_MS)
    assert spark["percents"] == [None, 25, *[None] * 44, 300, None]


def test_a_model_that_fell_silent_has_a_spark_that_ends_in_nothing(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_scored, "churn", NOW_MS - 40 * WINDOW_MS, {"amount": 0.1})
    site.now_ms += WINDOW_MS - 1
    assert the_one(site)["spark"]["percents"] == [*[None] * 7, 10, *[None] * 40]
    site.now_ms += 1
    assert the_one(site)["spark"]["percents"] == [*[None] * 6, 10, *[None] * 41]


def test_the_spark_is_of_the_shortest_windows_that_tumble(site: Site, add: Add) -> None:
    windows = (WindowSpec(HOUR_MS, MINUTE_MS), WindowSpec.tumbling(DAY_MS), WindowSpec.tumbling(2 * HOUR_MS))
    add(add_model, "churn", monitor=Monitor("churn", windows=windows))
    assert the_one(site)["spark"]["window"] == "2h"


# ---------------------------------------------------------------- traffic
def test_events_a_minute_are_those_of_the_last_complete_windows(site: Site, add: Add) -> None:
    add(add_model, "churn")
    for back, inferences in enumerate((50, 100, 150, 9_000)):
        add(add_scored, "churn", NOW_MS - back * WINDOW_MS, {}, inferences=inferences)
    assert the_one(site)["events_a_minute"] == 20
    add(add_scored, "churn", NOW_MS, {}, inferences=10_000, incomplete=True, version="2")
    assert the_one(site)["events_a_minute"] == pytest.approx((100 + 150 + 9_000) / 15)


def test_of_a_model_without_fresh_windows_nobody_knows_its_events_a_minute(site: Site, add: Add) -> None:
    add(add_model, "churn")
    assert the_one(site)["events_a_minute"] is None
    add(add_scored, "churn", NOW_MS, {})
    assert the_one(site)["events_a_minute"] == 20
    site.now_ms += 25 * MINUTE_MS + 1
    assert the_one(site)["events_a_minute"] is None


def test_a_model_whose_last_window_is_long_ago_still_says_when_that_was(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_pane, "churn", NOW_MS - 20 * DAY_MS)
    add(add_window, "churn", NOW_MS - 20 * DAY_MS)
    assert the_one(site)["last_window_end_ms"] == NOW_MS - 20 * DAY_MS


# ---------------------------------------------------------------- incidents and the budget
def test_the_worst_open_incident_is_told_by_its_sentence(site: Site, add: Add) -> None:
    add(add_model, "churn")
    assert (the_one(site)["open_incidents"], the_one(site)["worst_incidents"]) == (0, [])
    add(add_alert, "a", "churn", incident="i-pending", state="pending", summary="age may drift")
    add(add_alert, "b", "churn", incident="i-ticket", severity="ticket", summary="age drifts")
    add(add_alert, "c", "churn", incident="i-page", summary="pounds for kilograms", fired_ms=NOW_MS)
    add(
        add_alert, "d", "churn", incident="i-page", summary="answers moved", consequence=True, fired_ms=NOW_MS
    )
    add(add_alert, "e", "churn", incident="i-old", state="resolved", since_ms=0)
    add(add_alert, "f", "fraud", incident="i-other")
    told = the_one(site)
    assert told["open_incidents"] == 3
    assert [one["id"] for one in told["worst_incidents"]] == ["i-page", "i-ticket", "i-pending"]
    assert told["worst_incidents"][0] == {
        "id": "i-page", "summary": "pounds for kilograms", "severity": "page", "state": "firing",
        "since_ms": NOW_MS - WINDOW_MS, "acknowledged_by": None,
    }  # fmt: skip


def test_of_equally_bad_incidents_the_one_that_is_open_for_longest_is_told(site: Site, add: Add) -> None:
    add(add_model, "churn")
    for number in range(3):
        add(add_alert, f"a{number}", "churn", incident=f"i{number}", since_ms=NOW_MS - (number % 2) * HOUR_MS)
    assert [one["id"] for one in the_one(site)["worst_incidents"]] == ["i1", "i0", "i2"]


def test_the_budget_is_what_its_ledger_says(site: Site, add: Add, engine: Engine) -> None:
    add(add_model, "churn", monitor=Monitor("churn", budget=Budget(2.0, 7 * DAY_MS)))
    for number, fired_ms in enumerate((NOW_MS, NOW_MS - DAY_MS, NOW_MS - 6 * DAY_MS, NOW_MS - 8 * DAY_MS)):
        add(
            add_alert, f"a{number}", "churn", incident=f"i{number}", fired_ms=fired_ms,
            state="firing" if number == 0 else "resolved",
        )  # fmt: skip
    add_mark(engine, "i1", AlarmVerdict.FALSE_ALARM, Statement("anna", "planned"))
    add_mark(engine, "i2", AlarmVerdict.TRUE_ALARM, Statement("anna", "broken"))
    ledger = site.get("/api/v1/models/churn/budget").json()
    budget = the_one(site)["budget"]
    assert budget == {
        "promised": 2.0, "per_ms": 7 * DAY_MS, "marked_false": 1, "unmarked": 1, "spent": 0.5, "expected": 1.0,
    }  # fmt: skip
    assert {name: ledger[name] for name in ("promised", "marked_false", "unmarked", "spent", "expected")} == {
        name: value for name, value in budget.items() if name != "per_ms"
    }


def test_what_moved_by_itself_is_told_before_a_relation_that_broke(site: Site, add: Add) -> None:
    add(add_model, "churn")
    ticket = {"incident": "i-1", "severity": "ticket", "fired_ms": NOW_MS}
    add(add_alert, "a", "churn", **ticket, cause="correlation_break", confidence=0.6, summary="they parted")
    add(add_alert, "b", "churn", **ticket, cause="data_drift", confidence=0.5, summary="age has moved")
    assert [one["summary"] for one in the_one(site)["worst_incidents"]] == ["age has moved"]
