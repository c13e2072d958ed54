"""The other commands: help by example, and one sentence for each mistake."""

# ruff: noqa: E501 - the sentences stand as they are said

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result

from service.cli.main import main
from service.settings import SETTINGS
from tests.replaying import reference_of

if TYPE_CHECKING:
    from pathlib import Path

OURS = [
    ("apply",), ("check",), ("export",), ("reference", "build"), ("reference", "learn"), ("reference", "show"), ("replay",),
    ("partitions", "reset"), ("settings",),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, with no database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTBELL_DATABASE_URL", raising=False)


def run(*arguments: str, stdin: str | None = None) -> Result:
    """The command line."""
    return CliRunner().invoke(main, list(arguments), input=stdin)


def fails(result: Result, sentence: str) -> None:
    """It ended with this one sentence, and not as a success."""
    assert result.exit_code in {2, 3}, result.exception
    assert result.stderr.startswith(f"driftbell: {sentence}"), result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("path", OURS)
def test_the_help_of_each_command_teaches_by_example(path: tuple[str, ...]) -> None:
    shown = run(*path, "--help")
    assert shown.exit_code == 0
    assert f"driftbell {' '.join(path)}" in shown.output.split("Options:")[0].split("\n", 2)[2]


def test_the_main_help_names_every_command() -> None:
    shown = run("--help").output
    context = click.Context(main)
    for name in main.list_commands(context):
        assert f"  {name} " in shown


@pytest.mark.parametrize(
    ("written", "meant"),
    [("replai", "replay"), ("healt", "health"), ("toop", "top"), ("dead-leters", "dead-letters")],
)
def test_a_command_that_does_not_exist_is_said_and_which_was_meant(written: str, meant: str) -> None:
    failed = run(written)
    assert failed.exit_code == 2
    assert f"No such command {written!r}. Did you mean {meant!r}?" in failed.stderr


def test_a_command_that_is_like_none_is_not_guessed_at() -> None:
    failed = run("xyz")
    assert failed.exit_code == 2
    assert failed.stderr.rstrip().endswith("No such command 'xyz'.")


def test_the_settings_are_all_listed_with_their_meaning() -> None:
    shown = run("settings").output
    for one in SETTINGS:
        assert one.name in shown
        assert one.help in shown


def test_the_settings_are_listed_for_programs_too() -> None:
    told = [json.loads(line) for line in run("settings", "--json").output.splitlines()]
    assert [one["name"] for one in told] == [one.name for one in SETTINGS]
    assert told[0].keys() == {"name", "default", "help"}


def test_check_counts_the_monitors_and_needs_no_database(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("models: {churn: {}}")
    (tmp_path / "two.yaml").write_text("models: {churn: {}, fraud: {}}")
    assert run("check", "-f", "one.yaml").output == "one.yaml: 1 monitor, no mistakes\n"
    assert run("check", "-f", "two.yaml").output == "two.yaml: 2 monitors, no mistakes\n"
    assert run("check", "-f", "-", stdin="models: {churn: {}}").output == "-: 1 monitor, no mistakes\n"


def test_check_says_all_mistakes_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("models:\n  churn:\n    pane: 5 minutes\n    windows: [7x]\n")
    failed = run("check", "-f", "bad.yaml")
    assert failed.exit_code == 2
    assert [line.partition(" ")[2].partition(": ")[0] for line in failed.stderr.splitlines()] == [
        "bad.yaml:3",
        "bad.yaml:4",
    ]


NO_DATABASE = "no database is configured; set DRIFTBELL_DATABASE_URL to postgresql://user@host/database"


@pytest.mark.parametrize(
    "arguments",
    [["export"], ["migrate"], ["partitions", "reset", "--yes", "t"], ["run"], ["serve"], ["collect"]],
)
def test_without_a_database_what_needs_one_says_which_variable_to_set(arguments: list[str]) -> None:
    fails(run(*arguments), NO_DATABASE)


def test_a_database_that_is_away_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/bell")
    failed = run("export")
    fails(failed, "the database bell at 127.0.0.1 does not answer")
    assert "secret" not in failed.output


def test_a_database_url_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", "nonsense")
    fails(run("export"), "DRIFTBELL_DATABASE_URL cannot be used; write postgresql://user@host:5432/name")


def test_reset_asks_before_it_forgets() -> None:
    asked = run("partitions", "reset", "inference-log", stdin="n\n")
    assert asked.exit_code == 1
    assert "Forget the positions of all partitions of this topic" in asked.output


def write_table(path: Path) -> Path:
    """A small training table."""
    path.write_text(
        "amount,country,churned\n" + "".join(f"{i},{'DE' if i % 3 else 'FR'},{i % 2}\n" for i in range(200))
    )
    return path


def test_a_reference_is_built_into_a_file_and_shown(tmp_path: Path) -> None:
    write_table(tmp_path / "train.csv")
    built = run(
        "reference",
        "build",
        "--model",
        "churn",
        "--data",
        "train.csv",
        "--label",
        "churned",
        "--out",
        "churn.profile",
    )
    assert built.exit_code == 0, built.output
    assert built.output == "reference 'churn': 200 rows, 3 columns, task binary, in churn.profile\n"
    assert json.loads(run("reference", "show", "churn.profile", "--json").output)["rows"] == 200
    assert "amount" in run("reference", "show", "churn.profile").output


def test_the_same_table_gives_the_same_reference(tmp_path: Path) -> None:
    write_table(tmp_path / "train.csv")
    for name in ("one", "two"):
        run("reference", "build", "--model", "m", "--name", "n", "--data", "train.csv", "--out", name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["build", "--model", "m", "--data", "train.csv"], "say --out FILE to write the reference into a file, or set DRIFTBELL_DATABASE_URL"),
        (["build", "--model", "m", "--data", "none.csv", "--out", "x"], "there is no file none.csv"),
        (["build", "--model", "m", "--data", "train.csv", "--label", "churn", "--out", "x"], "there is no column 'churn' for label (did you mean 'churned'?)"),
        (["build", "--model", "m", "--data", "train.csv", "--out", "."], "cannot write .: Is a directory"),
        (["build", "--model", "m", "--data", "train.csv", "--out", "none/x"], "cannot write none/x: No such file or directory"),
        (["show", "none.profile"], "there is no file 'none.profile': name one, or set DRIFTBELL_DATABASE_URL"),
        (["show", "train.csv"], "train.csv is no reference profile, or a damaged one"),
        (["show", "."], "cannot read the reference .: Is a directory"),
        (["learn", "--model", "m", "--from", "yesterday", "--to", "2026-11-01"], "--from 'yesterday' is no time; write ISO 8601"),
        (["learn", "--model", "m", "--from", "2026-11-02T00:00Z", "--to", "2026-11-01T00:00Z"], "--from 2026-11-02T00:00Z is not before --to"),
        (["learn", "--model", "m", "--from", "2026-11-01T00:00Z", "--to", "2026-11-02T00:00Z"], NO_DATABASE),
    ],
)  # fmt: skip
def test_a_mistake_with_a_reference_is_one_sentence(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    write_table(tmp_path / "train.csv")
    fails(run("reference", *arguments), sentence)


def test_a_segments_rows_are_kept_with_the_reference(tmp_path: Path) -> None:
    profile = reference_of(tmp_path)
    french = profile.segment("country=FR")
    assert french is not None
    assert french.inferences == int(profile.sketch.categories.column_counts(0)[1])
    assert profile.segment("country=XX") is None
