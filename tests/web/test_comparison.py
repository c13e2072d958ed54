"""Two versions side by side, over the API."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from service.monitor import DAY_MS
from service.store.engine import transaction
from tests.store.two_versions import T, side_by_side
from tests.web.seeding import HOSTILE_NAMES
from tests.web.serving import Site, site_of

pytestmark = pytest.mark.postgres


@pytest.fixture
def stored(engine: Engine) -> Engine:
    """Only grids that can be read."""
    with transaction(engine) as connection:
        connection.exec_driver_sql("DELETE FROM grid")
    return engine


def test_it_says_which_is_better_and_how_they_differ(stored: Engine, site: Site) -> None:
    side_by_side(stored, {"7": 50, "8": 100}, hours=4)
    answer = site.get("/api/v1/comparison", model="churn", version="8", against="7")
    assert answer.status_code == 200
    told = answer.json()
    assert told["verdict"].startswith("8 is worse than 7: its error rate is 20.00% against 10.00%")
    assert told["comparison"]["standing"] == "worse"
    assert 0 < told["comparison"]["low"] < told["comparison"]["difference"] < told["comparison"]["high"]
    assert {one["segment"] for one in told["segments"]} == {"country=DE", "country=FR"}
    assert [one["column"] for one in told["answers"]["columns"]] == ["prediction", "score", "latency_ms"]
    assert "accuracy" in {one["metric"] for one in told["metrics"]}


def test_a_segment_a_time_and_a_margin_may_be_chosen(stored: Engine, site: Site) -> None:
    side_by_side(stored, {"7": 50, "8": 50}, hours=4)
    asked = {"model": "churn", "since": str(T + 2 * 3_600_000), "segment": "country=FR", "margin": "0.5"}
    told = site.get("/api/v1/comparison", **asked).json()
    assert (told["segment"], told["hours"], told["comparison"]["standing"]) == ("country=FR", 2, "alike")


def test_a_start_at_the_border_of_what_is_kept_is_remarked(stored: Engine) -> None:
    side_by_side(stored, {"7": 50, "8": 50}, hours=2)
    with site_of(stored, results_kept_ms=DAY_MS) as site:
        site.now_ms = T + DAY_MS
        assert "are deleted" in site.get("/api/v1/comparison", model="churn").json()["remark"]
        site.now_ms = T - DAY_MS
        assert site.get("/api/v1/comparison", model="churn").json()["remark"] is None


def test_what_is_not_there_is_a_problem_with_a_sentence(site: Site) -> None:
    answer = site.get("/api/v1/comparison", model=HOSTILE_NAMES[2])
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "needs traffic of two versions" in answer.json()["detail"]


def test_more_than_one_answer_may_read_is_refused_with_what_to_do(
    stored: Engine, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.web.api.comparison.MOST_OUTCOMES", 3)
    side_by_side(stored, {"7": 5, "8": 5}, hours=1, rows=20)
    answer = site.get("/api/v1/comparison", model="churn")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "ask for a later time" in answer.json()["detail"]


@pytest.mark.parametrize("table", ["grid SET definition", "pane SET sketch", "outcome SET sketch"])
def test_what_is_stored_and_cannot_be_read_is_said_in_a_sentence(
    stored: Engine, site: Site, table: str
) -> None:
    side_by_side(stored, {"7": 5, "8": 5}, hours=1, rows=20)
    with transaction(stored) as connection:
        connection.exec_driver_sql(f"UPDATE {table} = 'nonsense'")
    answer = site.get("/api/v1/comparison", model="churn")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("what is stored of this model cannot be read: ")


@pytest.mark.parametrize(
    "wrong", [{}, {"model": "m", "margin": "0"}, {"model": "m", "margin": "nan"}, {"model": "m", "x": "1"}]
)
def test_parameters_that_mean_nothing_are_refused(site: Site, wrong: dict[str, str]) -> None:
    assert site.get("/api/v1/comparison", **wrong).status_code == 422
