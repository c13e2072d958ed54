"""`driftbell tune`: limits proposed from history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli.main import main
from service.monitor_file import parse_monitors
from tests.injection.power import write_game


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The electricity model's log, reference and monitors."""
    return write_game(tmp_path_factory.mktemp("game"), windows=6)


@pytest.fixture(autouse=True)
def _there(game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(game)


def tune(*arguments: str) -> Result:
    """The command, without a progress bar."""
    usual = ["tune", "--monitors", "monitors.yaml", "--events", "log.jsonl", "--quiet", "--quick"]
    return CliRunner().invoke(main, [*usual, *arguments])


@pytest.mark.slow
def test_it_shows_the_trade_and_writes_the_proposal() -> None:
    done = tune("--find", "missing:10%", "--feature", "nswdemand", "--out", "tuned.yaml")
    assert done.exit_code == 0, done.output
    assert done.stderr == "at most 9 replays of 2,400 events\n"
    table = done.stdout.splitlines()
    assert len([line for line in table if line.startswith("->")]) == 1
    assert "Asked for: missing of 10 %." in done.stdout
    assert table[-1] == "written to tuned.yaml"
    before, after = (
        parse_monitors(Path(name).read_text(), name)[0] for name in ("monitors.yaml", "tuned.yaml")
    )
    assert after.budget.false_pages in {0.3, 1.0, 3.0}
    assert (after.reference, after.windows, after.segments) == (
        before.reference,
        before.windows,
        before.segments,
    )


@pytest.mark.slow
def test_the_same_for_programs() -> None:
    told = json.loads(tune("--find", "missing:50%", "--json", "--windows", "5").stdout)
    assert told["goals"] == {"missing": 0.5}
    assert [trial["false_pages"] for trial in told["trials"]] == [0.3, 1.0, 3.0]
    assert told["finds_all"]
    assert told["trials"][told["proposed"]]["smallest"]["missing"]["strength"] <= 0.5
    assert told["trials"][told["proposed"]]["pages"] == 0


def test_the_help_has_two_examples() -> None:
    assert CliRunner().invoke(main, ["tune", "--help"]).output.count("  driftbell tune --monitors") == 2


MISTAKES = [
    (["--find", "mising:1%"], "--find 'mising:1%': there is no such fault; did you mean 'missing'?, as in missing:1%"),
    (["--feature", "nswprise"], "there is no feature 'nswprise'; did you mean 'nswprice'?"),
    (["--out", "none/tuned.yaml"], "cannot write none/tuned.yaml: it is a folder, or in none that exists"),
    (["--events", "none.jsonl"], "there is no file or folder none.jsonl; --events names the log"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES)
def test_a_mistake_is_one_sentence(arguments: list[str], sentence: str) -> None:
    failed = tune(*arguments)
    assert failed.exit_code == 2, failed.exception
    assert failed.stderr.startswith(f"driftbell: {sentence}")
    assert failed.stderr.count("\n") == 1
