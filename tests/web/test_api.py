from __future__ import annotations

from urllib.parse import quote

import pytest

from service.monitor import HOUR_MS, MINUTE_MS, Monitor
from service.monitor_file import parse_monitors
from service.names import clean_name
from tests.web.conftest import Add
from tests.web.seeding import (
    HOSTILE_NAMES,
    NOW_MS,
    WINDOW_MS,
    add_alert,
    add_finding,
    add_model,
    add_pane,
    add_partition,
    add_performance,
    add_reference,
    add_window,
)
from tests.web.serving import Site

pytestmark = pytest.mark.postgres


def test_a_model_is_shown_with_its_last_news(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_pane, "churn", NOW_MS - 90_000, labels=0)
    add(add_pane, "churn", NOW_MS - 20 * MINUTE_MS, labels=3)
    add(add_pane, "churn", NOW_MS - 30_000, inferences=0, labels=1)
    add(add_window, "churn", NOW_MS - WINDOW_MS)
    add(add_window, "churn", NOW_MS - WINDOW_MS, version="2")
    add(add_alert, "a1", "churn", state="pending")
    shown = site.get("/api/v1/models/churn").json()
    assert shown["last_event_ms"] == NOW_MS - 90_000
    assert shown["last_label_ms"] == NOW_MS - 30_000
    assert shown["last_window_end_ms"] == NOW_MS - WINDOW_MS
    assert shown["versions"] == ["1", "2"]
    assert shown["state"] == "suspicion"
    assert shown["open_alerts"] == {"page": 0, "ticket": 0, "info": 0, "pending": 1, "silence": 0}
    assert site.items("models") == [shown]


def test_a_model_without_news_has_nulls_not_zeros(site: Site, add: Add) -> None:
    add(add_model, "new")
    shown = site.get("/api/v1/models/new").json()
    assert shown["last_event_ms"] is shown["last_label_ms"] is shown["last_window_end_ms"] is None
    assert (shown["state"], shown["versions"]) == ("waiting", [])


def test_the_newest_monitor_is_given_as_json_and_as_yaml(site: Site, add: Add) -> None:
    newest = Monitor("churn", segments=("country",))
    add(add_model, "churn")
    add(add_model, "churn", number=2, monitor=newest)
    assert site.get("/api/v1/monitors/churn").json()["number"] == 2
    answer = site.client.get("/api/v1/monitors/churn", headers={"Accept": "application/yaml"})
    assert answer.headers["content-type"].startswith("application/yaml")
    assert parse_monitors(answer.text, "answer") == (newest,)
    assert [item["number"] for item in site.items("monitors")] == [2]


def test_references_are_given_without_their_profiles(site: Site, add: Add) -> None:
    add(add_reference, "churn-2026-10", rows=7)
    add(add_reference, "fraud-2026-10", model="fraud")
    shown = site.get("/api/v1/references/churn-2026-10").json()
    assert (shown["rows"], "profile" in shown) == (7, False)
    assert [item["name"] for item in site.items("references", model="fraud")] == ["fraud-2026-10"]


def test_windows_and_findings_come_newest_first(site: Site, add: Add) -> None:
    for back in (2, 0, 1):
        add(add_window, "churn", NOW_MS - back * WINDOW_MS)
        add(add_finding, "churn", NOW_MS - back * WINDOW_MS)
    ends = [NOW_MS, NOW_MS - WINDOW_MS, NOW_MS - 2 * WINDOW_MS]
    assert [item["end_ms"] for item in site.items("windows")] == ends
    assert [item["end_ms"] for item in site.items("findings")] == ends


def test_numbers_that_are_not_finite_are_null_in_json(site: Site, add: Add) -> None:
    add(add_finding, "churn", NOW_MS, value=float("nan"), limit=float("inf"), resolution=float("-inf"))
    text = site.get("/api/v1/findings").text
    assert '"value":null,"limit":null' in text
    assert "NaN" not in text
    assert "Infinity" not in text


@pytest.mark.parametrize(
    ("filters", "features"),
    [
        ({"model": "churn"}, {"amount", "country", "prediction", ""}),
        ({"model": "fraud"}, {"age"}),
        ({"segment": "country=DE"}, {"country"}),
        ({"segment": ""}, {"amount", "prediction", "", "age"}),
        ({"version": "2"}, {"prediction"}),
        ({"window": "1h"}, {""}),
        ({"feature": "amount"}, {"amount"}),
        ({"method": "psi"}, {"country"}),
        ({"verdict": "drift"}, {"age"}),
        ({"model": "churn", "feature": "age"}, set()),
    ],
)
def test_findings_are_filtered(site: Site, add: Add, filters: dict[str, str], features: set[str]) -> None:
    add(add_finding, "churn", NOW_MS)
    add(add_finding, "churn", NOW_MS, feature="country", segment="country=DE", method="psi")
    add(add_finding, "churn", NOW_MS, role="prediction", feature="prediction", version="2")
    add(add_finding, "churn", NOW_MS, role="", feature="", window="1h", method="volume")
    add(add_finding, "fraud", NOW_MS, feature="age", verdict="drift")
    assert {item["feature"] for item in site.items("findings", **filters)} == features


def test_performance_is_filtered_and_comes_newest_first(site: Site, add: Add) -> None:
    for back in (1, 0):
        add(add_performance, "churn", NOW_MS - back * WINDOW_MS)
    add(add_performance, "churn", NOW_MS, metric="f1", segment="country=DE", value=None, reason="no_rows")
    assert [item["end_ms"] for item in site.items("performance", metric="accuracy")] == [
        NOW_MS,
        NOW_MS - WINDOW_MS,
    ]
    (item,) = site.items("performance", segment="country=DE")
    assert (item["value"], item["reason"]) == (None, "no_rows")
    assert site.items("performance", basis="estimated") == []


@pytest.mark.parametrize(
    ("times", "backs"),
    [
        ({"since": str(NOW_MS - HOUR_MS)}, [0]),
        ({"since": "2026-11-21T22:59:59Z", "until": "2026-11-21T23:00:00Z"}, [1]),
        ({"until": "2026-11-21T23:00:00"}, [1, 2]),
        ({"until": "2026-11-22T00:00:00+01:00"}, [1, 2]),
        ({"since": "2026-11-22"}, []),
    ],
)
def test_times_are_iso_or_milliseconds(site: Site, add: Add, times: dict[str, str], backs: list[int]) -> None:
    for back in (0, 1, 2):
        add(add_window, "churn", NOW_MS - back * HOUR_MS)
    ends = [NOW_MS - back * HOUR_MS for back in backs]
    assert [item["end_ms"] for item in site.items("windows", **times)] == ends


def test_a_plus_sign_that_arrives_as_a_space_is_still_an_offset(site: Site, add: Add) -> None:
    add(add_window, "churn", NOW_MS)
    answer = site.get("/api/v1/windows?since=2026-11-22T00:59:59+01:00")
    assert [item["end_ms"] for item in answer.json()["items"]] == [NOW_MS]


def test_alerts_are_filtered_and_found_by_id(site: Site, add: Add) -> None:
    add(add_alert, "a1", "churn")
    add(add_alert, "a2", "churn", state="resolved", severity="ticket", since_ms=NOW_MS - HOUR_MS)
    add(add_alert, "a3", "fraud", state="pending", cause="silence")
    assert [item["id"] for item in site.items("alerts")] == ["a3", "a1", "a2"]
    assert [item["id"] for item in site.items("alerts", state="firing")] == ["a1"]
    assert [item["id"] for item in site.items("alerts", severity="ticket")] == ["a2"]
    assert [item["id"] for item in site.items("alerts", cause="silence")] == ["a3"]
    assert [item["id"] for item in site.items("alerts", since=NOW_MS - 2 * WINDOW_MS)] == ["a3", "a1"]
    assert site.get("/api/v1/alerts/a2").json()["summary"] == "amount has drifted"


def test_partitions_show_lag_and_outcomes(site: Site, add: Add) -> None:
    add(add_partition, "events", 1, halted="the topic was made anew")
    add(add_partition, "events", 0)
    assert [item["partition"] for item in site.items("partitions")] == [0, 1]
    (halted,) = site.items("partitions", halted=True)
    assert (halted["halted"], halted["lag"], halted["accepted"]) == ("the topic was made anew", 3, 98)


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if clean_name(name) == name])
def test_a_model_of_any_clean_name_is_found_by_its_address(site: Site, add: Add, name: str) -> None:
    add(add_model, name)
    for listing in ("models", "monitors"):
        assert site.get(f"/api/v1/{listing}/{quote(name, safe='')}").json()["model"] == name


@pytest.mark.parametrize(
    "listing",
    [
        "models",
        "monitors",
        "references",
        "windows",
        "findings",
        "performance",
        "alerts",
        "incidents",
        "partitions",
        "dead-letters",
    ],
)
def test_an_empty_listing_is_empty(site: Site, listing: str) -> None:
    assert site.get(f"/api/v1/{listing}").json() == {"items": [], "next": None}


PAGES = {"text/html", "text/markdown"}
"""A report is for people; all else is for programs."""


def test_the_openapi_document_describes_every_route_and_its_problems(site: Site) -> None:
    document = site.get("/openapi.json").json()
    assert len(document["paths"]) == 54
    for answers in (route["responses"] for path in document["paths"].values() for route in path.values()):
        assert "application/problem+json" in answers["default"]["content"]
        told = answers["200"]["content"]
        assert told.keys() <= PAGES or told["application/json"]["schema"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
