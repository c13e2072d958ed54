"""`driftbell compare` says first whether a version is better, and then what that rests on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, update

from service.cli.main import main
from service.monitor import DAY_MS
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from service.store.tables import pane
from tests.store.two_versions import T, side_by_side
from tests.web.seeding import HOSTILE_NAMES

pytestmark = pytest.mark.postgres


@pytest.fixture
def engine(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", database)
    made = connect(database)
    migrate(made)
    yield made
    made.dispose()


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["compare", *arguments])
    assert result.exit_code == code, result.output
    return result


def test_the_verdict_is_the_first_line_and_tables_follow(engine: Engine) -> None:
    side_by_side(engine, {"7": 50, "8": 100})
    lines = [" ".join(line.split()) for line in run("churn", "8", "7").output.splitlines()]
    assert lines[0] == (
        "8 is worse than 7: its error rate is 20.00% against 10.00%, a difference of +8.48 to +11.52 points, "
        "of 10,000 and 10,000 labels"
    )
    for line in (
        "churn, 2026-11-22 00:00 to 2026-11-22 10:00 UTC",
        "8 7 apart",
        "rows 400 400",
        "share of traffic 50.0% 50.0%",
        "prediction 'no' 50.0% 50.0% tv 0, p 0.96",
        "latency_ms p99 10 10",
        "performance, with 95 % intervals for one look; realized in the 10 hours with labels of both",
        "accuracy, realized 0.8 0.792 to 0.8077 0.9 0.894 to 0.9057 10,000 and 10,000",
        "segments, with intervals that hold for all of them and all looks together",
    ):
        assert line in lines
    assert any(line.startswith("country=DE worse error rate 0.2 0.1 +0.0") for line in lines)


def test_without_versions_the_two_with_the_most_recent_traffic_are_compared(engine: Engine) -> None:
    side_by_side(engine, {"7": 50, "8": 50}, hours=2)
    assert "of 8 and 7" in run("churn").output.splitlines()[0]
    assert "of 7 and 8" in run("churn", "7").output.splitlines()[0]


def test_a_start_that_moves_is_said_below_the_verdict(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    side_by_side(engine, {"7": 50, "8": 50}, hours=2)
    monkeypatch.setattr("service.cli.compare.now_ms", lambda: T + 91 * DAY_MS)
    assert run("churn").output.splitlines()[1].startswith("outcomes before 2026-11-23T00:00:00Z are deleted")
    monkeypatch.setenv("DRIFTBELL_RETENTION_RESULTS", "900d")
    assert "are deleted" not in run("churn").output


def test_programs_get_one_object(engine: Engine) -> None:
    side_by_side(engine, {"7": 50, "8": 100}, hours=2)
    told = json.loads(run("churn", "8", "7", "--segment", "country=DE", "--margin", "0.02", "--json").output)
    assert (told["version"], told["against"], told["segment"]) == ("8", "7", "country=DE")
    assert (told["comparison"]["standing"], told["comparison"]["margin"]) == ("worse", 0.02)
    assert told["verdict"].startswith("8 is worse than 7")


def test_names_out_of_events_are_shown_as_text(engine: Engine) -> None:
    side_by_side(engine, {"7": 5, "8": 5}, hours=1, rows=50)
    for name in (HOSTILE_NAMES[3], "\x1b[31mred", "[red]8[/red]"):
        with transaction(engine) as connection:
            connection.execute(update(pane).where(pane.c.version != "7").values(version=name))
        output = run("churn", name, "7").output
        assert "\x1b" not in output
        assert "\u202e" not in output
    assert "[red]8[/red]" in output


@pytest.mark.usefixtures("engine")
def test_what_cannot_be_compared_is_said() -> None:
    assert "needs traffic of two versions to compare, and has it of: none" in run("churn", code=2).output
    assert "two versions are compared, not 3" in run("churn", "1", "2", "3", code=2).output
    assert "--since 'soon' is no time" in run("churn", "--since", "soon", code=2).output
    for margin in ("0", "inf", "nan", "1e200"):
        assert "--margin" in run("churn", "--margin", margin, code=2).output
