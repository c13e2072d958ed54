"""The two implementations of `Checkpoints` that the contract is tested on, and one way to look into each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlalchemy import Engine, delete, update

from service.checkpoints import Checkpoints
from service.messages import Partition
from service.monitor import Monitor
from service.store.checkpoint import PostgresCheckpoints
from service.store.configuration import apply_monitors
from service.store.engine import transaction
from service.store.partition_rows import reset_partitions, resume_partitions
from service.store.tables import dead_letter, gap, source_partition
from service.store.watermarks import Progress, load_progress
from tests.fakes.checkpoints import MemoryCheckpoints
from tests.fakes.collecting import ids, partition_row, stored
from tests.fakes.source import Clock

PLACE = Partition("events", 0)
COUNTS = ("accepted", "duplicate", "late", "dead", "tombstone")
ROW = (
    "topic_id", "next_offset", "first_offset", "owner_epoch", "owner", "deaths", "highest_ms", "lag", "halted", *COUNTS,
    "lost", "holes", "truncated", "jumps", "dead_accepted",
)  # fmt: skip
"""What both say of a partition; of times of their own they only tell whether there is one."""


class Keeper(Protocol):
    """An implementation, and what a test wants to see of it or do to it."""

    checkpoints: Checkpoints

    def row(self) -> dict[str, Any]:
        """What is stored of the partition."""

    def set_row(self, **values: Any) -> None:
        """Change it as a restore or a bug would."""

    def lose_row(self) -> None:
        """It is gone."""

    def tables(self) -> tuple[Any, ...]:
        """Panes, ids, dead letters and gaps, to be compared."""

    def apply(self, *monitors: Monitor) -> None:
        """A person changes the monitors."""

    def resume(self) -> int:
        """A person lets halted partitions go on."""

    def reset(self) -> int:
        """A person lets the topic start over."""

    def progress(self) -> tuple[Progress, ...]:
        """What evaluators see."""


@dataclass
class InPostgres:
    """A real PostgreSQL."""

    engine: Engine
    checkpoints: Checkpoints = field(init=False)

    def __post_init__(self) -> None:
        self.checkpoints = PostgresCheckpoints(self.engine)

    def row(self) -> dict[str, Any]:
        found = partition_row(self.engine, PLACE.number)
        return {name: found[name] for name in ROW} | {"idle": found["idle_since"] is not None}

    def set_row(self, **values: Any) -> None:
        named = {"claim_token" if name == "token" else name: value for name, value in values.items()}
        with transaction(self.engine) as connection:
            connection.execute(update(source_partition).values(**named))

    def lose_row(self) -> None:
        with transaction(self.engine) as connection:
            connection.execute(delete(source_partition))

    def tables(self) -> tuple[Any, ...]:
        with transaction(self.engine) as connection:
            letters = connection.execute(
                dead_letter.select().order_by(dead_letter.c.partition, dead_letter.c.offset)
            ).mappings()
            told = [(r["partition"], r["offset"], r["reason"], r["detail"], r["value"]) for r in letters]
            gaps = connection.execute(gap.select().order_by(gap.c.offset, gap.c.kind)).mappings()
            names = ("offset", "kind", "records", "from_ms", "until_ms")
            lost = [tuple(row[name] for name in names) for row in gaps]
        panes = {key[2:]: row[-1] for key, row in stored(self.engine)["panes"].items()}
        return panes, {key[2:]: hashes for key, hashes in ids(self.engine).items()}, told, lost

    def apply(self, *monitors: Monitor) -> None:
        apply_monitors(self.engine, monitors, [], 0)

    def resume(self) -> int:
        return resume_partitions(self.engine, PLACE.topic)

    def reset(self) -> int:
        return reset_partitions(self.engine, PLACE.topic)

    def progress(self) -> tuple[Progress, ...]:
        return load_progress(self.engine)


@dataclass
class InMemory:
    """The one that simulations use."""

    clock: Clock = field(default_factory=Clock)
    checkpoints: MemoryCheckpoints = field(init=False)

    def __post_init__(self) -> None:
        self.checkpoints = MemoryCheckpoints(self.clock.ms)

    def row(self) -> dict[str, Any]:
        found = self.checkpoints.tables.rows[PLACE]
        counts = {name: getattr(found.counts, name) for name in COUNTS}
        rest = {name: getattr(found, name) for name in ROW if name not in COUNTS}
        return rest | counts | {"idle": found.idle_since_ms is not None}

    def set_row(self, **values: Any) -> None:
        rows = self.checkpoints.tables.rows
        rows[PLACE] = replace(rows[PLACE], **values)

    def lose_row(self) -> None:
        del self.checkpoints.tables.rows[PLACE]

    def tables(self) -> tuple[Any, ...]:
        found = self.checkpoints.tables
        told = [
            (place.number, offset, letter.reason.value, letter.detail, letter.value)
            for (place, offset), letter in sorted(found.letters.items())
        ]
        lost = [
            (one.offset, one.kind.value, one.records, one.from_ms, one.until_ms)
            for one in sorted(found.gaps.values(), key=lambda loss: (loss.offset, loss.kind.value))
        ]
        written: dict[tuple[Any, ...], bytes] = {}
        for (_, key, _), hashes in sorted(found.ids.items(), key=lambda item: item[0][2]):
            written[tuple(key)] = written.get(tuple(key), b"") + hashes
        panes = {tuple(key): row.sketch for (_, key), row in found.panes.items()}
        return panes, written, told, lost

    def apply(self, *monitors: Monitor) -> None:
        self.checkpoints.apply(*monitors)

    def resume(self) -> int:
        return self.checkpoints.resume(PLACE.topic)

    def reset(self) -> int:
        return self.checkpoints.reset(PLACE.topic)

    def progress(self) -> tuple[Progress, ...]:
        return self.checkpoints.progress()
