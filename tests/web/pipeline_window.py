"""A pipeline with every kind of trouble in it, for looking at."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, func, insert, text

from service.monitor import HOUR_MS, MINUTE_MS
from service.store.tables import evaluation, gap, outbox
from tests.web.conftest import Add
from tests.web.seeding import HOSTILE_NAMES, add_dead_letter, add_model, add_pane, add_partition

TOPIC = "inference-log"
BROKEN_JSON = b'{"type":"prediction","model":"churn","features":{"amount":12.5,"country":"DE"'
SPOILT = b"\x00\x01\xff\xfe\x1b[2Jcleared\r\n" + "\u202eright to left <script>alert(1)</script>".encode()


def ago(seconds: float) -> Any:
    """A time by the database's clock."""
    return func.now() - text(f"interval '{seconds} seconds'")


def fill(add: Add) -> None:
    """Partitions of which one is halted, one abandoned and one far behind; letters, gaps, an alert that waits."""
    now_ms = time.time_ns() // 1_000_000
    for number in range(8):
        add(add_partition, TOPIC, number, owner=f"collector-{number % 2}", lag=3 + number, late=9, duplicate=120,
            highest_ms=now_ms - 900 * number, next_offset=410_000 + number, accepted=400_000,
            dead=40 * (number == 1))  # fmt: skip
    _spoil(add, now_ms)
    for offset in range(30):
        add(
            add_dead_letter,
            offset,
            topic=TOPIC,
            value=BROKEN_JSON,
            size=len(BROKEN_JSON),
            seen_at=ago(60 * offset),
        )
    add(add_dead_letter, 100, topic=HOSTILE_NAMES[5], partition=3, key=b"user-7\x1b", value=SPOILT * 40,
        size=40 * len(SPOILT), reason="bad_utf8", detail=HOSTILE_NAMES[2])  # fmt: skip
    for model, behind_ms in (("churn", 5_000), (HOSTILE_NAMES[2], HOUR_MS)):
        add(add_model, model)
        add(add_pane, model, now_ms - 2 * HOUR_MS)
        add(add_pane, model, now_ms - MINUTE_MS)
        add(_evaluate, model, now_ms - MINUTE_MS - behind_ms)


def _spoil(add: Add, now_ms: int) -> None:
    add(
        add_partition,
        TOPIC,
        8,
        halted="its topic was made anew; its id differs",
        lag=20,
        highest_ms=now_ms - HOUR_MS,
    )
    add(
        add_partition, TOPIC, 9, lag=12_000, highest_ms=now_ms - HOUR_MS // 2, updated_at=ago(260), lost=5_000
    )
    add(add_partition, TOPIC, 10, owner="collector-1", lag=48_210, highest_ms=now_ms - 25 * MINUTE_MS)

    def lose(connection: Connection) -> None:
        lost = {
            "topic": TOPIC,
            "partition": 9,
            "offset": 77,
            "kind": "lost",
            "records": 5_000,
            "noted_at": ago(900),
        }
        connection.execute(insert(gap).values(lost))
        waits = {"alert_id": "a", "state": "firing", "message": {}, "attempts": 3, "created_at": ago(200)}
        connection.execute(insert(outbox).values(waits))

    add(lose)


def _evaluate(connection: Connection, model: str, position_ms: int) -> None:
    connection.execute(insert(evaluation).values(model=model, position_ms=position_ms))
