"""Predictions to label and advice to train again over the API: filtered, page by page, the newest first."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, insert

from service.store.tables import feedback, retraining
from tests.web.conftest import Add
from tests.web.seeding import HOSTILE_NAMES, NOW_MS, WINDOW_MS
from tests.web.serving import Site

pytestmark = pytest.mark.postgres


def add_feedback(connection: Connection, inference_id: str, model: str = "churn", **changes: Any) -> None:
    usual = {
        "version": "1", "window": "5m", "end_ms": NOW_MS, "kind": "uncertain", "ts_ms": NOW_MS - 1, "value": 0.5,
        "features": {"amount": 2.5}, "answer": {"label": "yes"}, "why": "its score is 0.5",
    }  # fmt: skip
    row = usual | changes | {"model": model, "inference_id": inference_id}
    connection.execute(insert(feedback).values(row))


def add_retraining(connection: Connection, model: str = "churn", **changes: Any) -> None:
    usual = {
        "version": "1", "alert_id": "a-1", "incident": "i-1", "cause": "concept_drift", "since_ms": NOW_MS - WINDOW_MS,
        "at_ms": NOW_MS, "summary": "train", "labels": 60,
        "spans": [{"from_ms": NOW_MS - WINDOW_MS, "until_ms": NOW_MS, "labels": 60}],
    }  # fmt: skip
    connection.execute(insert(retraining).values(usual | changes | {"model": model}))


def shown(site: Site, **asked: Any) -> list[str]:
    return [item["inference_id"] for item in site.items("feedback", **asked)]


def test_predictions_to_label_are_filtered_and_the_newest_comes_first(site: Site, add: Add) -> None:
    add(add_feedback, "p-1", end_ms=NOW_MS - WINDOW_MS)
    add(add_feedback, "p-2", kind="random", value=None)
    add(add_feedback, "p-3", "fraud")
    assert shown(site) == ["p-3", "p-2", "p-1"]
    assert shown(site, model="churn") == ["p-2", "p-1"]
    assert shown(site, kind="random") == ["p-2"]
    assert shown(site, since=NOW_MS - WINDOW_MS) == ["p-3", "p-2"]
    assert shown(site, since="2026-11-22T00:00:00Z") == []
    (item,) = site.items("feedback", kind="random")
    assert (item["features"], item["answer"], item["value"], item["sent_at"]) == (
        {"amount": 2.5}, {"label": "yes"}, None, None,
    )  # fmt: skip


def test_pages_follow_each_other(site: Site, add: Add) -> None:
    for number in range(5):
        add(add_feedback, f"p-{number}")
    first = site.get("/api/v1/feedback", limit=3).json()
    second = site.get("/api/v1/feedback", limit=3, cursor=first["next"]).json()
    assert [item["inference_id"] for item in first["items"] + second["items"]] == [
        "p-4",
        "p-3",
        "p-2",
        "p-1",
        "p-0",
    ]
    assert second["next"] is None


def test_advice_to_train_again_is_listed_by_model(site: Site, add: Add) -> None:
    add(add_retraining)
    add(add_retraining, "fraud", spans=[], labels=0, ready_ms=NOW_MS + 1)
    assert [(item["model"], item["labels"], item["ready_ms"]) for item in site.items("retraining")] == [
        ("fraud", 0, NOW_MS + 1), ("churn", 60, None),
    ]  # fmt: skip
    (item,) = site.items("retraining", model="churn")
    assert item["spans"] == [{"from_ms": NOW_MS - WINDOW_MS, "until_ms": NOW_MS, "labels": 60}]


@pytest.mark.parametrize("listing", ["feedback", "retraining"])
def test_what_cannot_be_asked_is_a_problem(site: Site, listing: str) -> None:
    assert site.get(f"/api/v1/{listing}").json() == {"items": [], "next": None}
    assert site.get(f"/api/v1/{listing}", nonsense=1).status_code == 422
    assert site.get(f"/api/v1/{listing}", cursor="x").status_code == 422
    assert site.get("/api/v1/feedback", kind="curious").status_code == 422


def test_ids_and_features_of_any_kind_are_text(site: Site, add: Add) -> None:
    for number, name in enumerate(HOSTILE_NAMES):
        add(add_feedback, name, features={name: name}, answer={"label": name}, why=name, value=float(number))
    assert sorted(shown(site)) == sorted(HOSTILE_NAMES)
