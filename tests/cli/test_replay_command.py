"""`driftbell replay`: what it writes, counts and says, and one sentence for each mistake."""

# ruff: noqa: E501 - the sentences stand as they are said

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from service.cli.main import main
from service.reference.profile import profile_to_bytes
from tests.replaying import event, reference_of, steady, write_log

if TYPE_CHECKING:
    from pathlib import Path

MONITORS = {"models": {"churn": {"windows": ["5m"], "reference": "churn.profile", "segments": ["country"]}}}


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of churn's reference."""
    return profile_to_bytes(reference_of(tmp_path_factory.mktemp("reference")))


@pytest.fixture
def folder(tmp_path: Path, profile: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a reference, monitors and an hour of events that end with a shift."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTBELL_DATABASE_URL", raising=False)
    (tmp_path / "churn.profile").write_bytes(profile)
    (tmp_path / "monitors.yaml").write_text(json.dumps(MONITORS))
    write_log(tmp_path / "log.jsonl", steady(range(30)) + steady(range(30, 40), shift=9.0))
    return tmp_path


def run(*arguments: str) -> Result:
    """The command, without a progress bar."""
    return CliRunner().invoke(main, ["replay", "--quiet", *arguments])


def replay(
    *more: str, events: str = "log.jsonl", out: str = "out.jsonl", monitors: str = "monitors.yaml"
) -> Result:
    """A replay of the folder's log."""
    return run(
        "--monitors", monitors, "--reference", "churn.profile", "--events", events, "--out", out, *more
    )


def test_it_writes_json_lines_and_prints_what_it_counted(folder: Path) -> None:
    done = replay()
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    kinds = {kind: sum(line["kind"] == kind for line in lines) for kind in ("window", "finding", "alert")}
    counted = f"windows {kinds['window']}; findings {kinds['finding']}; alerts {kinds['alert']}"
    assert done.output == f"accepted 800, duplicate 0, late 0, dead 0, tombstone 0; {counted}\n"
    assert kinds["alert"] > 0


def test_the_same_input_gives_the_same_file(folder: Path) -> None:
    replay(out="one.jsonl")
    replay(out="two.jsonl")
    assert (folder / "one.jsonl").read_bytes() == (folder / "two.jsonl").read_bytes()


def test_the_summary_says_each_alert_that_fired_as_a_sentence(folder: Path) -> None:
    done = replay("--summary")
    first = done.output.splitlines()[0]
    assert first.split(":")[0].split() in (["ticket", "data_drift"], ["page", "out_of_range"])
    assert "churn version 1" in first
    assert "UTC" in first
    assert done.output.splitlines()[-1].startswith("accepted 800")


def test_the_reference_beside_the_monitors_needs_no_option(folder: Path) -> None:
    done = run("--monitors", "monitors.yaml", "--events", "log.jsonl", "--out", "out.jsonl")
    assert done.exit_code == 0, done.output


def test_partitions_split_one_file_and_count_the_same(folder: Path) -> None:
    assert replay("--partitions", "4").output == replay().output


def test_events_that_cannot_be_used_are_counted_by_reason(folder: Path) -> None:
    write_log(folder / "some.jsonl", [*steady(range(10)), event(1, 3, model="other")])
    done = replay(events="some.jsonl")
    assert done.exit_code == 0
    assert (
        "1 of 201 events cannot be used: 1 unknown_model (the first: no monitor names this model"
        in done.stderr
    )
    assert done.stdout.startswith("accepted 200, duplicate 0, late 0, dead 1")


def broken_inputs(folder: Path) -> None:
    """The files that the mistakes below speak of."""
    (folder / "empty.jsonl").write_text("")
    (folder / "junk.jsonl").write_text("no json\n")
    write_log(folder / "others.jsonl", steady(range(3), model="other"))
    (folder / "cut.jsonl.gz").write_bytes(gzip.compress((folder / "log.jsonl").read_bytes())[:-100])
    (folder / "no.jsonl.gz").write_bytes(b"this is no gzip\n")
    (folder / "bad.yaml").write_text("models: [")
    (folder / "method.yaml").write_text("models: {churn: {methods: [kss]}}")
    (folder / "unknown.yaml").write_text("models: {churn: {reference: other.profile}}")
    (folder / "wrong.yaml").write_text("models: {other: {reference: churn.profile}}")
    (folder / "damaged.yaml").write_text("models: {churn: {reference: damaged.profile}}")
    data = bytearray((folder / "churn.profile").read_bytes())
    data[len(data) // 2] ^= 255
    (folder / "damaged.profile").write_bytes(data)
    (folder / "events").mkdir()
    (folder / "log.jsonl").rename(folder / "events" / "log.jsonl")
    write_log(folder / "log.jsonl", steady(range(3)))


MISTAKES = [
    ({"events": "none.jsonl"}, "there is no file or folder none.jsonl; --events names the log to replay"),
    ({"events": "empty.jsonl"}, "empty.jsonl holds no events"),
    ({"events": "junk.jsonl"}, "junk.jsonl: 1 of 1 events cannot be used: 1 bad_json"),
    ({"events": "others.jsonl"}, "others.jsonl: 60 of 60 events cannot be used: 60 unknown_model (the first: no monitor names this model"),
    ({"events": "cut.jsonl.gz"}, "cut.jsonl.gz, after line 0: cannot be read on"),
    ({"events": "no.jsonl.gz"}, "no.jsonl.gz, after line 0: cannot be read on"),
    ({"out": "."}, "cannot write .: Is a directory"),
    ({"out": "none/out.jsonl"}, "cannot write none/out.jsonl: No such file or directory"),
    ({"out": "log.jsonl"}, "--out log.jsonl would be written over the events or among them; name another place"),
    ({"events": "events", "out": "events/out.jsonl"}, "--out events/out.jsonl would be written over the events or among them"),
    ({"monitors": "none.yaml"}, "cannot read none.yaml: No such file or directory"),
    ({"monitors": "."}, "cannot read .: Is a directory"),
    ({"monitors": "bad.yaml"}, "bad.yaml:1: the file cannot be read: while parsing a flow node"),
    ({"monitors": "method.yaml"}, "churn: there is no method 'kss'; methods are chi_square, hellinger"),
    ({"monitors": "unknown.yaml"}, "churn: the reference 'other.profile' is neither a file nor given with --reference"),
    ({"monitors": "wrong.yaml"}, "other: the reference 'churn-1' was built for model 'churn'"),
    ({"monitors": "damaged.yaml"}, "damaged.profile is no reference profile, or a damaged one; make it with `driftbell reference build`"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "sentence"), MISTAKES)
def test_a_mistake_is_one_sentence_and_no_success(folder: Path, wrong: dict[str, str], sentence: str) -> None:
    broken_inputs(folder)
    failed = replay(**wrong)
    assert failed.exit_code not in {0, 1}, failed.exception
    assert failed.stderr.startswith(f"driftbell: {sentence}")
    assert failed.stderr.count("\n") == 1


def test_a_log_is_not_touched_by_a_mistaken_out(folder: Path) -> None:
    before = (folder / "log.jsonl").read_bytes()
    replay(out="log.jsonl")
    assert (folder / "log.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--events", "log.jsonl"],
            "say --monitors FILE and --out FILE, or --live to send the events to Kafka",
        ),
        ([], "say --events FILE for a log, or --stored for the panes that the database keeps"),
        (["--events", "log.jsonl", "--model", "churn"], "--model can be given with --stored only"),
        (["--stored"], "say --monitors FILE: what the stored panes are to be judged by"),
        (["--events", "log.jsonl", "--partitions", "0"], "0 is not in the range"),
        (["--bogus"], "No such option '--bogus'"),
    ],
)
def test_an_option_that_is_wrong_or_missing_is_said(folder: Path, options: list[str], sentence: str) -> None:
    failed = run(*options)
    assert failed.exit_code == 2
    assert sentence in failed.stderr
