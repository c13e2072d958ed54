"""A metric over time over the API: bases side by side, with intervals and ripeness."""

from __future__ import annotations

from typing import Any

import pytest

from service.web.api.performance_over_time import higher_is_better
from tests.web.conftest import Add
from tests.web.seeding import NOW_MS, WINDOW_MS, add_model, add_performance
from tests.web.serving import Site

pytestmark = pytest.mark.postgres


def told(site: Site, **asked: Any) -> dict[str, Any]:
    answer = site.get("/api/v1/performance-over-time", **{"model": "churn"} | asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_every_basis_has_a_place_for_each_window(site: Site, add: Add) -> None:
    add(add_model, "churn")
    for number, value in ((1, 0.75), (0, 0.5)):
        add(add_performance, "churn", NOW_MS - number * WINDOW_MS, metric="accuracy", value=value, n=40)
    add(add_performance, "churn", NOW_MS, metric="accuracy", basis="estimated", value=0.8, n=90)
    add(add_performance, "churn", NOW_MS, metric="roc_auc", value=0.9)
    found = told(site)
    assert (found["metric"], found["metrics"], found["higher_is_better"]) == (
        "accuracy",
        ["accuracy", "roc_auc"],
        True,
    )
    assert found["windows"]["ends_ms"] == [NOW_MS - WINDOW_MS, NOW_MS]
    by_basis = {one["basis"]: one for one in found["series"]}
    assert by_basis["realized"]["values"] == [0.75, 0.5]
    assert (by_basis["estimated"]["values"], by_basis["estimated"]["n"]) == ([None, 0.8], [None, 90])
    assert "score" in found["assumption"]


def test_another_metric_slice_or_time_is_told_when_it_is_asked_for(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_performance, "churn", NOW_MS, metric="accuracy", value=0.5)
    add(add_performance, "churn", NOW_MS, metric="brier", value=0.2)
    add(add_performance, "churn", NOW_MS, metric="accuracy", segment="country=DE", value=0.1)
    assert told(site, metric="brier")["series"][0]["values"] == [0.2]
    assert told(site, segment="country=DE")["series"][0]["values"] == [0.1]
    assert told(site, since=str(NOW_MS))["series"] == []
    assert told(site, version="none")["metric"] is None


def test_as_csv_each_value_is_a_row(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_performance, "churn", NOW_MS, metric="accuracy", value=0.5, low=0.4, high=0.6, n=7)
    lines = site.get("/api/v1/performance-over-time", model="churn", format="csv").text.splitlines()
    assert lines[0] == "version,basis,start_ms,end_ms,ripe,value,low,high,n,reason"
    assert lines[1:] == [f"1,realized,{NOW_MS - WINDOW_MS},{NOW_MS},false,0.5,0.4,0.6,7,"]


def test_a_model_that_nobody_knows_is_no_empty_chart(site: Site) -> None:
    assert site.get("/api/v1/performance-over-time", model="none").status_code == 404


BETTER = {"accuracy": True, "brier": False, "prevalence": None, "bias": None, "r2": True, "rmse": False}


@pytest.mark.parametrize("metric", BETTER)
def test_the_better_direction_is_known(metric: str) -> None:
    assert higher_is_better(metric) is BETTER[metric]
