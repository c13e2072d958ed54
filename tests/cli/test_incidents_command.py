"""`driftbell incidents`: what a person sees who was woken, and what they say of it."""

from __future__ import annotations

import json
import os
import pwd
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, insert

from service.cli.main import main
from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, Budget, Monitor
from service.opening import now_ms
from service.store.configuration import apply_monitors
from service.store.engine import transaction
from service.store.marks import marks_of
from service.store.tables import alertmanager_silence
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


def test_ids_and_times_are_whole_in_a_pipe_however_long_the_names_beside_them(run: Run, put: Put) -> None:
    put("a", "i-5c0e8f1a2b3c4d5e", model="m" * 200, summary="s" * 300, since_ms=NOW_MS - HOUR_MS)
    (line,) = run("list").output.splitlines()[1:]
    assert "i-5c0e8f1a2b3c4d5e" in line
    assert len(re.findall(r"20\d\d-\d\d-\d\d \d\d:\d\d", line)) == 2
    assert "m" * 200 in line
    assert "s" * 300 in line


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
    assert run("list", "--model", "none").exit_code == 2


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
        (
            ["list", "--since", "yesterday"],
            "--since 'yesterday' is no time; write 2h for two hours ago, or ISO 8601",
        ),
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


# ---------------------------------------------------------------- words
def fire(put: Put, **changes: Any) -> None:
    put("a", state="firing", cause="unit_change", feature="weight", **changes)


def test_who_has_an_incident_is_shown_until_it_is_given_back(run: Run, put: Put) -> None:
    fire(put)
    assert run("ack", "i-1", "--who", "anna").output == "i-1 is acknowledged by anna\n"
    assert "acknowledged by anna" in run("show", "i-1").output
    assert "anna" in run("list").output
    run("release", "i-1", "--who", "anna")
    assert "acknowledged by anna" not in run("show", "i-1").output


def test_a_silence_is_made_listed_and_ended(run: Run, put: Put) -> None:
    fire(put)
    made = run("silence", "i-1", "--for", "4h", "--why", "known", "--who", "anna", "--widely")
    assert made.output.startswith("i-1 is silent until ")
    number = int(made.output.rsplit(" ", 1)[1])
    assert f"to end it: driftbell incidents unsilence {number}" in made.output
    listed = run("silences").output
    assert "unit_change weight" in listed
    assert "anna" in listed
    (row,) = [json.loads(line) for line in run("silences", "--json").output.splitlines()]
    assert (row["id"], row["word"], row["covers"]) == (
        number,
        "silenced",
        [["unit_change", "feature", "weight", ""]],
    )
    assert "silenced by anna until" in run("show", "i-1").output
    assert json.loads(run("show", "i-1", "--json").output)["silences"][0]["id"] == number
    assert run("unsilence", str(number)).output == f"silence {number} of i-1 has ended\n"
    assert run("silences").output == "nothing is silent\n"
    again = run("unsilence", str(number))
    assert again.exit_code != 0
    assert f"there is no silence {number}, or it is over" in again.output


def test_silences_of_a_model_are_those_of_alertmanagers_too(engine: Engine, run: Run, put: Put) -> None:
    fire(put)
    with transaction(engine) as connection:
        connection.execute(
            insert(alertmanager_silence).values(
                alertmanager="am:9093", id="s-1", incident="i-1", word=None, who="bert", why="mine",
                until_at=datetime.now(UTC) + timedelta(hours=1),
            )
        )  # fmt: skip
    assert "am:9093" in run("silences", "--model", "churn").output
    assert run("silences", "--model", "fraud").output == "nothing is silent\n"


def test_what_is_expected_is_marked_so(run: Run, put: Put) -> None:
    fire(put)
    made = run("expect", "i-1", "--why", "new prices", "--who", "anna").output
    assert made.startswith("i-1 is expected until there is a new reference; ")
    shown = run("show", "i-1").output
    assert "expected by anna until there is a new reference: new prices" in shown
    assert "marked expected by anna" in shown


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (("silence", "i-1", "--why", "x"), "say until when: --for 4h"),
        (("silence", "i-1", "--why", "x", "--for", "1h", "--until", "2099-01-01"), "not both"),
        (("silence", "i-1", "--why", "x", "--until", "2020-01-01"), "the end must lie ahead"),
        (("silence", "i-1", "--why", "x", "--for", "9999d"), "366 days at most"),
        (("ack", "none"), "there is no incident 'none'"),
        (("ack", "i-1", "--why", ""), "why says nothing"),
    ],
)
def test_what_cannot_be_said_is_told_in_a_sentence(
    run: Run, put: Put, order: tuple[str, ...], said: str
) -> None:
    fire(put)
    answer = run(*order)
    assert answer.exit_code != 0
    assert said in answer.output


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_visible_in_words(run: Run, put: Put, name: str) -> None:
    put("a", state="firing", model=name, feature=name, segment=f"{name}={name}")
    run("silence", "i-1", "--for", "1h", "--why", "x", "--widely")
    for shown in (run("silences").output, run("show", "i-1").output):
        assert shown.replace("\n", "").isprintable()
