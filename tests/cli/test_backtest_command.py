"""`driftbell replay --stored`: what other monitors would have paged on the panes that the database keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from service.cli.main import main
from service.messages import iso
from service.reference.profile import profile_to_bytes
from service.store.marks import AlarmVerdict, add_mark
from service.store.statements import Statement
from tests.backtest.past import collect, evaluate, stored_alerts
from tests.fakes.collecting import empty
from tests.replaying import MINUTE, MONITOR, START_MS, reference_of, steady

pytestmark = pytest.mark.postgres

STORED = {
    "windows": ["5m"],
    "disorder": "1ms",
    "budget": {"false_pages": 1, "per": "1d"},
    "reference": "churn-1",
}
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def past(migrated: Engine, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An hour and a half in which the amounts rose, and all fell silent."""
    # minute   0       40      50       60    75    90
    # events   |-------|amount+3|-------|     |-----|
    empty(migrated)
    events = (
        steady(range(40)) + steady(range(40, 50), shift=3.0) + steady(range(50, 60)) + steady(range(75, 90))
    )
    collect(migrated, [(MONITOR, events)], [reference_of(tmp_path_factory.mktemp("reference"))])
    evaluate(migrated)
    return migrated


@pytest.fixture
def run(past: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in a folder with monitors."""
    monkeypatch.chdir(tmp_path)
    write("new.yaml", STORED)
    environment = {"DRIFTBELL_DATABASE_URL": past.url.render_as_string(hide_password=False)}

    def call(*arguments: str, monitors: str = "new.yaml") -> Result:
        return CliRunner(env=environment).invoke(
            main, ["replay", "--quiet", "--monitors", monitors, "--stored", *arguments]
        )

    return call


def write(name: str, monitor: dict[str, object], model: str = "churn") -> None:
    Path(name).write_text(json.dumps({"models": {model: monitor}}))


def test_the_summary_says_what_would_have_paged_and_what_people_said_of_it(past: Engine, run: Run) -> None:
    done = run("--summary")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert any(line.startswith("page   silence: ") for line in lines)
    pages = [line for line in lines if line.startswith("page ")]
    assert lines[-3].startswith(f"churn: {len(pages)} page")
    assert lines[-2].endswith("none of its incidents of that time are marked (`driftbell incidents mark`)")
    assert lines[-1].startswith("panes 75; windows 17; findings ")
    silence = next(a["incident"] for a in stored_alerts(past).values() if a["cause"] == "silence")
    add_mark(past, silence, AlarmVerdict.FALSE_ALARM, Statement("anna", "planned"))
    add_mark(past, silence, AlarmVerdict.TRUE_ALARM, Statement("anna", "it was not"))
    said = "would have paged once; the monitors of then paged once; caught 1 of 1 incidents marked as true alarms"
    assert run("--summary", "--from", at(55)).stdout.splitlines()[-2] == f"churn: {said}"


def at(minute: int) -> str:
    return iso(START_MS + minute * MINUTE)


def test_the_same_question_gives_the_same_file(run: Run) -> None:
    for name in ("one.jsonl", "two.jsonl"):
        assert run("--out", name).exit_code == 0
    written = Path("one.jsonl").read_bytes()
    assert written == Path("two.jsonl").read_bytes()
    assert {json.loads(line)["kind"] for line in written.splitlines()} == {"window", "finding", "alert"}


def test_a_part_of_time_and_one_of_several_models_can_be_asked_for(run: Run) -> None:
    models = {"models": {"churn": STORED, "fraud": {}}}
    Path("both.yaml").write_text(json.dumps(models))
    done = run(
        "--model", "churn", "--from", at(50), "--to", at(60), "--out", "out.jsonl", monitors="both.yaml"
    )
    assert done.exit_code == 0, done.stderr
    assert "windows 2;" in done.stdout
    assert "no panes of fraud are stored" in run("--summary", monitors="both.yaml").stderr


def test_a_reference_that_is_a_file_needs_not_be_stored(run: Run, tmp_path: Path) -> None:
    Path("churn.profile").write_bytes(profile_to_bytes(reference_of(tmp_path, seed=2)))
    write("file.yaml", STORED | {"reference": "churn.profile"})
    done = run("--summary", monitors="file.yaml")
    assert done.exit_code == 0, done.stderr
    assert "some panes were counted on other bins" in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "say --summary for what would have paged, --out FILE for every window, or both"),
        (["--summary", "--events", "x"], "--events cannot be given with --stored"),
        (["--summary", "--live", "--topic", "t"], "--live, --topic cannot be given with --stored"),
        (["--summary", "--model", "fraud"], "the monitors name no model 'fraud'; they name churn"),
        (
            ["--summary", "--from", "soon"],
            "--from 'soon' is no time; write 2h for two hours ago, or ISO 8601",
        ),
        (["--summary", "--from", at(9), "--to", at(9)], "--from is not before --to"),
        (["--out", "none/x"], "cannot write none/x: No such file or directory"),
    ],
)
def test_a_mistake_is_one_sentence(run: Run, options: list[str], sentence: str) -> None:
    failed = run(*options)
    assert failed.exit_code == 2
    assert failed.stderr.startswith(f"driftbell: {sentence}")
    assert failed.stderr.count("\n") == 1


def test_without_a_database_it_says_which_setting_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTBELL_DATABASE_URL", raising=False)
    write("new.yaml", {"windows": ["5m"]})
    failed = CliRunner().invoke(main, ["replay", "--stored", "--monitors", "new.yaml", "--summary"])
    assert failed.exit_code == 2
    assert failed.stderr.startswith("driftbell: no database is configured; set DRIFTBELL_DATABASE_URL")
