"""`driftbell incidents`: what a person sees who was woken, and what they say of it."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from service.cli.main import main
from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, Budget, Monitor
from service.store.configuration import apply_monitors
from service.store.engine import transaction
from service.store.marks import marks_of
from service.wiring import now_ms
from tests.web.seeding import HOSTILE_NAMES, add_alert

pytestmark = pytest.mark.postgres

NOW_MS = now_ms() // MINUTE_MS * MINUTE_MS
Put = Callable[..., None]
Run = Callable[..., Result]


@pytest.fixture
def run(engine: Engine) -> Run:
    environment = {"DRIFTBELL_DATABASE_URL": engine.url.render_as_string(hide_password=False)}
    return lambda *arguments: CliRunner(env=environment).invoke(main, ["incidents", *arguments])


@pytest.fixture
def put(engine: Engine) -> Put:
    """An alert of an incident that paged an hour ago and is over."""

    def call(alert_id: str, incident: str = "i-1", model: str = "churn", **changes: Any) -> None:
        at_ms = NOW_MS - HOUR_MS
        usual = {"state": "resolved", "since_ms": at_ms, "at_ms": at_ms, "fired_ms": at_ms}
        with transaction(engine) as connection:
            add_alert(connection, alert_id, model, incident=incident, **usual | changes)

    return call


# ---------------------------------------------------------------- looking
def test_open_incidents_are_listed_first(run: Run, put: Put) -> None:
    put("a", "i-over", since_ms=NOW_MS)
    put(
        "b",
        "i-open",
        state="firing",
        since_ms=NOW_MS - DAY_MS,
        cause="unit_change",
        summary="weight is in lb",
    )
    put("c", "i-suspect", state="pending", since_ms=NOW_MS - 2 * DAY_MS, fired_ms=None, severity="ticket")
    head, *lines = run("list").output.splitlines()
    assert head.split()[:3] == ["incident", "model", "since"]
    assert [line.split()[0] for line in lines] == ["i-open", "i-suspect", "i-over"]
    assert lines[0].split()[4:8] == ["open", "page", "unit_change", "1"]
    assert lines[0].rstrip().endswith("weight is in lb")
    assert lines[1].split()[4:6] == ["pending", "ticket"]


def test_a_list_is_as_long_as_asked_for(run: Run, put: Put) -> None:
    for number in range(3):
        put(f"a{number}", f"i-{number}", state="firing" if number == 0 else "resolved")
    put("other", "i-other", model="fraud")
    put("old", "i-old", since_ms=NOW_MS - 3 * DAY_MS)
    ids = [
        [json.loads(line)["id"] for line in run("list", "--json", *options).stdout.splitlines()]
        for options in (
            ["--open"],
            ["--limit", "2", "--model", "churn"],
            ["--model", "churn", "--since", "2d"],
        )
    ]
    assert ids == [["i-0"], ["i-0", "i-2"], ["i-0", "i-2", "i-1"]]
    assert run("list", "--open", "--model", "fraud").output == "no open incidents\n"
    assert run("list", "--model", "none").output == "no incidents\n"


def test_an_incident_is_shown_root_first_with_what_it_rests_on(run: Run, put: Put) -> None:
    put("scores", consequence=True, cause="prediction_drift", severity="ticket", summary="scores rose")
    put(
        "unit",
        cause="unit_change",
        confidence=0.971,
        evidence={"unit": "lb", "factor": 2.204623},
        summary="pounds",
    )
    run("mark", "i-1", "--true-alarm", "--why", "supplier sent pounds", "--who", "anna")
    lines = run("show", "i-1").output.splitlines()
    assert lines[0] == "incident i-1 of model churn: page, unit_change, resolved"
    assert lines[2].startswith("  marked a true alarm by anna at 20")
    assert lines[2].endswith(": supplier sent pounds")
    assert [line for line in lines if line.endswith(":")] == ["because of:", "from which follow:"]
    assert lines.index("because of:") < lines.index("    confidence 0.97; factor 2.20462, unit lb")
    assert lines[-2].split() == ["ticket", "resolved", "prediction_drift", "scores", "rose"]


def test_an_incident_says_once_what_it_did_to_the_answers(run: Run, put: Put) -> None:
    put("unit", evidence={"factor": 2.0, "effect": "its predictions moved with it: 23 % of them differ"})
    put("swap", incident="i-2", evidence={"factor": 2.0})
    lines = run("show", "i-1").output.splitlines()
    assert lines[2] == "  its predictions moved with it: 23 % of them differ"
    assert lines[-1].strip() == "factor 2"
    assert run("show", "i-2").output.splitlines()[2] == ""


def test_an_incident_is_shown_to_programs_as_one_object(run: Run, put: Put) -> None:
    put("unit", evidence={"factor": 2.0})
    run("mark", "i-1", "--false-alarm", "--why", "planned")
    shown = json.loads(run("show", "i-1", "--json").output)
    assert (shown["verdict"], shown["alerts"][0]["evidence"]) == ("false_alarm", {"factor": 2.0})
    assert shown["marks"][0]["why"] == "planned"


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "\x1b[31mred", "[red]markup[/red]"])
def test_hostile_names_are_shown_and_do_nothing(run: Run, put: Put, name: str) -> None:
    put("a", model=name, summary=name, segment=f"{name}={name}", evidence={name: name})
    for shown in (run("list"), run("show", "i-1")):
        assert shown.exit_code == 0, shown.exception
        assert shown.output.replace("\n", "").isprintable()
    assert (
        name.replace("\n", "\\n").replace("\x1b", "\\x1b").replace("\u202e", "\\u202e") in run("list").output
    )


# ---------------------------------------------------------------- marking
def test_a_mark_says_what_is_left_of_the_budget(engine: Engine, run: Run, put: Put) -> None:
    apply_monitors(engine, [Monitor("churn", budget=Budget(2.0, 30 * DAY_MS))], [], 0)
    put("a", "i-1")
    put("b", "i-2")
    marked = run("mark", "i-1", "--false-alarm", "--why", "planned  price\nchange", "--who", "anna")
    assert marked.output.splitlines() == [
        "i-1 is marked false alarm by anna",
        (
            "model churn: 2 pages in the last 30 days, 1 of them false, 1 not marked yet; 2 false allowed, "
            "50 % of the budget is spent"
        ),
    ]
    with transaction(engine) as connection:
        (mark,) = marks_of(connection, "i-1")
    assert (mark.who, mark.why) == ("anna", "planned price change")


def test_a_mark_is_signed_by_who_runs_the_command(engine: Engine, run: Run, put: Put) -> None:
    put("a")
    run("mark", "i-1", "--true-alarm", "--why", "it was real")
    with transaction(engine) as connection:
        (mark,) = marks_of(connection, "i-1")
    assert mark.who == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "i-9"], "there is no incident 'i-9'; `driftbell incidents list` shows those there are"),
        (["mark", "i-9", "--false-alarm", "--why", "x"], "there is no incident 'i-9'"),
        (["mark", "i-1", "--why", "x"], "say what it was: --false-alarm or --true-alarm"),
        (["mark", "i-1", "--false-alarm", "--why", " "], "why says nothing"),
        (
            ["mark", "i-1", "--false-alarm", "--why", "x", "--who", "\x1b"],
            "who holds characters that cannot be shown",
        ),
        (["list", "--since", "yesterday"], "--since 'yesterday' is no time; write ISO 8601"),
    ],
)
def test_a_mistake_is_one_sentence_and_marks_nothing(
    engine: Engine, run: Run, put: Put, arguments: list[str], sentence: str
) -> None:
    put("a")
    failed = run(*arguments)
    assert failed.exit_code == 2
    assert failed.stderr.startswith(f"driftbell: {sentence}")
    assert failed.stderr.count("\n") == 1
    with transaction(engine) as connection:
        assert marks_of(connection, "i-1") == ()


@pytest.mark.parametrize("command", ["list", "show", "mark"])
def test_the_help_teaches_by_example(run: Run, command: str) -> None:
    helped = run(command, "--help").output.split("Options:")[0]
    assert f"driftbell incidents {command}" in helped.split("\n", 2)[2]
