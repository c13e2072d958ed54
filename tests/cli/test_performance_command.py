"""`driftbell performance` shows how predictions turned out, to people and to programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from service.cli.main import main
from service.monitor import Monitor, WindowSpec
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from tests.web.seeding import NOW_MS, WINDOW_MS, add_grid, add_model, add_performance

pytestmark = pytest.mark.postgres


@pytest.fixture
def engine(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", database)
    made = connect(database)
    migrate(made)
    yield made
    made.dispose()


def add_monitor(engine: Engine, **described: Any) -> None:
    with transaction(engine) as connection:
        add_grid(connection)
        add_model(connection, "churn", monitor=Monitor("churn", **described))


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["performance", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_it_shows_metrics_with_their_intervals_the_latest_first(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_performance(connection, "churn", NOW_MS - WINDOW_MS, value=0.8125, n=1_200)
        add_performance(connection, "churn", NOW_MS)
        add_performance(
            connection, "churn", NOW_MS, metric="f1", value=None, low=None, high=None, reason="no_rows"
        )
        add_performance(connection, "churn", NOW_MS, segment="country=DE", metric="recall")
    lines = [" ".join(line.split()) for line in run("churn").output.splitlines()]
    assert lines == [
        "window ends (UTC) window version segment metric value 95 % interval labels",
        "2026-11-22 00:00 5m 1 f1 no rows 60",
        "2026-11-22 00:00 5m 1 accuracy 0.9 0.8 to 0.95 60",
        "2026-11-21 23:55 5m 1 accuracy 0.8125 0.8 to 0.95 1,200",
    ]
    assert "recall" in run("churn", "--segment", "country=DE").output
    assert "f1" not in run("churn", "--metric", "accuracy").output


def test_programs_get_a_line_of_json_for_each(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_performance(connection, "churn", NOW_MS)
    (line,) = run("churn", "--json").output.splitlines()
    told = json.loads(line)
    assert (told["metric"], told["value"], told["n"], told["end_ms"]) == ("accuracy", 0.9, 60, NOW_MS)


def test_where_nothing_is_known_it_says_why_that_may_be(engine: Engine) -> None:
    add_monitor(engine)
    assert "no label has come, or the monitor names no task" in run("churn").output
    assert run("churn", "--json").output == ""


def test_estimates_are_shown_with_what_they_assume_and_never_among_realized(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_performance(connection, "churn", NOW_MS, value=0.7)
        add_performance(connection, "churn", NOW_MS, basis="estimated", value=0.8125, n=1_200)
        add_performance(connection, "rent", NOW_MS, basis="estimated", metric="mae", value=4.5)
        add_performance(connection, "bad", NOW_MS, basis="estimated", value=None, low=None, high=None,
                        reason="no_scores")  # fmt: skip
    lines = [" ".join(line.split()) for line in run("churn", "--basis", "estimated").output.splitlines()]
    assert lines == [
        "window ends (UTC) window version segment metric value 95 % interval rows",
        "2026-11-22 00:00 5m 1 accuracy 0.8125 0.8 to 0.95 1,200",
        "estimated without labels, assuming no concept drift: P(label | score) as in the reference",
    ]
    assert "0.8125" not in run("churn").output
    assert "no concept drift" not in run("churn").output
    assert "the size of errors at each prediction" in run("rent", "--basis", "estimated").output
    assert "no scores" in run("bad", "--basis", "estimated").output
    told = json.loads(run("rent", "--basis", "estimated", "--json").output)
    assert (told["basis"], told["assumption"]) == (
        "estimated", "no concept drift: the size of errors at each prediction as in the reference",
    )  # fmt: skip
    add_monitor(engine)
    assert "no label has come" not in run("churn", "--metric", "f1", "--basis", "estimated").output


def test_an_unknown_model_or_kind_of_window_is_named_with_those_that_there_are(engine: Engine) -> None:
    add_monitor(engine, windows=(WindowSpec.tumbling(300_000), WindowSpec.tumbling(3_600_000)))
    failed = CliRunner().invoke(main, ["performance", "churn", "--window", "7x"])
    assert (failed.exit_code, failed.stderr) == (2, "driftbell: churn has no windows of 7x, but of 5m, 1h\n")
    failed = CliRunner().invoke(main, ["performance", "chrn", "--json"])
    assert failed.exit_code == 2
    assert failed.stderr == (
        "driftbell: there is no model 'chrn'; did you mean 'churn'? "
        "`driftbell export` shows the monitors that there are\n"
    )


def test_an_unknown_metric_is_named_with_those_that_there_are(engine: Engine) -> None:
    add_monitor(engine)
    failed = CliRunner().invoke(main, ["performance", "churn", "--metric", "acuracy"])
    assert failed.exit_code == 2
    assert failed.stderr.startswith(
        "driftbell: there is no metric 'acuracy'; did you mean 'accuracy'? there are accuracy, balanced_accuracy,"
    )
    assert "rmse" in failed.stderr
    assert "no label has come" in run("churn", "--metric", "rmse").output


def test_windows_of_a_kind_that_the_monitor_no_longer_has_are_still_shown(engine: Engine) -> None:
    add_monitor(engine, windows=(WindowSpec.tumbling(3_600_000),))
    with transaction(engine) as connection:
        add_performance(connection, "churn", NOW_MS)
    assert "accuracy" in run("churn", "--window", "5m").output


def test_windows_of_seconds_are_told_apart(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_performance(connection, "churn", NOW_MS + 5_000)
        add_performance(connection, "churn", NOW_MS + 60_000)
    ends = [line.split("  ")[0].strip() for line in run("churn").output.splitlines()[1:]]
    assert ends == ["2026-11-22 00:01", "2026-11-22 00:00:05"]
