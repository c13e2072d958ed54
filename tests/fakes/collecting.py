"""A collector on a real database and a fake log, driven turn by turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, select, text

from service.collector import Collector, CollectorOptions
from service.intake.limits import Limits
from service.messages import UnknownModels
from service.metrics import PipelineMetrics
from service.store.checkpoint import PostgresCheckpoints
from service.store.configuration import apply_monitors
from service.store.engine import transaction
from service.store.tables import dead_letter, gap, metadata, pane, pane_ids, source_partition
from tests.fakes.events import MONITOR
from tests.fakes.source import Clock, FakeLog, FakeSource

MOST_TURNS = 500


def options(**changes: Any) -> CollectorOptions:
    """How collectors of tests behave."""
    usual: dict[str, Any] = {"owner": "one", "unknown_models": UnknownModels.QUARANTINE, "limits": Limits()}
    return CollectorOptions(**usual | changes)


@dataclass
class Bench:
    """One collector after the other on one database and log."""

    engine: Engine
    log: FakeLog = field(default_factory=FakeLog)
    clock: Clock = field(default_factory=Clock)

    def apply(self, *monitors: Any) -> None:
        """Store these monitors."""
        apply_monitors(self.engine, monitors or [MONITOR], [], 0)

    def collector(
        self, source: FakeSource | None = None, assigned: tuple[int, ...] = (0,), **changes: Any
    ) -> Running:
        """A collector that has begun, with these partitions."""
        source = source or FakeSource(self.log)
        made = Collector(
            source,
            PostgresCheckpoints(self.engine),
            options(**changes),
            PipelineMetrics(CollectorRegistry()),
            self.clock,
        )
        made.prepare()
        source.assign(*assigned)
        return Running(made, source, self.clock)


@dataclass
class Running:
    """A collector and its source."""

    collector: Collector
    source: FakeSource
    clock: Clock

    def turn(self, times: int = 1, seconds: float = 1.0) -> None:
        """So many turns of the loop, with the clock moved before each."""
        for _ in range(times):
            self.clock.move(seconds)
            self.collector.step()

    def read_all(self) -> None:
        """Turn until all of the log is stored."""
        self.turn()
        for _ in range(MOST_TURNS):
            if self.is_done():
                return
            self.turn()
        raise AssertionError("the collector does not come to the log's end")

    def is_done(self) -> bool:
        """Whether every partition is stored up to the log's end."""
        log, held = self.source.log, self.collector._held
        return bool(held) and all(h.stored_offset == log.end(p.number) for p, h in held.items())

    def value(self, metric: str, **labels: str) -> float:
        """A metric's value."""
        return self.collector.metrics.registry.get_sample_value(metric, labels) or 0.0


def partition_row(engine: Engine, number: int = 0) -> dict[str, Any]:
    """A partition's row."""
    with transaction(engine) as connection:
        query = select(source_partition).where(source_partition.c.partition == number)
        return dict(connection.execute(query).mappings().one())


def is_balanced(engine: Engine, number: int = 0) -> bool:
    """Whether every offset up to the partition's position is in exactly one count."""
    row = partition_row(engine, number)
    passed = row["next_offset"] - row["first_offset"] + row["truncated"]
    return passed == sum(counts(engine, number).values()) + row["holes"]


def losses(engine: Engine) -> list[tuple[Any, ...]]:
    """What is known of lost and truncated records: offset, kind, records, from, until."""
    with transaction(engine) as connection:
        query = select(gap.c.offset, gap.c.kind, gap.c.records, gap.c.from_ms, gap.c.until_ms)
        return [tuple(row) for row in connection.execute(query.order_by(gap.c.offset))]


COUNTS = ("accepted", "duplicate", "late", "dead", "tombstone", "lost")


def counts(engine: Engine, number: int = 0) -> dict[str, int]:
    """How the partition's records ended."""
    row = partition_row(engine, number)
    return {name: row[name] for name in COUNTS}


def stored(engine: Engine) -> dict[str, Any]:
    """All that is a function of the log and the monitors: panes to the byte, ids, dead letters, counts, offsets."""
    with transaction(engine) as connection:
        panes = {tuple(r)[:6]: tuple(r)[6:] for r in connection.execute(select(pane))}
        letters = sorted(tuple(r)[1:-2] for r in connection.execute(select(dead_letter)))
        rows = connection.execute(select(source_partition)).mappings()
        parts = {
            (r["topic"], r["partition"]): (r["next_offset"], r["highest_ms"], *(r[c] for c in COUNTS))
            for r in rows
        }
    return {"panes": panes, "dead": letters, "partitions": parts}


def ids(engine: Engine) -> dict[tuple[Any, ...], bytes]:
    """The hashes of each pane, in the order they were written."""
    made: dict[tuple[Any, ...], bytes] = {}
    with transaction(engine) as connection:
        for row in connection.execute(select(pane_ids).order_by(pane_ids.c.next_offset)):
            made[tuple(row)[:5]] = made.get(tuple(row)[:5], b"") + row.hashes
    return made


def empty(engine: Engine) -> None:
    """Take everything out of the database."""
    with transaction(engine) as connection:
        names = ", ".join(t.name for t in metadata.sorted_tables if t.name != "revision")
        connection.execute(text(f"TRUNCATE {names}"))
        connection.execute(text("UPDATE revision SET number = 0"))
