"""What roles have left behind is read as it stands, by the database's own clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, insert, text

from service.monitor import HOUR_MS, MINUTE_MS, Monitor
from service.store.configuration import apply_monitors
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from service.store.standing import (
    dead_letters_seen,
    evaluations_seen,
    monitors_seen,
    outbox_seen,
    partitions_seen,
)
from service.store.tables import evaluation, join_inbox, outbox
from service.store.watermarks import load_progress
from tests.web.seeding import add_dead_letter, add_pane, add_partition

pytestmark = pytest.mark.postgres

NOW_MS = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS
Add = Callable[..., None]


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = connect(database)
    migrate(made)
    yield made
    made.dispose()


@pytest.fixture
def add(engine: Engine) -> Add:
    def call(seed: Callable[..., None], *values: Any, **changes: Any) -> None:
        with transaction(engine) as connection:
            seed(connection, *values, **changes)

    return call


def test_partitions_tell_how_long_they_have_been_silent(engine: Engine, add: Add) -> None:
    add(add_partition, "log", 1, owner="host-1:7", halted="why", deaths=2)
    add(add_partition, "log", 0, updated_at=func.now() - text("interval '2 minutes'"))
    now_ms, (first, second) = partitions_seen(engine)
    assert abs(now_ms - time.time_ns() // 1_000_000) < 10_000
    assert (first.number, first.owner, 119_000 < first.silent_ms < 125_000) == (0, None, True)
    assert (second.owner, second.halted, second.deaths, second.lag) == ("host-1:7", "why", 2, 3)


def test_an_evaluation_is_told_with_watermark_panes_lease_and_inbox(engine: Engine, add: Add) -> None:
    #          pane            pane        watermark: highest less 5 s
    #  --------|--|------------|--|--------|
    add(add_partition, "log", 0, highest_ms=NOW_MS)
    add(add_pane, "churn", NOW_MS - HOUR_MS)
    add(add_pane, "churn", NOW_MS - 2 * MINUTE_MS)

    def hold(connection: Connection) -> None:
        expired = func.now() - text("interval '1 minute'")
        values = {"model": "churn", "position_ms": NOW_MS - HOUR_MS, "token": func.gen_random_uuid()}
        connection.execute(insert(evaluation).values(values | {"owner": "host-1:7", "expires_at": expired}))
        waiting = {"topic": "log", "partition": 0, "model": "churn", "rows": 70, "columns": b""}
        connection.execute(
            insert(join_inbox).values([waiting | {"next_offset": n, "place": 0} for n in (1, 2)])
        )

    add(hold)
    churn, other = evaluations_seen(engine, [Monitor("churn"), Monitor("other")], load_progress(engine))
    assert (churn.position_ms, churn.watermark_ms) == (NOW_MS - HOUR_MS, NOW_MS - 5_000)
    assert (churn.first_pane_ms, churn.last_pane_end_ms) == (None, NOW_MS - MINUTE_MS)
    assert (churn.owner, churn.inbox, 59_000 < (churn.expired_ms or 0) < 65_000) == ("host-1:7", 140, True)
    assert (other.position_ms, other.first_pane_ms, other.expired_ms, other.inbox) == (None, None, None, 0)


def test_a_lease_that_holds_is_none_that_was_left(engine: Engine, add: Add) -> None:
    later = func.now() + text("interval '30 seconds'")
    add(lambda c: c.execute(
        insert(evaluation).values(model="churn", token=func.gen_random_uuid(), owner="h", expires_at=later)
    ))  # fmt: skip
    (churn,) = evaluations_seen(engine, [Monitor("churn")], ())
    assert churn.expired_ms is None


def test_of_what_is_not_evaluated_yet_the_first_pane_is_told(engine: Engine, add: Add) -> None:
    add(add_pane, "churn", NOW_MS - HOUR_MS)
    add(add_pane, "churn", NOW_MS - 2 * MINUTE_MS)
    (churn,) = evaluations_seen(engine, [Monitor("churn")], ())
    assert (churn.first_pane_ms, churn.last_pane_end_ms) == (NOW_MS - HOUR_MS, NOW_MS - MINUTE_MS)


def test_monitors_are_told_with_the_segments_and_labels_that_came_of_late(engine: Engine, add: Add) -> None:
    apply_monitors(engine, [Monitor("churn", segments=("country",)), Monitor("quiet")], [], NOW_MS)
    add(add_pane, "churn", NOW_MS)
    add(add_pane, "churn", NOW_MS, segment="country=DE")
    add(add_pane, "churn", NOW_MS, segment="shop=(missing)")
    add(add_pane, "churn", NOW_MS - 10 * MINUTE_MS, segment="channel=web=1")
    add(add_pane, "churn", NOW_MS - 11 * MINUTE_MS, segment="old=1", labels=1)
    _, (churn, quiet) = monitors_seen(engine)
    assert (churn.model, churn.reference_name, churn.learned) == ("churn", None, False)
    late = frozenset({"country=DE", "channel=web=1"})
    assert (churn.events, churn.labels, churn.segments) == (True, True, late)
    assert (quiet.events, quiet.labels, quiet.segments) == (False, False, frozenset())


def test_dead_letters_of_the_last_hour_are_counted_beside_what_was_accepted(engine: Engine, add: Add) -> None:
    apply_monitors(engine, [Monitor("churn")], [], NOW_MS)
    add(add_dead_letter, 1)
    add(add_dead_letter, 2)
    add(add_dead_letter, 3, reason="bad_utf8")
    add(add_dead_letter, 4, seen_at=func.now() - text("interval '61 minutes'"))
    add(add_pane, "churn", NOW_MS, labels=5)
    add(add_pane, "churn", NOW_MS, segment="country=DE")
    add(add_pane, "churn", NOW_MS - 2 * HOUR_MS)
    assert dead_letters_seen(engine, HOUR_MS) == ({"bad_json": 2, "bad_utf8": 1}, 15)


def test_the_outbox_tells_what_waits_for_how_long_and_what_left(engine: Engine, add: Add) -> None:
    assert outbox_seen(engine).waiting == 0

    def put(connection: Connection) -> None:
        usual = {"alert_id": "a", "state": "firing", "message": {}}
        ago = func.now() - text("interval '10 minutes'")
        connection.execute(insert(outbox).values(usual | {"attempts": 3, "created_at": ago}))
        connection.execute(insert(outbox).values(usual))
        connection.execute(insert(outbox).values(usual | {"attempts": 1, "delivered_at": func.now()}))

    add(put)
    seen = outbox_seen(engine)
    assert (seen.waiting, seen.tried, 599_000 < seen.oldest_ms < 605_000) == (2, 1, True)
    assert abs((seen.left_ms or 0) - time.time_ns() // 1_000_000) < 10_000


def test_what_a_silence_has_dropped_has_not_left(engine: Engine, add: Add) -> None:
    dropped = {"alert_id": "a", "state": "firing", "message": {}, "delivered_at": func.now()}
    add(lambda connection: connection.execute(insert(outbox).values(dropped)))
    assert outbox_seen(engine).left_ms is None
