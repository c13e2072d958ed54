"""Distributions and courses over the API: what panes count, as JSON and as CSV, and mistakes in plain words."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from service.monitor import MINUTE_MS, Monitor
from service.store.configuration import apply_monitors
from service.store.keys import Scope
from tests.fakes.answered import MINUTES, MODEL, T, Traffic, run
from tests.web.seeding import HOSTILE_NAMES
from tests.web.serving import Site
from tests.web.visitors import bearer, guarded, new_key

pytestmark = pytest.mark.postgres
END = T + MINUTES * MINUTE_MS


@pytest.fixture
def live(engine: Engine, tmp_path: Path) -> Traffic:
    made = Traffic(np.random.default_rng(2))
    made.country[:30] = "=HYPERLINK(1)"
    run(engine, Traffic(np.random.default_rng(1)), made, tmp_path)
    return made


def asked(site: Site, path: str, **parameters: Any) -> dict[str, Any]:
    answer = site.get(f"/api/v1/{path}", model=MODEL, **parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_a_distribution_says_what_it_is_of(site: Site, live: Traffic) -> None:
    found = asked(site, "distribution", feature="amount", since=T, until=END)
    assert (found["window"], found["since_ms"], found["until_ms"]) == ("5m", T, END)
    told = found["distribution"]
    assert (told["kind"], told["current"]["rows"], told["against"]["rows"]) == ("number", live.n, 3_000)
    assert told["against"]["origin"]["reference"] == "churn-ref"
    assert sum(bar["current"] for bar in told["bars"]) == live.n
    assert len(told["ecdf"]["points"]) == len(told["ecdf"]["current"]) == len(told["ecdf"]["against"])
    assert told["method"]


def test_the_last_complete_window_is_the_usual_one(site: Site, live: Traffic) -> None:
    found = asked(site, "distribution", feature="age")
    assert (found["since_ms"], found["until_ms"]) == (END - 5 * MINUTE_MS, END)
    assert found["distribution"]["current"]["rows"] == live.n // 6


def test_another_time_may_stand_in_for_the_reference(site: Site, live: Traffic) -> None:
    middle = T + 15 * MINUTE_MS
    found = asked(
        site, "distribution", feature="age", since=middle, until=END, against_since=T, against_until=middle
    )
    assert found["distribution"]["against"]["rows"] == live.n // 2
    assert found["distribution"]["against"]["origin"]["reference"] is None


def test_an_answer_is_named_by_its_role(site: Site, live: Traffic) -> None:
    found = asked(site, "distribution", role="prediction", feature="prediction", since=T, until=END)
    counts = {bar["name"]: bar["current"] for bar in found["distribution"]["bars"]}
    assert counts["yes"] == (live.says == "yes").sum()


def test_a_course_is_columnar(site: Site, live: Traffic) -> None:
    found = asked(site, "course", feature="amount", since=T, until=END)["course"]
    assert found["end_ms"] == [T + place * 5 * MINUTE_MS for place in range(1, 7)]
    assert found["rows"] == [live.n // 6] * 6
    assert set(found["missing"]) == {"null", "absent", "nan", "infinite", "empty", "wrong_type"}
    assert found["quantiles"]["0.5"][2] == pytest.approx(np.median(live.amount[1_000:1_500]), abs=1.5)
    assert found["reference"]["quantiles"]["0.5"] == pytest.approx(40, abs=3)


def test_usually_a_course_has_as_many_windows_as_points(site: Site, live: Traffic) -> None:
    assert live.n
    found = asked(site, "course", feature="country", points=12)
    assert (found["since_ms"], found["until_ms"]) == (END - 60 * MINUTE_MS, END)
    assert found["course"]["rows"] == [0] * 6 + [500] * 6
    assert found["course"]["names"][:3] != []


def test_both_are_tables_too(site: Site, live: Traffic) -> None:
    parameters = {"model": MODEL, "feature": "country", "since": T, "until": END, "format": "csv"}
    answer = site.get("/api/v1/distribution", **parameters)
    assert answer.headers["content-type"].startswith("text/csv")
    bars = table(answer.text)
    assert sum(int(bar["current"]) for bar in bars) == live.n
    points = table(site.get("/api/v1/course", **parameters).text)
    assert [point["rows"] for point in points] == [str(live.n // 6)] * 6
    assert points[0]["end"] == "2026-11-22T00:05:00Z"
    assert "category DE" in points[0]
    numbers = table(site.get("/api/v1/course", **parameters | {"feature": "age"}).text)
    assert float(numbers[0]["q50"]) == pytest.approx(np.median(live.age[:500]), abs=2)


def test_no_cell_of_a_table_is_a_formula(site: Site, engine: Engine, tmp_path: Path) -> None:
    usual = Traffic(np.random.default_rng(1))
    usual.country[:300] = "=HYPERLINK(1)"
    run(engine, usual, usual, tmp_path)
    parameters = {"model": MODEL, "feature": "country", "since": T, "until": END, "format": "csv"}
    for path in ("distribution", "course"):
        text = site.get(f"/api/v1/{path}", **parameters).text
        assert "'=HYPERLINK(1)" in text or "category =HYPERLINK(1)" in text
        assert not any(cell.startswith("=") for line in csv.reader(text.splitlines()) for cell in line)


def test_mistakes_are_said(site: Site, live: Traffic) -> None:
    assert live.n
    for path in ("distribution", "course"):
        assert site.get(f"/api/v1/{path}", model="nobody", feature="x").status_code == 404
        for parameters, sentence in (
            ({"feature": "age", "window": "7m"}, "this model has windows of 5m"),
            ({}, "feature: Field required"),
            ({"feature": "age", "since": END, "until": T}, "must lie before `until`"),
            ({"feature": "age", "role": "nothing"}, "role"),
            ({"feature": "age", "since": "noon"}, "write a time"),
        ):
            answer = site.get(f"/api/v1/{path}", model=MODEL, **parameters)
            assert answer.status_code == 422
            assert sentence in answer.json()["detail"]


def test_a_model_without_panes_and_reference_is_answered_with_reasons(site: Site, engine: Engine) -> None:
    for name in HOSTILE_NAMES:
        apply_monitors(engine, [Monitor(name)], [], 0)
        found = site.get("/api/v1/distribution", model=name, feature=name).json()
        assert (found["model"], found["feature"], found["distribution"]["kind"]) == (name, name, None)
        assert found["distribution"]["against"]["origin"]["reason"] == "the model has no reference yet"
        assert found["distribution"]["current"]["origin"]["reason"] == "no row of this time is stored"
        assert site.get("/api/v1/course", model=name, feature=name).json()["course"]["reference"] is None


def test_whoever_may_read_may_read_them(engine: Engine) -> None:
    apply_monitors(engine, [Monitor("m")], [], 0)
    with guarded(engine) as site:
        for path in ("/api/v1/distribution?model=m&feature=f", "/api/v1/course?model=m&feature=f"):
            assert site.client.get(path).status_code == 401
            assert site.client.get(path, headers=bearer(new_key(engine, Scope.READ))).status_code == 200
