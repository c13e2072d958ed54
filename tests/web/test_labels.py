"""How labels come in, and what was found of labelled predictions, over the API."""

from __future__ import annotations

from sqlalchemy import Engine, insert

from service.monitor import LabelPolicy, Monitor, Task
from service.store.engine import transaction
from service.store.tables import join_share, label_delay
from tests.web.conftest import Add
from tests.web.seeding import (
    NOW_MS,
    WINDOW_MS,
    add_judged,
    add_model,
    add_performance,
    add_window,
)
from tests.web.serving import Site


def test_labels_of_a_model_with_the_coverage_of_its_windows(site: Site, add: Add, engine: Engine) -> None:
    add(add_model, "churn", monitor=Monitor("churn", task=Task.BINARY, labels=LabelPolicy(sample=0.5)))
    for back, labelled in ((1, 20), (2, 25)):
        add(add_window, "churn", NOW_MS - back * WINDOW_MS)
        add(add_performance, "churn", NOW_MS - back * WINDOW_MS, n=labelled)
        add(add_performance, "churn", NOW_MS - back * WINDOW_MS, basis="estimated", n=100)
    with transaction(engine) as connection:
        connection.execute(insert(label_delay).values(model="churn", bin=8 * 8 - 1, n=300))
        connection.execute(insert(join_share).values(model="churn", halvings=2, waiting=0, forgotten_ms=0))
    found = site.get("/api/v1/labels", model="churn").json()
    assert (found["labels"], found["ripe_after_ms"], found["judged_until_ms"]) == (300, 255_000, None)
    assert [one["coverage"] for one in found["windows"]] == [20 / 25, 1.0]
    assert [one["labelled"] for one in found["windows"]] == [20, 25]


def test_labels_of_a_model_that_is_not_there_are_not_found(site: Site) -> None:
    answer = site.get("/api/v1/labels", model="churn")
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


def test_findings_about_labelled_predictions_are_listed_the_latest_first(site: Site, add: Add) -> None:
    for back in range(3):
        add(add_judged, "churn", NOW_MS - back * WINDOW_MS, value=float("inf") if back == 1 else 3.0)
    add(add_judged, "churn", NOW_MS, segment="country=DE", method="evidence_subgroup", verdict="drift")
    first = site.get("/api/v1/performance-findings", model="churn", limit=3).json()
    rest = site.get("/api/v1/performance-findings", model="churn", limit=3, cursor=first["next"]).json()
    rows = [*first["items"], *rest["items"]]
    assert [row["end_ms"] for row in rows] == [NOW_MS, NOW_MS, NOW_MS - WINDOW_MS, NOW_MS - 2 * WINDOW_MS]
    assert rows[2]["value"] is None
    (rang,) = site.get("/api/v1/performance-findings", verdict="drift").json()["items"]
    assert rang["segment"] == "country=DE"
