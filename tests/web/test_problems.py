from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from service.embedded import EmbeddedPostgres
from service.store.engine import connect
from service.store.migrate import migrate
from service.web.app import create_app
from tests.web.conftest import Add
from tests.web.seeding import add_model
from tests.web.serving import Site, serving, site_of

pytestmark = pytest.mark.postgres

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/api/v1/models/none", "there is no model of this name"),
        ("/api/v1/monitors/none", "there is no monitor of a model of this name"),
        ("/api/v1/references/none", "there is no reference of this name"),
        ("/api/v1/alerts/none", "there is no alert of this id"),
        ("/api/v1/none", "there is nothing at this address"),
        ("/static/none.css", "there is nothing at this address"),
        ("/static/../app.py", "there is nothing at this address"),
        ("/docs", "there is nothing at this address"),
    ],
)
def test_what_is_not_there_is_a_404_with_a_sentence(site: Site, path: str, sentence: str) -> None:
    answer = site.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    assert answer.json() == {"type": "about:blank", "title": "Not Found", "status": 404, "detail": sentence}


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("findings?limit=0", "limit"),
        ("findings?limit=1001", "limit"),
        ("findings?limit=many", "limit"),
        ("findings?verdict=fine", "verdict"),
        ("findings?since=yesterday", "since"),
        ("findings?until=99999999999999999999", "until"),
        ("findings?since=-99999999999999", "since"),
        ("findings?model=%00", "model"),
        ("findings?model=" + "m" * 402, "model"),
        ("alerts?state=quiet", "state"),
        ("alerts?severity=loud", "severity"),
        ("alerts?modle=churn", "modle"),
        ("dead-letters?partition=-1", "partition"),
        ("models/%00", "model"),
        ("alerts/%00", "alert_id"),
    ],
)
def test_a_wrong_parameter_is_a_422_that_names_it(site: Site, path: str, parameter: str) -> None:
    answer = site.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert [mistake["parameter"] for mistake in answer.json()["mistakes"]] == [parameter]


def test_a_wrong_time_is_told_what_to_write(site: Site) -> None:
    detail = site.get("/api/v1/windows", since="yesterday").json()["detail"]
    assert detail == "since: write a time such as 2026-11-21T10:00:00Z, or milliseconds since 1970"


def test_other_methods_than_an_address_has_are_refused_with_those_it_has(site: Site) -> None:
    answer = site.client.post("/api/v1/models")
    assert (answer.status_code, answer.headers["content-type"], answer.headers["allow"]) == (
        405,
        PROBLEM,
        "GET, HEAD",
    )


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (
            "models?modle=churn",
            "modle: there is no such parameter; there are: cursor, format, limit",
        ),
        (
            "references?modle=churn",
            "modle: there is no such parameter; did you mean model? There are: cursor, format, limit, model",
        ),
    ],
)
def test_a_parameter_that_there_is_not_is_told_which_there_are(site: Site, path: str, sentence: str) -> None:
    assert site.get(f"/api/v1/{path}").json()["detail"] == sentence


@pytest.mark.parametrize(
    "path",
    [
        "models/Fraud-EU",
        "models/fruad%2FEU",
        "models/fruad%2FEU/budget",
        "models/fruad%2FEU/score",
        "labels?model=fruad/EU",
        "weak-slices?model=fruad/EU",
        "prediction-health?model=fruad/EU",
    ],
)
def test_a_model_of_another_spelling_is_named(site: Site, add: Add, path: str) -> None:
    add(add_model, "fraud/EU")
    add(add_model, "churn")
    answer = site.get(f"/api/v1/{path}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is no model of this name; did you mean fraud/EU?"


def test_a_model_that_is_like_none_is_not_guessed_at(site: Site, add: Add) -> None:
    add(add_model, "fraud/EU")
    assert site.get("/api/v1/models/weather").json()["detail"] == "there is no model of this name"


def test_a_database_without_tables_is_said_to_be_so(database: str) -> None:
    engine = connect(database)
    with site_of(engine) as site:
        answer = site.get("/api/v1/models")
        ready = site.get("/readyz")
    engine.dispose()
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert "run `driftbell migrate`" in answer.json()["detail"]
    assert ready.status_code == 503
    assert "run `driftbell migrate`" in ready.text


def test_when_the_database_stops_only_liveness_stays(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path, throwaway=True) as server:
        engine = connect(server.url)
        migrate(engine)
        with site_of(engine) as site:
            assert site.get("/readyz").text == "ready\n"
            server.__exit__(None, None, None)
            assert site.get("/healthz").status_code == 200
            ready = site.get("/readyz")
            assert (ready.status_code, "does not answer" in ready.text) == (503, True)
            answer = site.get("/api/v1/alerts")
            assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
            assert answer.headers["retry-after"] == "5"
            assert "does not answer" in answer.json()["detail"]
            assert "Traceback" not in answer.text
            page = site.client.get("/", headers={"Accept": "text/html"})
            assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
            metrics = site.get("/metrics")
            assert metrics.status_code == 200
            assert "driftbell_collect_errors_total 1.0" in metrics.text
        engine.dispose()


def test_this_process_may_call_itself_dead_or_not_ready(site: Site) -> None:
    assert site.get("/healthz").text == "alive\n"
    site.complaints |= {"alive": "the loop stands still", "ready": "the first scrape is not done"}
    assert (site.get("/healthz").status_code, site.get("/healthz").text) == (503, "the loop stands still\n")
    assert (site.get("/readyz").status_code, site.get("/readyz").text) == (
        503,
        "the first scrape is not done\n",
    )


def test_what_nobody_expected_is_a_500_without_its_traceback(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        message = "secret-42"
        raise RuntimeError(message)

    app = create_app(Site(engine).dependencies())
    app.add_api_route("/fail", fail)
    with serving(app) as url:
        answer = httpx.get(f"{url}/fail")
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert answer.json()["detail"] == "driftbell failed to answer; its log says why"
    assert "secret-42" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "secret-42" in caplog.text
    caplog.clear()
