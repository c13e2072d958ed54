"""A name that is misspelt is said to be so, with the one that was probably meant, and is no success."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from service.cli.main import main
from service.monitor import Monitor
from service.store.configuration import apply_monitors
from service.store.engine import transaction
from tests.web.seeding import add_partition

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def _churn(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """One model without a finding, and one topic."""
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    apply_monitors(engine, [Monitor("churn")], [], 0)
    with transaction(engine) as connection:
        add_partition(connection, "inference-log", 0)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize(
    "command",
    [
        ["export", "--model"], ["incidents", "list", "--model"], ["incidents", "list", "--json", "--model"],
        ["reference", "history", "--model"], ["performance"], ["health"], ["slices"], ["score"], ["labels"],
        ["report", "day"],
    ],
)  # fmt: skip
@pytest.mark.parametrize(("name", "guess"), [("chrun", " did you mean 'churn'?"), ("nope", "")])
def test_a_model_that_there_is_not(command: list[str], name: str, guess: str) -> None:
    failed = run(*command, name)
    advice = "`driftbell export` shows the monitors that there are"
    assert failed.stderr == f"driftbell: there is no model {name!r};{guess} {advice}\n"
    assert (failed.exit_code, failed.stdout) == (2, "")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["export", "--model", "churn"], "churn"),
        (["incidents", "list", "--model", "churn"], "no incidents"),
        (["reference", "history", "--model", "churn"], "nothing was accepted for model churn"),
        (["partitions", "resume", "inference-log"], "inference-log: 0 partitions go on"),
    ],
)
def test_of_one_that_there_is_it_may_be_that_nothing_is_known(command: list[str], said: str) -> None:
    done = run(*command)
    assert done.exit_code == 0
    assert said in done.stdout


@pytest.mark.parametrize("command", [["resume"], ["reset", "--yes"]])
@pytest.mark.parametrize(("name", "guess"), [("inference", " did you mean 'inference-log'?"), ("nope", "")])
def test_a_topic_that_there_is_not(command: list[str], name: str, guess: str) -> None:
    failed = run("partitions", *command, name)
    assert failed.exit_code == 2
    assert (
        failed.stderr
        == f"driftbell: there is no topic {name!r};{guess} those that were read: inference-log\n"
    )


def test_a_topic_whose_positions_were_forgotten_is_known_all_the_same() -> None:
    said = [run("partitions", "reset", "inference-log", "--yes", *more) for more in ([], ["--recount"])]
    assert [one.stdout for one in said] == ["inference-log: 1 partition forgotten\n"] * 2
