"""How far event time has come, over all partitions, owned or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from service.store.engine import transaction
from service.store.tables import source_partition

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class Progress:
    """One partition: highest accepted event time (None before the first), and for how long it has been idle (ms)."""

    highest_ms: int | None
    idle_ms: int | None


def load_progress(engine: Engine) -> tuple[Progress, ...]:
    """Every partition that was ever claimed and is not halted."""
    idle = func.extract("epoch", func.now() - source_partition.c.idle_since) * 1000
    query = select(source_partition.c.highest_ms, idle).where(source_partition.c.halted.is_(None))
    with transaction(engine) as connection:
        return tuple(Progress(h, None if i is None else int(i)) for h, i in connection.execute(query))


def watermark_ms(partitions: tuple[Progress, ...], disorder_ms: int, now_ms: int) -> int | None:
    """The time that no partition is expected to go back before; None while one has not begun.

    The minimum over all partitions but the idle ones (owned, caught up and not paused). When all are idle, event time goes on
    with the clock: nothing is under way, so what ended before they fell silent is complete. Only closing looks at the clock.
    """
    busy = [p for p in partitions if p.idle_ms is None]
    if busy:
        highest = [p.highest_ms for p in busy]
        return None if None in highest else min(h for h in highest if h is not None) - disorder_ms
    if not partitions:
        return None
    seen = max((p.highest_ms for p in partitions if p.highest_ms is not None), default=None)
    if seen is None:
        return None
    return max(seen, now_ms) - disorder_ms
