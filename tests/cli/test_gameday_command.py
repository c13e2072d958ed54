"""`driftbell gameday`: what a monitor finds of faults in a user's own log."""

# ruff: noqa: E501 - the sentences stand as they are said

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli.main import main
from tests.injection.power import write_game


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The electricity model's log, reference and monitors."""
    return write_game(tmp_path_factory.mktemp("game"), windows=8)


@pytest.fixture(autouse=True)
def _there(game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(game)


def gameday(*arguments: str) -> Result:
    """The command, without a progress bar."""
    usual = ["gameday", "--monitors", "monitors.yaml", "--events", "log.jsonl", "--quiet"]
    return CliRunner().invoke(main, [*usual, *arguments])


def test_it_says_what_the_clean_log_rings_then_what_became_of_each_fault() -> None:
    done = gameday("--kinds", "missing,duplicates")
    assert done.exit_code == 0, done.output
    said = done.stdout.splitlines()
    assert said[0] == "On your clean log this monitor pages never and opens no tickets."
    assert [row.split()[:3] for row in said if row.startswith("missing")] == [
        ["missing", "--feature", "nswprice"]
    ]
    assert "found" in done.stdout
    assert said[-1] == (
        "1 of 1 faults found, 1 named; 1 of 1 harmless ones left alone; no false pages and no false tickets in 2 replays"
    )


def test_the_same_for_programs() -> None:
    done = gameday("--kinds", "rename", "--features", "nswdemand", "--json", "--windows", "6")
    told = json.loads(done.stdout)
    assert (told["model"], told["clean"], told["found"], told["should_ring"]) == ("power-price", [], 1, 1)
    assert told["fault_begins"] == "2026-01-01T03:00:00Z"
    assert told["drills"][0]["drill"] == "rename --feature nswdemand"
    assert (told["drills"][0]["outcome"], told["drills"][0]["named"]) == ("found", True)


@pytest.mark.slow
def test_too_few_found_is_exit_code_1_if_so_asked() -> None:
    blind = json.loads(Path("monitors.yaml").read_text())
    model = blind["models"]["power-price"]
    model["features"] = {"nswprice": {"severity": "info"}}
    Path("blind.yaml").write_text(json.dumps(blind))
    asked = ("--kinds", "missing", "--features", "nswprice", "--monitors", "blind.yaml")
    assert gameday(*asked).exit_code == 0
    assert gameday(*asked, "--require", "50%").exit_code == 1
    assert gameday("--kinds", "missing", "--require", "95%").exit_code == 0


def test_the_help_has_two_examples() -> None:
    assert CliRunner().invoke(main, ["gameday", "--help"]).output.count("  driftbell gameday --monitors") == 2


MISTAKES = [
    (["--kinds", "renam"], "there is no kind of fault 'renam'; did you mean 'rename'?"),
    (["--features", "nswprise"], "there is no feature 'nswprise'; did you mean 'nswprice'?"),
    (["--kinds", "category-case"], "none of these faults fits the model's columns; leave --kinds or --features out"),
    (["--model", "power"], "no monitor is of model 'power'; write power-price"),
    (["--events", "none.jsonl"], "there is no file or folder none.jsonl; --events names the log"),
    (["--monitors", "none.yaml"], "cannot read none.yaml: No such file or directory"),
    (["--monitors", "lost.yaml"], "power-price: the reference 'lost.profile' is neither a file nor given with --reference"),
    (["--monitors", "two.yaml"], "the monitors are of 2 models; say --model a or b"),
    (["--monitors", "wide.yaml"], "the log is shorter than four windows, so nothing can be learned of it; take a longer one"),
    (["--require", "most"], "--require 'most' is no share; write 50% or 0.5"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES)
def test_a_mistake_is_one_sentence(arguments: list[str], sentence: str) -> None:
    Path("lost.yaml").write_text("models: {power-price: {reference: lost.profile}}")
    Path("two.yaml").write_text("models: {a: {}, b: {}}")
    Path("wide.yaml").write_text("models: {power-price: {pane: 1h, windows: [4h]}}")
    failed = gameday(*arguments)
    assert failed.exit_code == 2, failed.exception
    assert failed.stderr.startswith(f"driftbell: {sentence}")
    assert failed.stderr.count("\n") == 1
