"""Labels restate the windows of their predictions, once those have ended, and only by whoever holds the lease."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import Engine, insert, select, text

from service.configuration import Configuration, ModelVersion
from service.messages import JoinRows, Stream
from service.monitor import DAY_MS, MINUTE_MS, LabelPolicy, Monitor, Task, WindowSpec
from service.performance.delays import delay_seconds
from service.realized import realize
from service.sketches.grids import Grid
from service.sketches.inbox_codec import rows_to_bytes
from service.store.engine import connect, transaction
from service.store.gauge_queries import label_delays
from service.store.migrate import migrate
from service.store.results import LeaseLost, lease
from service.store.tables import (
    join_inbox,
    join_share,
    outcome_news,
    performance,
    waiting_label,
    waiting_prediction,
)

pytestmark = pytest.mark.postgres

MONITOR = Monitor(
    "churn", task=Task.BINARY, windows=(WindowSpec.tumbling(5 * MINUTE_MS), WindowSpec(10 * MINUTE_MS, 5 * MINUTE_MS)),
    labels=LabelPolicy(wait_ms=DAY_MS, most_waiting=2_000),
)  # fmt: skip
CONFIGURATION = Configuration({"churn": (ModelVersion(MONITOR, Grid()),)}, 1)
T = 100 * DAY_MS


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = connect(database)
    migrate(made)
    yield made
    made.dispose()


def leave(engine: Engine, offset: int, stream: Stream, rows: dict[int, tuple[int, str]]) -> None:
    """Predictions or labels by id: their minute, and what they say."""
    n, classes = len(rows), ("no", "yes")
    made = JoinRows(
        "churn", stream, np.array(list(rows), np.uint64), np.array([T + m * MINUTE_MS for m, _ in rows.values()]),
        np.array([classes.index(says) for _, says in rows.values()], np.int32), classes, np.full(n, np.nan),
        np.full(n, np.nan), np.zeros(n, np.int32), (("7",) if stream is Stream.INFERENCE else (),),
    )  # fmt: skip
    row = {"topic": "t", "partition": 0, "next_offset": offset, "place": 0, "model": "churn", "rows": n}
    with transaction(engine) as connection:
        connection.execute(insert(join_inbox).values(row | {"columns": rows_to_bytes(made)}))


def advance(engine: Engine, minute: int) -> int:
    """Work until nothing is left to do; how many turns that took."""
    turns = 0
    with lease(engine, "churn", "me") as held:
        assert held is not None
        while realize(engine, held, CONFIGURATION, T + minute * MINUTE_MS):
            turns += 1
            assert turns < 20
    return turns


def told(engine: Engine, kind: str = "5m") -> dict[int, tuple[int, float | None]]:
    """Labelled rows and accuracy by the minute in which a window ends."""
    c = performance.c
    query = select(c.end_ms, c.n, c.value).where(c.window == kind, c.metric == "accuracy", c.segment == "")
    with transaction(engine) as connection:
        return {(row.end_ms - T) // MINUTE_MS: (row.n, row.value) for row in connection.execute(query)}


def test_a_window_is_told_when_it_has_ended_and_again_when_another_label_comes(engine: Engine) -> None:
    # minute       0   1   2   3   4 | 5 ... 9 | 10
    # predictions  1   2             | 3
    leave(engine, 1, Stream.INFERENCE, {1: (0, "yes"), 2: (1, "yes"), 3: (5, "no")})
    leave(engine, 2, Stream.LABEL, {1: (2, "yes")})
    advance(engine, 4)
    assert told(engine) == {}
    advance(engine, 5)
    assert told(engine) == {5: (1, 1.0)}
    leave(engine, 3, Stream.LABEL, {2: (60, "no"), 3: (61, "no")})
    advance(engine, 70)
    assert told(engine) == {5: (2, 0.5), 10: (1, 1.0)}
    assert told(engine, "10m/5m") == {5: (2, 0.5), 10: (3, pytest.approx(2 / 3)), 15: (1, 1.0)}
    with transaction(engine) as connection:
        assert connection.execute(select(outcome_news)).all() == []


def test_what_was_told_and_has_not_changed_is_not_told_again(engine: Engine) -> None:
    leave(engine, 1, Stream.INFERENCE, {1: (0, "yes")})
    leave(engine, 2, Stream.LABEL, {1: (1, "yes")})
    advance(engine, 5)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE performance SET value = -1"))
    assert advance(engine, 6) == 1
    assert told(engine) == {5: (1, -1)}
    leave(engine, 3, Stream.LABEL, {1: (2, "no")})
    advance(engine, 6)
    assert told(engine) == {5: (1, 0.0)}


def test_what_waits_for_too_long_is_forgotten_and_a_late_half_then_finds_nothing(engine: Engine) -> None:
    leave(engine, 1, Stream.INFERENCE, {1: (0, "yes")})
    leave(engine, 2, Stream.LABEL, {7: (0, "no")})
    advance(engine, 10)
    day = DAY_MS // MINUTE_MS
    advance(engine, day + 1)
    with transaction(engine) as connection:
        assert connection.execute(select(waiting_prediction)).all() == []
        assert connection.execute(select(waiting_label)).all() == []
    leave(engine, 3, Stream.LABEL, {1: (day, "yes")})
    advance(engine, day + 2)
    assert told(engine) == {}


def test_when_too_much_waits_half_of_the_ids_are_joined_no_more_and_those_that_are_stay_joined(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    random = np.random.default_rng(2)
    ids = random.integers(1, 2**64, 5_000, np.uint64).tolist()
    wrong = {id_: random.random() < 0.3 for id_ in ids}
    leave(engine, 1, Stream.INFERENCE, dict.fromkeys(ids, (0, "yes")))
    advance(engine, 4)
    leave(engine, 2, Stream.LABEL, {id_: (5, "no" if wrong[id_] else "yes") for id_ in ids})
    assert "one in 4 inference ids is" in caplog.text
    caplog.clear()
    advance(engine, 10)
    rows, accuracy = told(engine)[5]
    kept = [id_ for id_ in ids if id_ < 2**62]
    assert (rows, accuracy) == (len(kept), pytest.approx(1 - np.mean([wrong[id_] for id_ in kept])))
    with transaction(engine) as connection:
        assert connection.execute(select(join_share.c.waiting)).scalar_one() == len(kept)
        assert len(connection.execute(select(waiting_prediction)).all()) == len(kept)


def test_how_long_first_labels_take_is_counted_once_each(engine: Engine) -> None:
    leave(engine, 1, Stream.INFERENCE, dict.fromkeys(range(1, 11), (0, "yes")))
    leave(engine, 2, Stream.LABEL, {i: (i, "yes") for i in range(1, 11)})
    advance(engine, 20)
    leave(engine, 3, Stream.LABEL, {1: (500, "no")})
    advance(engine, 600)
    with transaction(engine) as connection:
        counts = label_delays(connection)["churn"]
    assert sum(counts.values()) == 10
    for share in (0.5, 0.9):
        assert delay_seconds(counts, share) == pytest.approx(share * 600, rel=0.1)
    assert delay_seconds({}, 0.5) is None


def test_who_has_lost_the_lease_changes_nothing(engine: Engine) -> None:
    leave(engine, 1, Stream.INFERENCE, {1: (0, "yes")})
    with lease(engine, "churn", "me") as held:
        assert held is not None
        with transaction(engine) as connection:
            connection.execute(text("UPDATE evaluation SET token = gen_random_uuid()"))
        with pytest.raises(LeaseLost):
            realize(engine, held, CONFIGURATION, T)
    with transaction(engine) as connection:
        assert len(connection.execute(select(join_inbox)).all()) == 1


def test_a_model_without_a_task_is_left_alone(engine: Engine) -> None:
    plain = Configuration({"churn": (ModelVersion(Monitor("churn"), Grid()),)}, 1)
    with lease(engine, "churn", "me") as held:
        assert held is not None
        assert not realize(engine, held, plain, T)
