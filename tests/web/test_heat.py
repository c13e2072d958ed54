"""Heat maps and scores of one column over the API."""

from __future__ import annotations

from typing import Any

import pytest

from service.monitor import DAY_MS, HOUR_MS, FeatureOverride, Monitor, WindowSpec
from service.store import window_heat
from tests.web.conftest import Add
from tests.web.seeding import (
    HOSTILE_NAMES,
    NOW_MS,
    WINDOW_MS,
    add_finding,
    add_model,
    add_reference,
    add_scored,
)
from tests.web.serving import Site

pytestmark = pytest.mark.postgres


def heat(site: Site, **asked: Any) -> dict[str, Any]:
    answer = site.get("/api/v1/heat", **{"model": "churn"} | asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def scores(site: Site, **asked: Any) -> dict[str, Any]:
    answer = site.get("/api/v1/scores", **{"model": "churn", "feature": "amount"} | asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_month_of_a_model_is_one_answer_of_parallel_lists(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_scored, "churn", NOW_MS - WINDOW_MS, {"amount": 0.5, "age": 0.25}, incomplete=True, revision=2)
    add(add_scored, "churn", NOW_MS, {"amount": 3.0})
    told = heat(site)
    assert (told["window"], told["merged"], told["columns_left_out"]) == ("5m", 1, 0)
    assert told["windows"] == {
        "starts_ms": [NOW_MS - 2 * WINDOW_MS, NOW_MS - WINDOW_MS], "ends_ms": [NOW_MS - WINDOW_MS, NOW_MS],
        "inferences": [100, 100], "labels": [3, 3], "incomplete": [True, False], "revisions": [2, 0],
        "references": ["churn-ref", "churn-ref"],
    }  # fmt: skip
    amount, age = told["columns"]
    assert amount == {
        "role": "feature", "name": "amount", "importance": None, "worst": 300, "rang": 1, "percents": [50, 300],
    }  # fmt: skip
    assert (age["name"], age["percents"]) == ("age", [25, None])


def test_only_the_windows_that_are_asked_for_are_told(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_scored, "churn", NOW_MS, {"amount": 0.1})
    add(add_scored, "churn", NOW_MS, {"amount": 0.2}, version="2")
    add(add_scored, "churn", NOW_MS, {"amount": 0.3}, segment="country=DE")
    add(add_scored, "churn", NOW_MS, {"amount": 0.4}, window="1h", length_ms=HOUR_MS)
    add(add_scored, "churn", NOW_MS - 2 * DAY_MS, {"amount": 0.5})
    add(add_scored, "fraud", NOW_MS, {"amount": 0.6})
    percents = {
        name: heat(site, **asked)["columns"][0]["percents"]
        for name, asked in {
            "2": {"version": "2"}, "DE": {"segment": "country=DE"}, "1h": {"window": "1h"},
            "old": {"since": NOW_MS - 3 * DAY_MS, "until": NOW_MS - DAY_MS},
        }.items()
    }  # fmt: skip
    assert percents == {"2": [20], "DE": [30], "1h": [40], "old": [50]}


def test_by_default_hourly_windows_are_told_of_a_month_and_shorter_ones_of_a_day(
    site: Site, add: Add
) -> None:
    add(add_model, "churn")
    for window, span in {"5m": DAY_MS, "1h": 30 * DAY_MS}.items():
        told = heat(site, window=window)
        assert (told["until_ms"], told["until_ms"] - told["since_ms"]) == (NOW_MS, span)
        assert (told["columns"], told["windows"]["ends_ms"]) == ([], [])


def test_the_shortest_kind_that_tumbles_is_told_of_by_default(site: Site, add: Add) -> None:
    windows = (WindowSpec(HOUR_MS, 60_000), WindowSpec.tumbling(DAY_MS))
    add(add_model, "churn", monitor=Monitor("churn", windows=windows))
    assert heat(site)["window"] == "1d"


def test_more_windows_than_points_are_merged_and_it_says_so(site: Site, add: Add) -> None:
    add(add_model, "churn")
    for back in range(5):
        add(add_scored, "churn", NOW_MS - back * WINDOW_MS, {"amount": 2.0 if back == 3 else 0.5})
    told = heat(site, points=2)
    assert (told["merged"], told["columns"][0]["percents"]) == (3, [200, 50])


def test_what_the_monitor_calls_important_comes_first(site: Site, add: Add) -> None:
    features = {"age": FeatureOverride(importance=3.0)}
    add(add_model, "churn", monitor=Monitor("churn", features=features))
    add(add_scored, "churn", NOW_MS, {"amount": 3.0, "age": 0.1})
    assert [(one["name"], one["importance"]) for one in heat(site)["columns"]] == [
        ("age", 3.0),
        ("amount", None),
    ]
    assert heat(site, columns=1)["columns_left_out"] == 1


def test_each_window_names_the_reference_that_was_in_force_when_it_began(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_reference, "newer", model="churn")
    add(add_model, "churn", number=2, since_ms=NOW_MS - WINDOW_MS, reference_name="newer")
    for back in (0, 1):
        add(add_scored, "churn", NOW_MS - back * WINDOW_MS, {"amount": 0.1})
    assert heat(site)["windows"]["references"] == ["churn-ref", "newer"]
    assert scores(site)["windows"]["references"] == ["churn-ref", "newer"]


def test_too_many_windows_are_refused_with_what_to_do(
    site: Site, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(add_model, "churn")
    for back in range(3):
        add(add_scored, "churn", NOW_MS - back * WINDOW_MS, {"amount": 0.1})
    monkeypatch.setattr(window_heat, "MOST_SLICE_WINDOWS", 2)
    answer = site.get("/api/v1/heat", model="churn")
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith("ask for a shorter time, or for a longer kind of window")


@pytest.mark.parametrize("path", ["heat", "scores"])
def test_an_unknown_model_is_said_to_be_none(site: Site, path: str) -> None:
    assert site.get(f"/api/v1/{path}", model="none").status_code == 404


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_come_back_as_they_are(site: Site, add: Add, name: str) -> None:
    add(add_model, name)
    add(add_scored, name, NOW_MS, {name: 0.5}, version=name, segment=name)
    asked = {"model": name, "version": name, "segment": name}
    assert heat(site, **asked)["columns"][0]["name"] == name
    assert scores(site, **asked, feature=name)["series"][0]["values"] == [0.1]


# ---------------------------------------------------------------- scores
def test_the_scores_of_a_column_are_lists_beside_the_windows(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_scored, "churn", NOW_MS - WINDOW_MS, {"age": 0.1}, incomplete=True)
    add(add_scored, "churn", NOW_MS, {"amount": 3.0})
    add(add_finding, "churn", NOW_MS, method="ks", value=float("inf"), limit=0.4, verdict="drift")
    told = scores(site)
    assert told["windows"] == {
        "starts_ms": [NOW_MS - 2 * WINDOW_MS, NOW_MS - WINDOW_MS], "ends_ms": [NOW_MS - WINDOW_MS, NOW_MS],
        "incomplete": [True, False], "references": ["churn-ref", "churn-ref"],
    }  # fmt: skip
    ks, psi = told["series"]
    assert (ks["method"], ks["values"], ks["limits"], ks["verdicts"]) == (
        "ks", [None, None], [None, 0.4], [None, "drift"],
    )  # fmt: skip
    assert psi["values"] == [None, pytest.approx(0.6)]
    assert (psi["p_values"], psi["n"], psi["m"]) == ([None, 0.01], [None, 100], [None, 10_000])


def test_scores_are_told_by_version_and_of_one_where_it_is_named(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_scored, "churn", NOW_MS - WINDOW_MS, {"amount": 0.5})
    add(add_scored, "churn", NOW_MS, {"amount": 0.5}, version="2")
    assert [(one["version"], one["values"]) for one in scores(site)["series"]] == [
        ("1", [0.1, None]), ("2", [None, 0.1]),
    ]  # fmt: skip
    assert [one["version"] for one in scores(site, version="2")["series"]] == ["2"]


def test_of_many_windows_the_newest_are_told(site: Site, add: Add) -> None:
    add(add_model, "churn")
    for back in range(3):
        add(add_scored, "churn", NOW_MS - back * WINDOW_MS, {"amount": 0.5})
    assert scores(site, points=2)["windows"]["ends_ms"] == [NOW_MS - WINDOW_MS, NOW_MS]


def test_what_is_said_of_the_whole_slice_has_no_role_and_no_name(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_scored, "churn", NOW_MS, {})
    add(add_finding, "churn", NOW_MS, role="", feature="", method="volume")
    assert [one["method"] for one in scores(site, role="", feature="")["series"]] == ["volume"]
    assert site.get("/api/v1/scores", model="churn", role="column").status_code == 422


@pytest.mark.parametrize("of", ["heat", "scores"])
def test_a_kind_of_window_that_there_is_not_is_refused_with_those_there_are(
    site: Site, add: Add, of: str
) -> None:
    add(add_model, "churn")
    asked = {"model": "churn", "feature": "amount", "window": "7m"}
    if of == "heat":
        del asked["feature"]
    answer = site.client.get(f"/api/v1/{of}", params=asked)
    assert answer.status_code == 422
    assert "this model has windows of 5m, 1h" in answer.json()["detail"]
