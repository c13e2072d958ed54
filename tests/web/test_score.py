"""A model's score over the API: the same document that the command gives to programs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from service.cli import score as command
from service.cli.main import main
from service.monitor import Monitor, WindowSpec
from service.store.keys import Scope
from tests.web.conftest import Add
from tests.web.seeding import HOSTILE_NAMES, NOW_MS, WINDOW_MS, add_finding, add_model, add_window
from tests.web.serving import Site, site_of
from tests.web.visitors import bearer, guarded, new_key

pytestmark = pytest.mark.postgres


def watch(add: Add, model: str = "churn") -> None:
    add(add_model, model, monitor=Monitor(model, windows=(WindowSpec.tumbling(WINDOW_MS),)))
    add(add_window, model, NOW_MS)
    add(add_finding, model, NOW_MS, method="evidence")


def score(site: Site, model: str = "churn") -> dict[str, Any]:
    answer = site.get(f"/api/v1/models/{model}/score")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_each_of_seven_tests_is_told_with_its_evidence(site: Site, add: Add) -> None:
    watch(add)
    told = score(site)
    assert (told["model"], told["at_ms"], told["points"], told["most"]) == ("churn", NOW_MS, 0.5, 5)
    assert [test["number"] for test in told["tests"]] == [1, 2, 3, 4, 5, 6, 7]
    skew = told["tests"][2]
    assert (skew["points"], skew["evidence"][0]["methods"], skew["evidence"][0]["end_ms"]) == (
        0.5, ["evidence"], NOW_MS,
    )  # fmt: skip
    assert told["notification"]["reaches"] is False


def test_the_webhook_that_this_process_was_started_with_counts(engine: Engine, add: Add) -> None:
    watch(add)
    with site_of(engine, webhook=True) as site:
        told = score(site)
    assert (told["notification"]["reaches"], told["points"]) == (True, 1)


def test_an_answer_reads_nothing_from_the_environment(
    site: Site, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(add)
    monkeypatch.setenv("DRIFTBELL_ALERT_WEBHOOK_URL", "https://hooks.example.com/secret-path")
    assert score(site)["notification"]["reaches"] is False
    monkeypatch.setenv("DRIFTBELL_ALERT_WEBHOOK_URL", "no address")
    assert score(site)["points"] == 0.5


def test_time_takes_the_points_away(site: Site, add: Add) -> None:
    watch(add)
    site.now_ms += 10 * WINDOW_MS
    assert score(site)["points"] == 0


def test_the_command_says_the_same(
    site: Site, add: Add, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(add)
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setattr(command, "now_ms", lambda: NOW_MS)
    assert json.loads(CliRunner().invoke(main, ["score", "churn", "--json"]).output) == score(site)


@pytest.mark.parametrize("name", ["team/churn", *filter(str.isprintable, HOSTILE_NAMES)])
def test_names_with_slashes_and_worse_are_found(site: Site, add: Add, name: str) -> None:
    watch(add, name)
    address = site.client.base_url.join(f"/api/v1/models/{_escaped(name)}/score")
    assert site.client.get(address).json()["model"] == name


def _escaped(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


def test_a_model_that_is_not_there_is_a_problem(site: Site) -> None:
    answer = site.get("/api/v1/models/nobody/score")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_whoever_may_read_may_read_it(engine: Engine, add: Add) -> None:
    watch(add)
    with guarded(engine) as site:
        path = "/api/v1/models/churn/score"
        assert site.client.get(path).status_code == 401
        assert site.client.get(path, headers=bearer(new_key(engine, Scope.READ))).status_code == 200
