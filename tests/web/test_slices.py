"""Versions and segments side by side over the API."""

from __future__ import annotations

import pytest

from tests.web.conftest import Add
from tests.web.seeding import NOW_MS, WINDOW_MS, add_model, add_performance, add_scored
from tests.web.serving import Site

pytestmark = pytest.mark.postgres


def test_each_slice_has_its_share_its_worst_score_and_its_performance(site: Site, add: Add) -> None:
    add(add_model, "churn")
    for number in range(2):
        end_ms = NOW_MS - number * WINDOW_MS
        add(add_scored, "churn", end_ms, {"amount": 0.5}, inferences=100)
        add(add_scored, "churn", end_ms, {"amount": 2.5 * number}, segment="country=DE", inferences=25)
    add(add_performance, "churn", NOW_MS, metric="accuracy", value=0.5, n=10)
    add(add_performance, "churn", NOW_MS - WINDOW_MS, metric="accuracy", value=0.8, n=30)
    whole, german = site.get("/api/v1/slices", model="churn").json()["items"]
    assert (whole["segment"], whole["windows"], whole["inferences"], whole["share"], whole["rang"]) == (
        "",
        2,
        200,
        1.0,
        0,
    )
    assert (whole["metric"], whole["realized_n"], whole["estimated"]) == ("accuracy", 40, None)
    assert whole["realized"] == pytest.approx((0.5 * 10 + 0.8 * 30) / 40)
    assert (german["segment"], german["share"], german["worst"], german["rang"]) == (
        "country=DE",
        0.25,
        2.5,
        1,
    )
    assert german["realized"] is None


def test_windows_of_another_kind_or_time_do_not_count(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_scored, "churn", NOW_MS, {"amount": 0.5})
    assert site.get("/api/v1/slices", model="churn", window="1h").json()["items"] == []
    assert site.get("/api/v1/slices", model="churn", since=str(NOW_MS)).json()["items"] == []
