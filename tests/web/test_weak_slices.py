"""Weak slices and the health of answers over the API, of traffic that went the whole way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from service.monitor import MINUTE_MS, Monitor, Task
from service.store.engine import transaction
from tests.fakes.answered import MINUTES, MODEL, T, Traffic, run
from tests.web.conftest import Add
from tests.web.seeding import add_model
from tests.web.serving import Site

pytestmark = pytest.mark.postgres
HOUR = {"since": str(T), "until": str(T + MINUTES * MINUTE_MS)}


def test_weak_slices_are_told_with_their_figures_and_a_sentence(
    engine: Engine, site: Site, tmp_path: Path
) -> None:
    run(engine, Traffic(np.random.default_rng(1)), Traffic(np.random.default_rng(2)), tmp_path)
    report = site.get("/api/v1/weak-slices", model=MODEL, **HOUR).json()
    (one,) = report["slices"]
    amount, country = one["where"]
    assert (country["feature"], country["value"]) == ("country", "DE")
    assert amount["low"] == pytest.approx(40, abs=3)
    assert one["elsewhere"] < one["bound"] < one["loss"]
    assert one["sentence"].startswith("amount from 4")
    assert (report["loss"], report["reason"], report["panes"]) == ("wrong", None, MINUTES)
    assert (
        site.get("/api/v1/weak-slices", model=MODEL, since=str(T - 60_000), until=str(T)).json()["slices"]
        == []
    )
    site.now_ms = T + MINUTES * MINUTE_MS
    assert site.get("/api/v1/weak-slices", model=MODEL).json() == report


def test_a_model_without_a_task_has_a_reason_and_none_at_all_is_not_found(
    engine: Engine, site: Site, tmp_path: Path
) -> None:
    traffic = Traffic(np.random.default_rng(1), 400)
    run(engine, traffic, traffic, tmp_path, task=Task.NONE)
    assert site.get("/api/v1/weak-slices", model=MODEL).json()["reason"] == "no_task"
    for path in ("weak-slices", "prediction-health"):
        answer = site.get(f"/api/v1/{path}", model="nobody")
        assert (answer.status_code, answer.json()["detail"]) == (404, "there is no model of this name")
        assert site.get(f"/api/v1/{path}").status_code == 422


@pytest.mark.parametrize("path", ["weak-slices", "prediction-health"])
def test_a_sketch_that_cannot_be_read_is_said_in_a_sentence(
    engine: Engine, site: Site, tmp_path: Path, path: str
) -> None:
    traffic = Traffic(np.random.default_rng(1), 400)
    run(engine, traffic, traffic, tmp_path)
    with transaction(engine) as connection:
        connection.exec_driver_sql("UPDATE pane SET sketch = 'nonsense'")
    answer = site.get(f"/api/v1/{path}", model=MODEL, **HOUR)
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("what is stored of this model cannot be read: ")


@pytest.mark.parametrize("path", ["weak-slices", "prediction-health"])
def test_what_is_stored_and_cannot_be_read_is_said_in_a_sentence(site: Site, add: Add, path: str) -> None:
    add(add_model, "broken", monitor=Monitor("broken", task=Task.BINARY))
    answer = site.get(f"/api/v1/{path}", model="broken")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("what is stored of this model cannot be read: ")


def test_the_health_of_answers_is_told_line_by_line_beside_the_reference(
    engine: Engine, site: Site, tmp_path: Path
) -> None:
    live = Traffic(np.random.default_rng(2))
    live.version[: live.n // 2] = "6"
    live.score[: live.n // 2] = 0.25
    run(engine, Traffic(np.random.default_rng(1)), live, tmp_path)
    everything, old, new = (
        site.get("/api/v1/prediction-health", model=MODEL, **HOUR, **more).json()
        for more in ({}, {"version": "6"}, {"version": "7"})
    )
    assert [one["inferences"] for one in (everything, old, new)] == [live.n, live.n // 2, live.n // 2]
    words = [
        {line["name"]: line["word"] for line in one["lines"]}["commonest_answer"]
        for one in (everything, old, new)
    ]
    assert words == ["higher than usual", "stuck: nearly every answer is the same", "as usual"]
    german = site.get("/api/v1/prediction-health", model=MODEL, segment="country=DE", **HOUR).json()
    assert german["inferences"] == (live.country == "DE").sum()
    site.now_ms = T + MINUTES * MINUTE_MS
    assert site.get("/api/v1/prediction-health", model=MODEL).json() == everything
