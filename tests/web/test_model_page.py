"""The page of a model as text: what is open, and what was in the time that is looked at, however long ago it began."""

from __future__ import annotations

import re

import pytest

from service.monitor import DAY_MS, HOUR_MS, Budget, Monitor
from tests.web.conftest import Add
from tests.web.seeding import NOW_MS, add_alert, add_model
from tests.web.serving import Site

pytestmark = pytest.mark.postgres


def add_incident(add: Add, name: str, since_ms: int, until_ms: int | None, **changes: object) -> None:
    """One alert that fired an hour after it began, and is over unless there is no end."""
    add(
        add_alert, name, "churn", incident=name, summary=f"{name} is broken", since_ms=since_ms,
        fired_ms=since_ms + HOUR_MS, at_ms=NOW_MS if until_ms is None else until_ms,
        state="firing" if until_ms is None else "resolved", **changes,
    )  # fmt: skip


def counted(page: str, name: str) -> int:
    return page.count(f"{name} is broken")


def test_what_began_long_before_many_others_is_shown_while_it_is_open(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add_incident(add, "weeks", NOW_MS - 21 * DAY_MS, None)
    for number in range(201):
        add_incident(add, f"n{number}", NOW_MS - 10 * DAY_MS + number, NOW_MS - 9 * DAY_MS + number)
    page = site.get("/models/churn").text
    assert (counted(page, "weeks"), counted(page, "n200")) == (2, 0)
    assert "1 alert in this time" in page


def test_a_model_whose_only_monitor_lies_ahead_has_a_page_and_a_budget(site: Site, add: Add) -> None:
    add(add_model, "churn", since_ms=NOW_MS + HOUR_MS, monitor=Monitor("churn", budget=Budget(2.0, DAY_MS)))
    assert "of 2 allowed were false" in site.get("/models/churn").text
    assert site.get("/api/v1/models/churn/budget").json()["promised"] == 2.0


def test_a_time_long_ago_has_what_was_open_then_and_what_is_now(site: Site, add: Add) -> None:
    add(add_model, "churn")
    month_ms = NOW_MS - 30 * DAY_MS
    add_incident(add, "then", month_ms - DAY_MS, month_ms + DAY_MS)
    add_incident(add, "elsewhere", month_ms - DAY_MS, month_ms + DAY_MS, segment="country=DE")
    add_incident(add, "follows", month_ms - DAY_MS, month_ms + DAY_MS, consequence=True)
    add_incident(add, "before", month_ms - 3 * DAY_MS, month_ms - 2 * DAY_MS)
    add_incident(add, "today", NOW_MS - DAY_MS, None)
    for number in range(201):
        add_incident(add, f"n{number}", NOW_MS - 10 * DAY_MS + number, NOW_MS - 9 * DAY_MS + number)
    page = site.get("/models/churn", since=month_ms, until=month_ms + HOUR_MS).text
    found = {
        name: counted(page, name) for name in ("then", "elsewhere", "follows", "before", "today", "n200")
    }
    assert found == {"then": 2, "elsewhere": 1, "follows": 1, "before": 0, "today": 1, "n200": 0}
    assert "1 alert in this time" in page


def test_the_heat_map_and_the_volume_are_drawn_of_one_answer(site: Site, add: Add) -> None:
    add(add_model, "churn")
    asked = re.findall(r'data-source="[^"]*(api/v1/heat[^"]*)"', site.get("/models/churn").text)
    assert (len(asked), len(set(asked))) == (2, 1)
