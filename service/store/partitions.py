"""The weekly partitions of the result tables: made before they are written to, dropped whole by retention."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import text

from service.store.engine import transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Engine

WEEK_MS = 7 * 86_400_000
PARTITIONED = ("window_result", "finding", "window_score")
_LOCK = 0x7765656B  # "week"
_NAME = re.compile(rf"(?:{'|'.join(PARTITIONED)})_w(\d+)")
_OURS = text(
    "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
    "WHERE inhparent IN (to_regclass('window_result'), to_regclass('finding'), to_regclass('window_score'))"
)


def ensure_partitions(engine: Engine, first_ms: int, last_ms: int) -> None:
    """Make the partitions that hold ends from `first_ms` to `last_ms`; does nothing where they are."""
    weeks = range(first_ms // WEEK_MS, last_ms // WEEK_MS + 1)
    with transaction(engine) as connection:
        there = _names(connection)
        missing = [
            (table, week) for table in PARTITIONED for week in weeks if f"{table}_w{week}" not in there
        ]
        if missing:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        for table, week in missing:
            start, end = int(week) * WEEK_MS, (int(week) + 1) * WEEK_MS
            connection.execute(
                text(
                    f"CREATE TABLE IF NOT EXISTS {table}_w{week} PARTITION OF {table} "
                    f"FOR VALUES FROM ({start}) TO ({end})"
                )
            )


def weeks_apart(ends_ms: Iterable[int]) -> Sequence[tuple[int, int]]:
    """First and last of the ends in each run of weeks that follow each other: what lies between needs no partitions."""
    ends = sorted(set(ends_ms))
    cuts = [i for i, (a, b) in enumerate(pairwise(ends), start=1) if b // WEEK_MS - a // WEEK_MS > 1]
    return [(ends[a], ends[b - 1]) for a, b in pairwise([0, *cuts, len(ends)]) if a < b]


def drop_partitions(engine: Engine, before_ms: int) -> int:
    """Drop the partitions that hold nothing but ends before `before_ms`; returns how many."""
    with transaction(engine) as connection:
        old = [
            n
            for n in sorted(_names(connection))
            if (m := _NAME.fullmatch(n)) and (int(m[1]) + 1) * WEEK_MS <= before_ms
        ]
        for name in old:
            connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
    return len(old)


def _names(connection: Connection) -> set[str]:
    return set(connection.execute(_OURS).scalars())
