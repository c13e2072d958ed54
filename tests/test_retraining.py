"""The advice to train again: told when concept drift fires, once a day at most, and once more when there are data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from service.alerting.delivery import Delivery
from service.configuration import Configuration, ModelVersion
from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, Monitor, Task, WindowSpec
from service.retraining import advise_retraining
from service.sketches.grids import Grid
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from service.store.outbox import Outbox
from service.store.partitions import ensure_partitions
from service.store.results import LeaseLost, lease
from service.store.tables import alert, evaluation, label_delay, outbox, retraining
from tests.web.seeding import NOW_MS, WINDOW_MS, add_alert, add_performance, add_window

pytestmark = pytest.mark.postgres

T = NOW_MS
MONITOR = Monitor(
    "churn", task=Task.BINARY, windows=(WindowSpec.tumbling(5 * MINUTE_MS), WindowSpec.tumbling(HOUR_MS))
)
CONFIGURATION = Configuration({"churn": (ModelVersion(MONITOR, Grid()),)}, 1)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = connect(database)
    migrate(made)
    ensure_partitions(made, T - DAY_MS, T + 5 * DAY_MS)
    yield made
    made.dispose()


def add(engine: Engine, seed: Any, *values: Any, **changes: Any) -> None:
    with transaction(engine) as connection:
        seed(connection, *values, **changes)


def drifts(engine: Engine, alert_id: str = "a-1", **changes: Any) -> None:
    """Concept drift fires, begun at T."""
    usual = {
        "cause": "concept_drift",
        "since_ms": T,
        "fired_ms": T + WINDOW_MS,
        "summary": "wrong more often",
    }
    add(engine, add_alert, alert_id, "churn", **usual | changes)


def labelled(engine: Engine, window: int, n: int = 60, **changes: Any) -> None:
    """A window, the first of which begins at T, whose predictions have labels."""
    end = T + (window + 1) * WINDOW_MS
    add(engine, add_window, "churn", end, incomplete=changes.pop("incomplete", False), **changes)
    add(engine, add_performance, "churn", end, n=n, **changes)
    add(engine, add_performance, "churn", end, n=n - 1, metric="roc_auc", **changes)


def labels_take_a_minute(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(insert(label_delay).values(model="churn", bin=47, n=1_000))


def advance(engine: Engine, at_ms: int, configuration: Configuration = CONFIGURATION) -> None:
    with lease(engine, "churn", "me") as held:
        assert held is not None
        assert not advise_retraining(engine, held, configuration, at_ms)


def told(engine: Engine) -> list[Any]:
    with transaction(engine) as connection:
        return list(connection.execute(select(retraining).order_by(retraining.c.id)))


def messages(engine: Engine) -> list[Any]:
    with transaction(engine) as connection:
        return list(connection.execute(select(outbox.c.message).order_by(outbox.c.id)).scalars())


def test_an_alert_of_concept_drift_tells_what_to_train_on(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    labels_take_a_minute(engine)
    for window in range(4):
        labelled(engine, window, incomplete=window == 2)
    labelled(engine, 3, 40, version="2")
    labelled(engine, 0, 999, segment="country=DE")
    drifts(engine)
    advance(engine, T + 4 * WINDOW_MS + 2 * MINUTE_MS)
    (row,) = told(engine)
    assert row.spans == [
        {"from_ms": T, "until_ms": T + 2 * WINDOW_MS, "labels": 120},
        {"from_ms": T + 3 * WINDOW_MS, "until_ms": T + 4 * WINDOW_MS, "labels": 100},
    ]
    assert (row.alert_id, row.incident, row.cause, row.labels) == ("a-1", "incident-1", "concept_drift", 220)
    (message,) = messages(engine)
    assert (message["kind"], message["state"], message["labels"]) == ("retraining", "advised", 220)
    assert message["summary"].startswith(
        "churn 1 should be trained again: wrong more often; good to train on are 220"
    )
    sent: list[Any] = []
    caplog.set_level("INFO")
    Delivery(Outbox(engine), sent.append).deliver()
    assert sent == [message]
    assert "ADVISED info concept_drift: churn 1 should be trained again" in caplog.text


def test_the_same_alert_is_told_of_once(engine: Engine) -> None:
    labels_take_a_minute(engine)
    labelled(engine, 0)
    drifts(engine)
    for day in range(4):
        advance(engine, T + HOUR_MS + day * DAY_MS)
    assert len(told(engine)) == len(messages(engine)) == 1


def test_another_alert_is_told_of_the_next_day(engine: Engine) -> None:
    labels_take_a_minute(engine)
    labelled(engine, 0)
    drifts(engine)
    advance(engine, T + HOUR_MS)
    drifts(engine, "a-2", cause="subgroup_gap", segment="country=DE", fired_ms=T + HOUR_MS)
    advance(engine, T + DAY_MS)
    assert [row.alert_id for row in told(engine)] == ["a-1"]
    advance(engine, T + HOUR_MS + DAY_MS)
    assert [row.alert_id for row in told(engine)] == ["a-1", "a-2"]


def test_without_data_it_is_told_at_once_and_once_more_when_there_are(engine: Engine) -> None:
    drifts(engine)
    for hour in (1, 2, 26, 27):
        advance(engine, T + hour * HOUR_MS)
    assert [(row.labels, row.spans) for row in told(engine)] == [(0, [])]
    labels_take_a_minute(engine)
    labelled(engine, 3)
    for hour in (28, 29, 80):
        advance(engine, T + hour * HOUR_MS)
    assert [row.labels for row in told(engine)] == [0, 60]


def test_an_alert_that_waits_for_its_data_holds_no_other_back(engine: Engine) -> None:
    drifts(engine)
    advance(engine, T + HOUR_MS)
    drifts(engine, "a-2", cause="performance", fired_ms=T + HOUR_MS)
    advance(engine, T + 26 * HOUR_MS)
    assert [row.alert_id for row in told(engine)] == ["a-1", "a-2"]


@pytest.mark.parametrize("changes", [
    {"cause": "data_drift"}, {"state": "pending", "fired_ms": None}, {"state": "resolved"}, {"consequence": True},
])  # fmt: skip
def test_what_does_not_fire_or_is_no_concept_drift_asks_for_no_training(
    engine: Engine, changes: dict[str, Any]
) -> None:
    drifts(engine, **changes)
    advance(engine, T + HOUR_MS)
    assert (told(engine), messages(engine)) == ([], [])


def test_windows_in_which_something_else_has_fired_are_left_out(engine: Engine) -> None:
    labels_take_a_minute(engine)
    for window in range(4):
        labelled(engine, window)
    drifts(engine)
    others = [
        {
            "since_ms": T + WINDOW_MS,
            "at_ms": T + 2 * WINDOW_MS,
            "state": "resolved",
            "fired_ms": T + WINDOW_MS,
        },
        {"since_ms": T, "at_ms": T + WINDOW_MS, "state": "pending", "fired_ms": None},
        {"since_ms": T, "at_ms": T + WINDOW_MS, "fired_ms": T, "consequence": True},
    ]
    for number, changes in enumerate(others):
        add(engine, add_alert, f"other-{number}", "churn", **changes)
    add(engine, add_alert, "elsewhere", "fraud", since_ms=T, fired_ms=T)
    advance(engine, T + HOUR_MS)
    (row,) = told(engine)
    assert [(s["from_ms"] - T, s["until_ms"] - T) for s in row.spans] == [
        (0, WINDOW_MS), (2 * WINDOW_MS, 4 * WINDOW_MS)
    ]  # fmt: skip


def test_who_has_lost_the_lease_tells_nothing(engine: Engine) -> None:
    drifts(engine)
    with lease(engine, "churn", "me") as held:
        assert held is not None
        with transaction(engine) as connection:
            connection.execute(update(evaluation).values(token=None))
        with pytest.raises(LeaseLost):
            advise_retraining(engine, held, CONFIGURATION, T + HOUR_MS)
    assert (told(engine), messages(engine)) == ([], [])


def test_a_model_without_a_task_is_not_asked_about(engine: Engine) -> None:
    drifts(engine)
    watched = Configuration({"churn": (ModelVersion(Monitor("churn"), Grid()),)}, 1)
    advance(engine, T + HOUR_MS, watched)
    with transaction(engine) as connection:
        assert connection.execute(select(alert.c.id)).scalars().all() == ["a-1"]
    assert told(engine) == []
