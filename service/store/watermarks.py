"""How far event time has come, over all partitions, owned or not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import case, func, select, text

from service.messages import Partition
from service.store.engine import transaction
from service.store.partition_rows import has_position
from service.store.tables import source_partition

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Engine

    from service.monitor import Monitor

SESSION_MS = 45_000
"""After so long a group gives the partitions of a member that has died to another."""
CONFIRMED_WITHIN = "30 seconds"
"""An owner says every few seconds that its partition is idle; one that has died says nothing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One partition: highest accepted event time (None before the first), and for how long it has been idle (ms).

    `silent_ms` is how long nobody has said anything of it, `owner` who should.
    """

    highest_ms: int | None
    idle_ms: int | None
    partition: Partition | None = None
    owner: str | None = None
    silent_ms: int = 0


def load_progress(engine: Engine) -> tuple[Progress, ...]:
    """Every partition that was claimed and is neither halted nor reset: those wait for a person, the models do not."""
    row = source_partition.c
    confirmed = row.owner.is_not(None) & (
        row.updated_at > func.now() - text(f"interval '{CONFIRMED_WITHIN}'")
    )
    idle = case((confirmed, _age_ms(row.idle_since)))
    query = select(row.highest_ms, idle, row.topic, row.partition, row.owner, _age_ms(row.updated_at)).where(
        row.halted.is_(None), has_position
    )
    with transaction(engine) as connection:
        return tuple(
            Progress(
                highest,
                None if idle_ms is None else int(idle_ms),
                Partition(topic, number),
                owner,
                int(silent_ms),
            )
            for highest, idle_ms, topic, number, owner, silent_ms in connection.execute(query)
        )


def _age_ms(at: ColumnElement[datetime]) -> ColumnElement[int]:
    return func.extract("epoch", func.now() - at) * 1000


def watermark_ms(
    partitions: tuple[Progress, ...], disorder_ms: int, now_ms: int, idle_after_ms: int = 0
) -> int | None:
    """The time that no partition is expected to go back before; None while one has not begun.

    The minimum over all partitions but the idle ones (owned, caught up, not paused, for `idle_after_ms`). When all
    are idle, event time goes on with the clock: nothing is under way, so what ended before they fell silent is whole.
    Only closing looks at the clock, and no further than to when the owners looked last: what has arrived since then,
    while the database was away perhaps, nobody has seen.
    """
    busy = [p for p in partitions if not _is_idle(p, idle_after_ms)]
    if busy:
        highest = [p.highest_ms for p in busy]
        return None if None in highest else min(h for h in highest if h is not None) - disorder_ms
    seen = max((p.highest_ms for p in partitions if p.highest_ms is not None), default=None)
    looked_ms = now_ms - max((p.silent_ms for p in partitions), default=0)
    return None if seen is None else max(seen, looked_ms) - disorder_ms


def watermarks(
    partitions: tuple[Progress, ...], monitors: Iterable[Monitor], now_ms: int
) -> dict[str, int | None]:
    """Those of many models, most of which are alike in how late and how idle their partitions may be."""

    @cache
    def of(disorder_ms: int, idle_after_ms: int) -> int | None:
        return watermark_ms(partitions, disorder_ms, now_ms, idle_after_ms)

    return {one.model: of(one.disorder_ms, one.idle_after_ms) for one in monitors}


def holding_back(partitions: tuple[Progress, ...]) -> Progress | None:
    """The partition that keeps every model waiting though nobody reads it; None when there is none."""
    abandoned = [p for p in partitions if p.idle_ms is None and p.silent_ms > 2 * SESSION_MS]
    return min(abandoned, key=lambda p: (p.highest_ms or 0, p.partition or ()), default=None)


def _is_idle(one: Progress, idle_after_ms: int) -> bool:
    return one.idle_ms is not None and one.idle_ms - one.silent_ms >= idle_after_ms
