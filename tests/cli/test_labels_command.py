"""`driftbell labels` tells how long labels take, and which windows have theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, insert

from service.cli.main import main
from service.monitor import DAY_MS, Monitor, Task
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from service.store.partitions import ensure_partitions
from service.store.tables import label_delay, performance_course
from tests.web.seeding import (
    NOW_MS,
    WINDOW_MS,
    add_grid,
    add_model,
    add_performance,
    add_window,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
def engine(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", database)
    monkeypatch.setattr("service.cli.labels.now_ms", lambda: NOW_MS)
    made = connect(database)
    migrate(made)
    ensure_partitions(made, NOW_MS - DAY_MS, NOW_MS)
    with transaction(made) as connection:
        add_grid(connection)
        add_model(connection, "churn", monitor=Monitor("churn", task=Task.BINARY))
    yield made
    made.dispose()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["labels", *arguments], catch_exceptions=False)


def add_delays(engine: Engine, counts: dict[int, int]) -> None:
    with transaction(engine) as connection:
        for place, n in counts.items():
            connection.execute(insert(label_delay).values(model="churn", bin=place, n=n))


def test_windows_are_shown_with_their_coverage_and_what_is_usual_at_their_age(engine: Engine) -> None:
    # delays   90 of 100 labels come within 256 s, the others within 18 hours
    add_delays(engine, {8 * 8 - 1: 900, 8 * 16 - 1: 100})
    with transaction(engine) as connection:
        for back, labelled in ((0, 0), (1, 80), (3, 90)):
            add_window(connection, "churn", NOW_MS - back * WINDOW_MS)
            if labelled:
                add_performance(connection, "churn", NOW_MS - back * WINDOW_MS, n=labelled)
        connection.execute(insert(performance_course).values(model="churn", judged_ms=NOW_MS - WINDOW_MS))
    lines = [" ".join(line.split()) for line in run("churn").output.splitlines()]
    assert lines == [
        "of the newest 1,000 labels half came within 4m15s, nine in ten within 4m15s, 99 in 100 within 18h12m",
        "a window is ripe 4m15s after its end; all until 2026-11-21 23:55 are judged",
        "window ends (UTC) version predictions labels coverage usual by now",
        "2026-11-22 00:00 1 100 0 0.0 % 0.0 % waits for labels",
        "2026-11-21 23:55 1 100 80 80.0 % 90.0 % ripe",
        "2026-11-21 23:45 1 100 90 90.0 % 90.0 % ripe",
    ]
    found = json.loads(run("churn", "--json").output)
    assert found["curve"] == [{"seconds": 255.0, "share": 0.9}, {"seconds": 65_535.0, "share": 1.0}]
    assert [one["is_ripe"] for one in found["windows"]] == [False, True, True]


def test_before_labels_come_and_while_they_are_few_it_says_so(engine: Engine) -> None:
    assert run("churn").output == "no label of this model has found its prediction yet (docs/labels.md)\n"
    add_delays(engine, {10: 7})
    assert "too few to say how long labels take: no window is judged yet" in run("churn").output


def test_a_model_that_is_not_there_is_one_sentence(engine: Engine) -> None:
    result = run("chrun")
    assert result.exit_code == 2
    assert (
        "there is no model 'chrun'; did you mean 'churn'? `driftbell export` shows the monitors that there are"
        in result.stderr
    )
