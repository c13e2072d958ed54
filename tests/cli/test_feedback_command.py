"""`driftbell feedback` lists what a person should label, to people and to programs."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from service.cli.main import main
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from tests.web.seeding import NOW_MS, WINDOW_MS
from tests.web.test_feedback import add_feedback, add_retraining

pytestmark = pytest.mark.postgres


@pytest.fixture
def engine(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", database)
    made = connect(database)
    migrate(made)
    yield made
    made.dispose()


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["feedback", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_it_lists_ids_with_the_reasons_the_newest_first(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_feedback(connection, "p-1", answer={"score": 0.5, "label": "yes"})
        add_feedback(connection, "p-2", kind="random", value=None, why="drawn by chance, as a control")
        add_feedback(connection, "q-1", "fraud")
    lines = [" ".join(line.split()) for line in run("churn").output.splitlines()]
    assert lines == [
        "window ends (UTC) kind value inference id version answer why",
        "2026-11-22 00:00 random p-2 1 label yes drawn by chance, as a control",
        "2026-11-22 00:00 uncertain 0.5 p-1 1 label yes, score 0.5 its score is 0.5",
    ]
    assert "p-2" not in run("churn", "--kind", "uncertain").output
    assert "nothing is chosen" in run("churn", "--since", "2026-11-22T00:00:00Z").output


def test_programs_get_a_line_of_json_for_each_with_its_features(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_feedback(connection, "p-1")
    (line,) = run("churn", "--json").output.splitlines()
    told = json.loads(line)
    assert (told["inference_id"], told["features"], told["end_ms"]) == ("p-1", {"amount": 2.5}, NOW_MS)


def test_what_moves_a_cursor_or_is_markup_is_shown_as_text(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_feedback(connection, "\x1b[2J[red]x[/red]", why="country is '\u202eDE'", answer={"label": "\x07"})
    said = run("churn").output
    assert "\\x1b[2J[red]x[/red]" in said
    assert not {"\x1b", "\u202e", "\x07"} & set(said)


def test_advice_to_train_again_says_on_what(engine: Engine) -> None:
    assert "no alert has asked" in run("churn", "--retraining").output
    with transaction(engine) as connection:
        add_retraining(connection, summary="churn should be trained again")
    lines = run("churn", "--retraining").output.splitlines()
    assert lines == [
        "2026-11-22 00:00  i-1  churn should be trained again",
        "    2026-11-21 23:55 to 2026-11-22 00:00: 60 labelled predictions",
    ]
    (line,) = run("churn", "--retraining", "--json").output.splitlines()
    assert json.loads(line)["spans"][0]["until_ms"] - json.loads(line)["spans"][0]["from_ms"] == WINDOW_MS


@pytest.mark.usefixtures("engine")
def test_where_nothing_is_chosen_it_says_why_that_may_be() -> None:
    assert "either the monitor has no `feedback:`" in run("churn").output
    assert run("churn", "--json").output == ""
