"""How much is missing over time over the API."""

from __future__ import annotations

import pytest

from tests.web.conftest import Add
from tests.web.seeding import NOW_MS, WINDOW_MS, add_finding, add_model, add_scored
from tests.web.serving import Site

pytestmark = pytest.mark.postgres


def test_the_kinds_of_missing_add_up_and_the_worst_column_comes_first(site: Site, add: Add) -> None:
    add(add_model, "churn")
    for number, nulls in ((1, 0.0), (0, 0.25)):
        end_ms = NOW_MS - number * WINDOW_MS
        add(add_scored, "churn", end_ms, {"amount": 0.1})
        add(add_finding, "churn", end_ms, method="missing_null", value=nulls)
        add(add_finding, "churn", end_ms, method="missing_nan", value=0.125)
        add(add_finding, "churn", end_ms, feature="age", method="missing_null", value=0.0)
        add(add_finding, "churn", end_ms, feature="city", method="missing_empty", value=0.5)
    told = site.get("/api/v1/missing-over-time", model="churn").json()
    assert told["ends_ms"] == [NOW_MS - WINDOW_MS, NOW_MS]
    assert [(one["name"], one["shares"]) for one in told["columns"]] == [
        ("city", [0.5, 0.5]),
        ("amount", [0.125, 0.375]),
    ]
    assert told["columns_with_any"] == 2


def test_two_versions_count_by_their_rows(site: Site, add: Add) -> None:
    add(add_model, "churn")
    for version, n, share in (("1", 300, 0.0), ("2", 100, 1.0)):
        add(add_scored, "churn", NOW_MS, {"amount": 0.1}, version=version)
        add(add_finding, "churn", NOW_MS, version=version, method="missing_null", value=share, n=n)
    assert site.get("/api/v1/missing-over-time", model="churn").json()["columns"][0]["shares"] == [0.25]


def test_of_too_many_windows_some_are_told_the_last_among_them(site: Site, add: Add) -> None:
    add(add_model, "churn")
    ends = [NOW_MS - number * WINDOW_MS for number in range(10)][::-1]
    for end_ms in ends:
        add(add_scored, "churn", end_ms, {"amount": 0.1})
        add(add_finding, "churn", end_ms, method="missing_null", value=0.1)
    assert site.get("/api/v1/missing-over-time", model="churn", points=4).json()["ends_ms"] == ends[0::3]
