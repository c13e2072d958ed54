"""`driftbell reference accept`: the present becomes the new normal, looked at first, and there is a way back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, delete, insert

from service.cli.main import main
from service.configuration import Configuration, ModelVersion
from service.intake.decoder import Decoder
from service.messages import iso
from service.monitor import Monitor
from service.opening import now_ms
from service.reference.profile import ReferenceProfile, profile_from_bytes, profile_to_bytes
from service.sketches.codec import pane_to_bytes
from service.store.acceptance import acceptances_of
from service.store.configuration import StoredReference, apply_monitors, load_configuration, load_reference
from service.store.engine import transaction
from service.store.partitions import ensure_partitions
from service.store.tables import pane
from tests.intake.events import records, sketches
from tests.replaying import MINUTE, MONITOR, START_MS, event, reference_of
from tests.web.seeding import add_alert, add_partition, add_window

pytestmark = pytest.mark.postgres

MINUTES, A_MINUTE = 10, 30
END_MS = START_MS + MINUTES * MINUTE
TODAY = f"{datetime.fromtimestamp(now_ms() / 1000, UTC):%Y-%m-%d}"
WHY = ("--why", "new supplier", "--who", "anna")
Run = Callable[..., Result]


@pytest.fixture
def run(engine: Engine) -> Run:
    environment = {"DRIFTBELL_DATABASE_URL": engine.url.render_as_string(hide_password=False)}

    def call(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner(env=environment).invoke(main, ["reference", *arguments], input=stdin)

    return call


@pytest.fixture
def accept(run: Run) -> Run:
    return lambda *more, stdin=None: run("accept", "--model", "churn", *WHY, *more, stdin=stdin)


@pytest.fixture
def live(engine: Engine, tmp_path: Path) -> ReferenceProfile:
    """A model with its reference, and ten minutes of traffic that has moved by two standard deviations."""
    profile = reference_of(tmp_path)
    stored = StoredReference(profile.name, "churn", profile.grid, profile.rows, profile_to_bytes(profile))
    apply_monitors(engine, [MONITOR], [stored], 0)
    put_traffic(engine, profile, range(MINUTES))
    with transaction(engine) as connection:
        add_partition(connection, "events", 0, highest_ms=END_MS)
    return profile


def put_traffic(engine: Engine, profile: ReferenceProfile, minutes: Iterable[int]) -> None:
    version = ModelVersion(replace(MONITOR, segments=("country",)), profile.grid)
    decoder = Decoder(Configuration({"churn": (version,)}))
    rows = []
    for minute in minutes:
        bodies = [event(1_000 * minute + i, minute, shift=2.0) for i in range(A_MINUTE)]
        start_ms = START_MS + minute * MINUTE
        for segment in ("", "country=DE", "country=FR"):
            some = [one for one in bodies if not segment or one["features"]["country"] in segment]
            sketch = sketches(decoder, [decoder.decode(records(some, timestamp_ms=END_MS))])["churn"]
            rows.append({
                "topic": "events", "partition": 0, "model": "churn", "version": "1", "segment": segment,
                "start_ms": start_ms, "end_ms": start_ms + MINUTE, "grid_id": profile.grid.id,
                "inferences": len(some), "labels": 0, "last_ms": start_ms, "sketch": pane_to_bytes(sketch),
            })  # fmt: skip
    with transaction(engine) as connection:
        connection.execute(insert(pane), rows)


def in_force(engine: Engine) -> tuple[str | None, int]:
    """The name of the model's reference, and the number of its version."""
    version = load_configuration(engine).latest("churn")
    assert version is not None
    return version.reference_name, version.number


def accepted(engine: Engine) -> list[Any]:
    with transaction(engine) as connection:
        return list(acceptances_of(connection, "churn"))


# ---------------------------------------------------------------- accepting
def test_the_present_becomes_the_reference_and_who_and_why_are_kept(
    engine: Engine, accept: Run, live: ReferenceProfile
) -> None:
    done = accept("--yes")
    assert done.exit_code == 0, done.output
    name = f"churn-{TODAY}"
    assert in_force(engine) == (name, 2)
    learned = profile_from_bytes(load_reference(engine, name) or b"")
    assert (learned.rows, learned.model, learned.name) == (MINUTES * A_MINUTE, "churn", name)
    means = {one.column.name: one.mean for one in learned.columns}
    before = {one.column.name: one.mean for one in live.columns}
    assert means["amount"] - before["amount"] == pytest.approx(2.0, abs=0.4)  # type: ignore[operator]
    (one,) = accepted(engine)
    assert (one.name, one.replaces, one.who, one.why) == (name, "churn-1", "anna", "new supplier")
    assert (one.from_ms, one.to_ms, one.rows) == (START_MS, END_MS, 300)


def test_what_was_learned_knows_the_order_of_time_and_the_segments(
    engine: Engine, accept: Run, live: ReferenceProfile
) -> None:
    accept("--name", "winter", "--yes")
    learned = profile_from_bytes(load_reference(engine, "winter") or b"")
    assert learned.ordered
    assert [block.inferences for block in learned.blocks] == [2 * A_MINUTE] * (MINUTES // 2)
    assert [block.first_ms for block in learned.blocks] == sorted(block.first_ms for block in learned.blocks)
    countries = learned.sketch.categories.column_counts(0)
    by_name = {name: rows.inferences for name, rows in learned.segments.items()}
    assert by_name == {"country=DE": int(countries[0]), "country=FR": int(countries[1])}


def test_segments_that_the_reference_before_knew_better_are_named(
    engine: Engine, accept: Run, live: ReferenceProfile
) -> None:
    apply_monitors(engine, [replace(MONITOR, segments=("country",))], [], 0)
    with transaction(engine) as connection:
        connection.execute(delete(pane).where(pane.c.segment == "country=FR", pane.c.start_ms > START_MS))
    said = accept("--yes").stderr
    assert "driftbell: too few events of country=FR: of these only what is missing is compared" in said


def test_it_says_what_differs_since_when_and_how_to_go_back(accept: Run, live: ReferenceProfile) -> None:
    lines = accept("--yes").output.splitlines()
    assert lines[0].startswith("learned of 300 events from 2024-10-04 00:00 to 2024-10-04 00:10 UTC, against")
    assert lines[0].endswith("against reference 'churn-1' of 4,000 rows")
    table = [line.split()[0] for line in lines if line.startswith((" amount", " country", " score"))]
    assert table[0] == "amount"
    assert sorted(table) == ["amount", "country", "score"]
    assert any(line.startswith("churn: from event time 20") and "says anna" in line for line in lines)
    assert f"write `reference: churn-{TODAY}` into the monitor's file" in "\n".join(lines)
    assert lines[-1] == 'to go back: driftbell reference accept --model churn --back --why "..."'


def test_it_asks_and_a_no_changes_nothing(engine: Engine, accept: Run, live: ReferenceProfile) -> None:
    asked = accept(stdin="n\n")
    assert asked.exit_code == 1
    assert "amount" in asked.output.split("Is this how model churn should be from now on?")[0]
    assert in_force(engine) == ("churn-1", 1)
    assert accept(stdin="y\n").exit_code == 0
    assert in_force(engine)[1] == 2


def test_the_time_is_whole_panes_up_to_where_all_events_have_come(
    engine: Engine, accept: Run, live: ReferenceProfile
) -> None:
    since, until = iso(START_MS + 2 * MINUTE + 5_000), iso(START_MS + 8 * MINUTE + 5_000)
    assert accept("--from", since, "--to", until, "--yes").exit_code == 0
    assert accept("--last", "5m30s", "--yes").exit_code == 0
    newest, first = accepted(engine)
    assert (first.from_ms, first.to_ms, first.rows) == (START_MS + 2 * MINUTE, START_MS + 8 * MINUTE, 180)
    assert (newest.from_ms, newest.to_ms, newest.rows) == (START_MS + 4 * MINUTE, END_MS, 180)
    assert (newest.name, newest.replaces) == (f"churn-{TODAY}-2", f"churn-{TODAY}")


def test_a_name_may_be_given(engine: Engine, accept: Run, live: ReferenceProfile) -> None:
    assert accept("--name", "winter", "--yes").exit_code == 0
    assert in_force(engine) == ("winter", 2)


def test_a_model_without_a_reference_gets_its_first(
    engine: Engine, accept: Run, live: ReferenceProfile
) -> None:
    apply_monitors(engine, [Monitor("churn")], [], 0)
    done = accept("--yes")
    assert "against no reference" in done.output
    assert accepted(engine)[0].replaces is None


def test_incidents_in_that_time_are_named(engine: Engine, accept: Run, live: ReferenceProfile) -> None:
    within = {"state": "resolved", "since_ms": START_MS, "at_ms": END_MS - MINUTE, "fired_ms": START_MS}
    with transaction(engine) as connection:
        add_alert(connection, "a", "churn", incident="i-within", summary="pounds", **within)
        add_alert(
            connection, "b", "churn", incident="i-before", **within | {"since_ms": 1, "at_ms": START_MS}
        )
        add_alert(connection, "c", "churn", incident="i-pended", **within | {"fired_ms": None})
    said = accept("--yes").stderr
    assert "incident i-within (data_drift: pounds) lies in that time" in said
    assert said.count("lies in that time") == 1


# ---------------------------------------------------------------- refusing
def refused(engine: Engine, result: Result, *sentences: str) -> None:
    assert result.exit_code == 2, result.output
    said = result.stderr.splitlines()
    assert len(said) == len(sentences)
    for line, sentence in zip(said, sentences, strict=True):
        assert line.startswith(f"driftbell: {sentence}")
    assert in_force(engine) == ("churn-1", 1)
    assert accepted(engine) == []


def test_while_the_model_pages_nothing_is_accepted_unless_even_so(
    engine: Engine, accept: Run, live: ReferenceProfile
) -> None:
    with transaction(engine) as connection:
        add_alert(connection, "a", "churn", incident="i-1", summary="weight is in lb")
        add_alert(connection, "b", "churn", incident="i-2", severity="ticket")
        add_alert(connection, "c", "fraud", incident="i-3")
    refused(
        engine,
        accept("--yes"),
        "incident i-1 is open and pages (weight is in lb): mend that first, or add",
    )
    assert accept("--yes", "--even-so").exit_code == 0
    assert in_force(engine)[1] == 2


def test_a_time_that_lacks_records_is_not_accepted_even_so(
    engine: Engine, accept: Run, live: ReferenceProfile
) -> None:
    ensure_partitions(engine, START_MS, END_MS)
    with transaction(engine) as connection:
        add_window(connection, "churn", START_MS + 5 * MINUTE, incomplete=True)
    sentence = f"records are missing in 1 window of that time, between {iso(START_MS)} and "
    refused(engine, accept("--yes", "--even-so"), sentence)
    assert accept("--yes", "--last", "5m").exit_code == 0


def test_too_few_events_are_no_reference(engine: Engine, accept: Run, live: ReferenceProfile) -> None:
    refused(
        engine, accept("--yes", "--last", "3m"), "model 'churn' has 90 events in that time; a reference needs"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--to", iso(END_MS + MINUTE)], "--to 2024-10-04T00:11:00Z lies ahead: all events have come until 2024"),
        (["--from", iso(END_MS)], "from 2024-10-04T00:10:00Z to 2024-10-04T00:10:00Z there is no whole pane"),
        (["--from", "monday"], "--from 'monday' is no time"),
        (["--last", "a week"], "--last is 'a week'; write a duration"),
        (["--last", "0s"], "--last is '0s', which is no time at all"),
        (["--last", "1h", "--from", iso(START_MS)], "say --from or --last, not both"),
        (["--name", "churn-1"], "there is a reference 'churn-1' already"),
        (["--name", "red \x1b[31m"], r"the name 'red \x1b[31m' cannot be one"),
        (["--back", "--last", "1h"], "--back takes what was there before"),
        (["--back"], "the reference of model 'churn', 'churn-1', was not accepted in place of another"),
        (["--model", "none"], "there is no monitor for model 'none'"),
        (["--why", " "], "why says nothing"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_and_changes_nothing(
    engine: Engine, accept: Run, live: ReferenceProfile, arguments: list[str], sentence: str
) -> None:
    refused(engine, accept("--yes", *arguments), sentence)


def test_before_any_event_there_is_nothing_to_accept(engine: Engine, accept: Run) -> None:
    apply_monitors(engine, [Monitor("churn")], [], 0)
    failed = accept("--yes")
    assert (failed.exit_code, failed.stderr) == (
        2, "driftbell: no event has been read, or not of all partitions: nothing can be accepted yet\n",
    )  # fmt: skip


# ---------------------------------------------------------------- back, and history
def test_the_way_back_gives_the_reference_before(
    engine: Engine, accept: Run, run: Run, live: ReferenceProfile
) -> None:
    accept("--name", "winter", "--yes")
    back = accept("--back", stdin="y\n")
    assert back.exit_code == 0, back.output
    assert "'churn-1' is the reference, says anna" in back.output
    assert in_force(engine) == ("churn-1", 3)
    lines = run("history", "--model", "churn").output.splitlines()
    assert len(lines) == 3
    assert lines[1].split()[2:6] == ["churn-1", "winter", "back", "4,000"]
    assert lines[2].split()[2:4] == ["winter", "churn-1"]
    assert lines[2].rstrip().endswith("anna  new supplier")
    told = [json.loads(line) for line in run("history", "--model", "churn", "--json").stdout.splitlines()]
    assert [(one["name"], one["replaces"], one["from_ms"] is None) for one in told] == [
        ("churn-1", "winter", True), ("winter", "churn-1", False),
    ]  # fmt: skip
    assert told[1]["why"] == "new supplier"


@pytest.mark.usefixtures("live")
def test_a_model_without_history_says_so(run: Run) -> None:
    assert run("history", "--model", "churn").output == "nothing was accepted for model churn\n"
    assert run("history", "--model", "churn", "--json").output == ""


@pytest.mark.parametrize("command", ["accept", "history"])
def test_the_help_teaches_by_example(run: Run, command: str) -> None:
    helped = run(command, "--help").output.split("Options:")[0]
    assert f"driftbell reference {command}" in helped.split("\n", 2)[2]
