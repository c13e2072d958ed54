"""Retention takes what is old, and nothing that anybody still needs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, text

from service.monitor import DAY_MS
from service.store import retention as module
from service.store.engine import transaction
from service.store.partitions import WEEK_MS, ensure_partitions
from service.store.retention import Retention, apply_retention
from service.store.tables import alert, dead_letter, outbox, outcome, pane, performance, source_partition
from tests.store.test_results import alert_of
from tests.web.seeding import add_performance

pytestmark = pytest.mark.postgres

NOW_MS = 1_795_305_600_000
KEPT = Retention(results_ms=30 * DAY_MS, panes_ms=7 * DAY_MS, dead_letters_ms=2 * DAY_MS)

ALERT = {
    "incident": "i", "model": "churn", "version": "", "segment": "", "window": "5m", "role": "", "feature": "",
    "rule": "drift", "cause": alert_of().cause.value, "severity": "page", "since_ms": 0, "summary": "",
}  # fmt: skip


def add(engine: Engine, table: Any, *rows: dict[str, Any]) -> None:
    with transaction(engine) as connection:
        connection.execute(insert(table), list(rows))


def left(engine: Engine, column: Any) -> list[Any]:
    with transaction(engine) as connection:
        return sorted(connection.execute(select(column)).scalars())


def pane_row(end_ms: int, partition: int = 0) -> dict[str, Any]:
    return {
        "topic": "events", "partition": partition, "model": "churn", "version": "1", "segment": "",
        "start_ms": end_ms - 1,
        "end_ms": end_ms, "grid_id": "g", "inferences": 1, "labels": 0, "last_ms": end_ms - 1, "sketch": b"s",
    }  # fmt: skip


def partition_row(number: int, highest_ms: int | None) -> dict[str, Any]:
    return {
        "topic": "events",
        "partition": number,
        "next_offset": 1,
        "first_offset": 0,
        "highest_ms": highest_ms,
    }


def test_panes_are_dropped_when_they_are_old_by_our_clock_and_by_their_partition_s(engine: Engine) -> None:
    """A backlog that is read now is old, and its panes are open: partition 1 has only come to nine days ago."""
    old, fresh = NOW_MS - 8 * DAY_MS, NOW_MS - 6 * DAY_MS
    add(
        engine,
        source_partition,
        partition_row(0, NOW_MS),
        partition_row(1, NOW_MS - 9 * DAY_MS),
        partition_row(2, None),
    )
    add(engine, pane, *(pane_row(end, partition) for partition in range(4) for end in (old, fresh)))
    apply_retention(engine, KEPT, NOW_MS)
    with transaction(engine) as connection:
        kept = {tuple(row) for row in connection.execute(select(pane.c.partition, pane.c.end_ms == old))}
    assert kept == {(n, False) for n in range(4)} | {(1, True), (2, True)}


def test_a_great_many_are_deleted_in_small_transactions_and_the_rest_at_the_next_turn(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 10)
    monkeypatch.setattr(module, "_ROUNDS", 3)
    add(engine, pane, *(pane_row(NOW_MS - 8 * DAY_MS - n) for n in range(45)))
    apply_retention(engine, KEPT, NOW_MS)
    assert len(left(engine, pane.c.end_ms)) == 15
    apply_retention(engine, KEPT, NOW_MS)
    assert left(engine, pane.c.end_ms) == []


def test_dead_letters_go_by_the_time_they_were_seen(engine: Engine) -> None:
    row = {
        "topic": "events",
        "partition": 0,
        "timestamp_ms": 0,
        "key": b"",
        "value": b"",
        "size": 0,
        "reason": "bad_json",
        "detail": "",
    }
    add(engine, dead_letter, row | {"offset": 1}, row | {"offset": 2})
    with transaction(engine) as connection:
        connection.execute(
            text("UPDATE dead_letter SET seen_at = now() - interval '3 days' WHERE \"offset\" = 1")
        )
    apply_retention(engine, KEPT, NOW_MS)
    assert left(engine, dead_letter.c.offset) == [2]


def test_messages_that_were_not_delivered_stay(engine: Engine) -> None:
    add(engine, outbox, *({"alert_id": f"a-{n}", "state": "firing", "message": {}} for n in range(3)))
    with transaction(engine) as connection:
        connection.execute(text("UPDATE outbox SET created_at = now() - interval '90 days'"))
        connection.execute(
            text("UPDATE outbox SET delivered_at = now() - interval '8 days' WHERE alert_id = 'a-0'")
        )
        connection.execute(
            text("UPDATE outbox SET delivered_at = now() - interval '6 days' WHERE alert_id = 'a-1'")
        )
    apply_retention(engine, KEPT, NOW_MS)
    assert left(engine, outbox.c.alert_id) == ["a-1", "a-2"]


def test_that_an_alert_was_told_is_known_until_its_end_is_told(engine: Engine) -> None:
    add(engine, alert,
        ALERT | {"id": "over", "state": "resolved", "at_ms": NOW_MS},
        ALERT | {"id": "its end waits", "state": "resolved", "at_ms": NOW_MS},
        ALERT | {"id": "rings", "state": "firing", "at_ms": NOW_MS})  # fmt: skip
    long_ago = func.now() - text("interval '8 days'")
    with transaction(engine) as connection:
        for name, state, at in (
            ("over", "firing", long_ago), ("over", "resolved", long_ago), ("its end waits", "firing", long_ago),
            ("its end waits", "resolved", None), ("rings", "firing", long_ago),
        ):  # fmt: skip
            values = {"alert_id": name, "state": state, "message": {}, "delivered_at": at, "attempts": 1}
            connection.execute(insert(outbox).values(values))
    apply_retention(engine, KEPT, NOW_MS)
    assert left(engine, outbox.c.alert_id) == ["its end waits", "its end waits", "rings"]


def test_alerts_go_with_their_results_once_they_are_resolved(engine: Engine) -> None:
    old = NOW_MS - 31 * DAY_MS
    add(engine, alert,
        ALERT | {"id": "old", "state": "resolved", "at_ms": old},
        ALERT | {"id": "rings", "state": "firing", "at_ms": old},
        ALERT | {"id": "new", "state": "resolved", "at_ms": NOW_MS})  # fmt: skip
    apply_retention(engine, KEPT, NOW_MS)
    assert left(engine, alert.c.id) == ["new", "rings"]


def test_performance_goes_with_the_results_of_its_time(engine: Engine) -> None:
    old, fresh = NOW_MS - 31 * DAY_MS, NOW_MS - 29 * DAY_MS
    for end in (old, fresh):
        add(engine, outcome, {"model": "churn", "start_ms": end, "slices": 1, "sketch": b"s"})
        with transaction(engine) as connection:
            add_performance(connection, "churn", end)
    apply_retention(engine, KEPT, NOW_MS)
    assert left(engine, outcome.c.start_ms) == left(engine, performance.c.end_ms) == [fresh]


def test_results_go_by_whole_weeks(engine: Engine) -> None:
    ensure_partitions(engine, NOW_MS - 60 * DAY_MS, NOW_MS)
    apply_retention(engine, KEPT, NOW_MS)
    with transaction(engine) as connection:
        query = (
            "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 'finding%'"
        )
        weeks = sorted(int(name.rpartition("w")[2]) for name in connection.execute(text(query)).scalars())
    assert weeks[0] == (NOW_MS - 30 * DAY_MS) // WEEK_MS
