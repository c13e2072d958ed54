"""`driftbell score` says how well a model is monitored, and asks a Prometheus when it is told to."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from sqlalchemy import Engine

from service.cli import score as command
from service.cli.main import main
from service.cli.prometheus import RULES, ask_prometheus
from service.errors import ConfigurationError
from service.monitor import DAY_MS, Monitor, Task, WindowSpec
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from service.store.partitions import ensure_partitions
from tests.web.seeding import NOW_MS, WINDOW_MS, add_finding, add_grid, add_model, add_performance, add_window
from tests.web.serving import serving

pytestmark = pytest.mark.postgres

HOOK = "https://hooks.example.com/secret-path"


@pytest.fixture
def engine(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", database)
    monkeypatch.setattr(command, "now_ms", lambda: NOW_MS)
    made = connect(database)
    migrate(made)
    ensure_partitions(made, NOW_MS - DAY_MS, NOW_MS + DAY_MS)
    with transaction(made) as connection:
        add_grid(connection)
    yield made
    made.dispose()


def watch(engine: Engine, model: str = "churn") -> None:
    """A window of a labelled model: its features compared, its answers measured."""
    monitor = Monitor(model, task=Task.BINARY, windows=(WindowSpec.tumbling(WINDOW_MS),))
    with transaction(engine) as connection:
        add_model(connection, model, monitor=monitor)
        add_window(connection, model, NOW_MS)
        add_performance(connection, model, NOW_MS)
        for method in ("evidence", "missing_absent"):
            add_finding(connection, model, NOW_MS, method=method, feature="amount", n=1_234)


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["score", *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def points(*arguments: str) -> list[float]:
    told = json.loads(run(*arguments, "--json").output)
    return [test["points"] for test in told["tests"]]


# ---------------------------------------------------------------- what is said
def test_a_long_name_goes_on_below(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_model(connection, "churn", reference_name="§" * 200)
    assert run("churn").output.count("§") == 4 * 200


def test_people_get_each_test_with_its_points_its_evidence_and_what_is_missing(engine: Engine) -> None:
    watch(engine)
    said = " ".join(run("churn").output.split())
    assert "3. training and serving are not skewed 0.5 - rule drift (evidence)" in said
    assert "1,234 rows in the 5m window" in said
    assert "2026-11-22T00:00:00Z" in said
    assert "1.5 of 7 points for monitoring; driftbell alone can show 5." in said
    assert "Who is told: this environment names no webhook" in said
    assert "(not seen here: training speed and RAM)" in said


def test_a_webhook_of_the_environment_makes_whole_points_and_is_not_shown(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(engine)
    assert points("churn") == [0, 0.5, 0.5, 0, 0, 0, 0.5]
    monkeypatch.setenv("DRIFTBELL_ALERT_WEBHOOK_URL", HOOK)
    assert points("churn") == [0.5, 1, 1, 0, 0, 0, 0.5]
    assert "secret-path" not in run("churn").output + run("churn", "--json").output


def test_programs_get_one_object(engine: Engine) -> None:
    watch(engine)
    told = json.loads(run("churn", "--json").output)
    assert (told["model"], told["at_ms"], told["points"], told["most"]) == ("churn", NOW_MS, 1.5, 5)
    assert told["tests"][2]["evidence"] == [
        {"rule": "drift", "methods": ["evidence"], "window": "5m", "end_ms": NOW_MS, "n": 1234, "columns": 1,
         "fresh": True}
    ]  # fmt: skip
    assert told["notification"]["reaches"] is False


@pytest.mark.usefixtures("engine")
def test_a_model_that_is_not_there_is_said_with_what_to_do() -> None:
    result = run("chrun", code=2)
    assert "there is no model 'chrun'; `driftbell export` shows the monitors that there are" in result.output


def test_names_are_shown_as_text_and_end_no_line(engine: Engine) -> None:
    name = "[red]a\n8.\x1b[2J"
    watch(engine, name)
    said = run(name).output
    assert "\x1b" not in said
    assert r"[red]a\n8.\x1b[2J" in said


# ---------------------------------------------------------------- Prometheus
@contextmanager
def prometheus(
    health: str = "ok", alertmanagers: int = 1, seen: str = '{model="churn"}', **changed: Any
) -> Iterator[str]:
    """What a Prometheus answers that has these rules, and series by these labels; gives its address."""
    rules = [{"name": name, "health": health, "type": "alerting"} for name in RULES]
    answers: dict[str, Any] = {
        "rules": {"groups": [{"name": "driftbell-models", "rules": rules}]},
        "alertmanagers": {"activeAlertmanagers": [{"url": "http://a"}] * alertmanagers},
    }
    app = FastAPI()

    @app.get("/prom/api/v1/query")
    def query(query: str) -> Any:
        found = [{}] if query == f"driftbell_last_event_timestamp_seconds{seen}" else []
        return {"status": "success", "data": {"resultType": "vector", "result": found}}

    @app.get("/prom/api/v1/{what}")
    def answer(what: str) -> Any:
        return {"status": "success", "data": (answers | changed)[what]}

    with serving(app) as url:
        yield f"{url}/prom"


def test_a_prometheus_that_rings_makes_whole_points(engine: Engine) -> None:
    watch(engine)
    with prometheus() as url:
        assert points("churn", "--prometheus", url) == [0.5, 1, 1, 0, 0, 0, 0.5]
        assert "hands them to 1 Alertmanager(s)" in " ".join(run("churn", "--prometheus", url).output.split())


@pytest.mark.parametrize(
    ("state", "lack"),
    [
        ({"health": "err"}, "does not evaluate DriftbellModelAlert"),
        ({"alertmanagers": 0}, "it knows no Alertmanager"),
    ],
)
def test_a_prometheus_that_tells_nobody_changes_nothing_but_says_what_it_lacks(
    engine: Engine, state: dict[str, Any], lack: str
) -> None:
    watch(engine)
    with prometheus(**state) as url:
        assert points("churn", "--prometheus", url) == points("churn")
        assert lack in " ".join(run("churn", "--prometheus", url).output.split())


def test_a_name_is_one_text_of_a_query_whatever_it_holds(engine: Engine) -> None:
    name = 'a"} or vector(1) or x{b="\\'
    watch(engine, name)
    with prometheus() as url:
        assert "it has no series of this model" in " ".join(run(name, "--prometheus", url).output.split())
    with prometheus(seen=r'{model="a\"} or vector(1) or x{b=\"\\"}') as url:
        assert "Prometheus scrapes the model" in " ".join(run(name, "--prometheus", url).output.split())


@pytest.mark.usefixtures("engine")
def test_what_is_no_prometheus_is_one_sentence() -> None:
    assert (
        "write a URL such as http://prometheus:9090" in run("a", "--prometheus", "file:///etc", code=2).output
    )
    assert "cannot be asked" in run("a", "--prometheus", "http://127.0.0.1:1", code=2).output
    with prometheus(rules=[]) as url:
        assert "does not answer as Prometheus does" in run("a", "--prometheus", url, code=2).output


def test_an_address_that_is_none_is_one_sentence_and_a_password_is_not_shown() -> None:
    for wrong in ("http://[", "http://a:b", "http://a:99999", "http://:9090", "http://"):
        with pytest.raises(ConfigurationError, match="write a URL such as http://prometheus:9090"):
            ask_prometheus(wrong, "churn")
    for secret in ("http://anna:hunter2@prometheus:9090", "http://anna:hunter2@[", "http://anna:hunter2@ a"):
        with pytest.raises(ConfigurationError, match="takes no user or password") as said:
            ask_prometheus(secret, "churn")
        assert "hunter2" not in str(said.value)


def test_a_redirect_is_not_followed() -> None:
    app = FastAPI()
    with prometheus() as url:

        @app.get("/{path:path}")
        def elsewhere(path: str) -> RedirectResponse:
            return RedirectResponse(f"{url.removesuffix('/prom')}/{path}")

        with serving(app) as away, pytest.raises(ConfigurationError, match="cannot be asked: HTTP Error 307"):
            ask_prometheus(f"{away}/prom", "churn")


def test_a_prometheus_that_sends_byte_by_byte_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                while True:
                    connection.sendall(b"H")
                    time.sleep(0.05)

        Thread(target=drip, daemon=True).start()
        begun = time.monotonic()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match=r"it has not answered within 0\.5 s"):
            ask_prometheus(url, "churn", within_seconds=0.5)
        assert time.monotonic() - begun < 5
