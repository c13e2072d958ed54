"""The weekly partitions of the result tables: made before they are written to, dropped whole by retention."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import text

from service.store.engine import transaction

if TYPE_CHECKING:
    from sqlalchemy import Engine

WEEK_MS = 7 * 86_400_000
PARTITIONED = ("window_result", "finding")
_LOCK = 0x7765656B  # "week"
_NAME = re.compile(r"_w(\d+)$")


def ensure_partitions(engine: Engine, first_ms: int, last_ms: int) -> None:
    """Make the partitions that hold ends from `first_ms` to `last_ms`; does nothing where they are."""
    weeks = range(first_ms // WEEK_MS, last_ms // WEEK_MS + 1)
    with transaction(engine) as connection:
        wanted = [(table, week) for table in PARTITIONED for week in weeks]
        there = set(connection.execute(text("SELECT relname FROM pg_class WHERE relispartition")).scalars())
        missing = [(table, week) for table, week in wanted if f"{table}_w{week}" not in there]
        if missing:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        for table, week in missing:
            start, end = int(week) * WEEK_MS, (int(week) + 1) * WEEK_MS
            connection.execute(
                text(f"CREATE TABLE IF NOT EXISTS {table}_w{week} PARTITION OF {table} FOR VALUES FROM ({start}) TO ({end})")
            )


def drop_partitions(engine: Engine, before_ms: int) -> int:
    """Drop the partitions that hold nothing but ends before `before_ms`; returns how many."""
    with transaction(engine) as connection:
        names = connection.execute(text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")).scalars()
        old = [n for n in names if (m := _NAME.search(n)) and (int(m[1]) + 1) * WEEK_MS <= before_ms]
        for name in old:
            connection.execute(text(f'DROP TABLE "{name}"'))
    return len(old)
