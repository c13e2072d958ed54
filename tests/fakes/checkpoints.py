"""`Checkpoints` in memory: the contract of the one in PostgreSQL, kept by the same tests, without a server or a random.

A database that is restored to an older state is one assignment here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

import numpy as np

from service.checkpoints import Claim, Claimant, Trial
from service.configuration import ALWAYS_MS, Configuration, ModelVersion
from service.errors import ConfigurationChanged, PartitionHalted, PartitionLost, Rewound
from service.messages import (
    Checkpoint,
    FilterKey,
    Loss,
    PaneRow,
    Partition,
)
from service.monitor import Monitor
from service.sketches.grids import Grid
from service.store.texts import storable
from service.store.watermarks import Progress
from tests.fakes.tables import Row, Tables

SETTLE_MS = 30_000
CONFIRMED_WITHIN_MS = 30_000
GRID = Grid()


@dataclass
class MemoryCheckpoints:
    """`service.checkpoints.Checkpoints` in memory. Tokens come from a counter that no restore turns back."""

    clock_ms: Callable[[], int] = lambda: 0
    tables: Tables = field(default_factory=Tables)
    _tokens: int = 0

    # The protocol

    def configuration(self) -> Configuration:
        return Configuration(dict(self.tables.models), self.tables.revision)

    def revision(self) -> int:
        return self.tables.revision

    def claim(self, partition: Partition, claimant: Claimant, topic_id: str | None, log_start: int) -> Claim:
        before = self.tables.rows.get(partition)
        row = before or Row(log_start, log_start, topic_id)
        _refuse_halted(partition, row, topic_id)
        self._tokens += 1
        row = self.tables.rows[partition] = replace(
            row, owner=claimant.owner, owner_epoch=row.owner_epoch + 1, token=UUID(int=self._tokens),
            deaths=_deaths(row), idle_since_ms=None,
            topic_id=row.topic_id or topic_id, updated_at_ms=self.clock_ms(),
        )  # fmt: skip
        panes = self._open_panes(partition, (row.highest_ms or 0) - claimant.patience_ms)
        trial = row.trying if row.trying is not None and row.trying.offset == row.next_offset else None
        assert row.token is not None
        return Claim(
            partition, row.owner_epoch, row.token, row.next_offset, row.highest_ms, row.topic_id, row.deaths, panes,
            self._ids_of(partition, panes), row.jumps, trial, row.dead_accepted, self._open_losses(partition),
        )  # fmt: skip

    def commit(self, claim: Claim, checkpoint: Checkpoint, revision: int) -> None:
        row = self._ours(claim)
        if row is None or row.halted or row.next_offset != checkpoint.expected_offset:
            self._explain(claim, checkpoint.expected_offset, checkpoint.next_offset)
            return
        if revision != self.tables.revision:
            raise ConfigurationChanged(
                f"the monitors are at revision {self.tables.revision}, the batch was counted at {revision}"
            )
        self.tables.rows[claim.partition] = self._moved(row, checkpoint)
        self._write(claim.partition, checkpoint)

    def take_back(self, claim: Claim, offset: int, loss: Loss) -> None:
        row = self._ours(claim)
        if row is None or row.halted or row.next_offset != offset:
            self._explain(claim, offset, loss.offset)
            return
        truncated = row.truncated + loss.records
        self._set(claim.partition, next_offset=loss.offset, truncated=truncated)
        self.tables.gaps[claim.partition, loss.offset, loss.kind] = loss

    def note_progress(
        self, claim: Claim, *, stored_offset: int, lag: int, idle: bool, quiet_ms: int = 0
    ) -> None:
        row = self._ours(claim)
        if row is None or row.next_offset != stored_offset:
            self._explain(claim, stored_offset, stored_offset)
            return
        since = self.clock_ms() - quiet_ms if row.idle_since_ms is None else row.idle_since_ms
        self._set(claim.partition, lag=lag, idle_since_ms=since if idle else None)

    def note_trial(self, claim: Claim, trial: Trial | None) -> None:
        row = self._ours(claim)
        if row is not None:
            same = trial is not None and trial == row.trying
            self.tables.rows[claim.partition] = replace(
                row, trying=trial, trying_epoch=claim.owner_epoch, deaths=row.deaths if same else 0
            )

    def forget_ids(self, claim: Claim, before_ms: int) -> None:
        if self._ours(claim) is not None:
            ids = self.tables.ids
            for key in [k for k in ids if k[0] == claim.partition and k[1].start_ms < before_ms]:
                del ids[key]

    def release(self, claim: Claim) -> None:
        row = self._ours(claim)
        if row is not None:
            self.tables.rows[claim.partition] = replace(row, owner=None, token=None, idle_since_ms=None)

    def halt(self, partition: Partition, why: str, claim: Claim | None = None) -> None:
        row = self._ours(claim) if claim is not None else self.tables.rows.get(partition)
        if row is not None and row.halted is None:
            self._set(partition, halted=storable(why)[:500], idle_since_ms=None)

    # What a person does

    def apply(self, *monitors: Monitor) -> None:
        """Store these monitors: new ones for ever, changed ones from a pane's border that no partition has reached."""
        highest = max((r.highest_ms or 0 for r in self.tables.rows.values()), default=0)
        border = max(self.clock_ms(), highest) + SETTLE_MS
        for monitor in monitors:
            versions = self.tables.models.get(monitor.model, ())
            if versions and versions[-1].monitor == monitor:
                continue
            since = ALWAYS_MS
            if versions:
                since = -(-max(border, versions[-1].since_ms) // monitor.pane_ms) * monitor.pane_ms
            made = ModelVersion(monitor, GRID, len(versions) + 1, since)
            self.tables.models[monitor.model] = (*versions, made)
            self.tables = replace(self.tables, revision=self.tables.revision + 1)

    def resume(self, topic: str) -> int:
        """Let halted partitions of a topic go on where they stopped. Returns how many."""
        halted = [p for p, row in self.tables.rows.items() if p.topic == topic and row.halted is not None]
        for partition in halted:
            self._set(partition, halted=None, owner=None, token=None, deaths=0, dead_accepted=True)
        return len(halted)

    def reset(self, topic: str) -> int:
        """Forget the positions of all partitions of a topic; what was counted stays. Returns how many there were."""
        gone = [partition for partition in self.tables.rows if partition.topic == topic]
        for partition in gone:
            del self.tables.rows[partition]
        for table in (self.tables.ids, self.tables.gaps):
            for key in [key for key in table if key[0].topic == topic]:
                del table[key]  # type: ignore[attr-defined]
        return len(gone)

    # What happens to a database

    def snapshot(self) -> Tables:
        """The state as it is now, for `restore`."""
        return self.tables.copy()

    def restore(self, snapshot: Tables) -> None:
        """The database goes back to an older state."""
        self.tables = snapshot.copy()

    # What an evaluator reads

    def progress(self) -> tuple[Progress, ...]:
        """As `service.store.watermarks.load_progress`."""
        now = self.clock_ms()
        made = []
        for partition, row in self.tables.rows.items():
            silent_ms = now - row.updated_at_ms
            confirmed = row.owner is not None and silent_ms < CONFIRMED_WITHIN_MS
            idle_ms = now - row.idle_since_ms if confirmed and row.idle_since_ms is not None else None
            if row.halted is None:
                made.append(Progress(row.highest_ms, idle_ms, partition, row.owner, silent_ms))
        return tuple(made)

    # Inside

    def _ours(self, claim: Claim) -> Row | None:
        row = self.tables.rows.get(claim.partition)
        is_ours = row is not None and (row.owner_epoch, row.token) == (claim.owner_epoch, claim.token)
        return row if is_ours else None

    def _set(self, partition: Partition, **values: object) -> None:
        row = self.tables.rows[partition]
        self.tables.rows[partition] = replace(row, updated_at_ms=self.clock_ms(), **values)  # type: ignore[arg-type]

    def _explain(self, claim: Claim, expected: int, wanted: int) -> None:
        row = self.tables.rows.get(claim.partition)
        if row is None:
            raise PartitionHalted(f"{claim.partition} has no row in the database any more")
        if (row.owner_epoch, row.token) != (claim.owner_epoch, claim.token):
            if row.owner_epoch < claim.owner_epoch:
                raise Rewound(
                    f"the database is at owner epoch {row.owner_epoch}, we hold {claim.owner_epoch}"
                )
            raise PartitionLost(f"{claim.partition} is owned by {row.owner} now")
        if row.halted:
            raise PartitionHalted(f"{claim.partition} is halted: {row.halted}")
        if row.next_offset == wanted:
            return
        if row.next_offset < expected:
            raise Rewound(f"the database is at offset {row.next_offset}, we had committed {expected}")
        raise PartitionHalted(f"the database is at offset {row.next_offset}, we expected {expected}")

    def _moved(self, row: Row, made: Checkpoint) -> Row:
        highest, idle = row.highest_ms, row.idle_since_ms
        if made.highest_ms > -(2**61):
            moves = highest is None or highest < made.highest_ms
            highest, idle = (made.highest_ms, None) if moves else (highest, idle)
        return replace(
            row, next_offset=made.next_offset, highest_ms=highest, idle_since_ms=idle,
            counts=row.counts + made.counts, lost=row.lost + made.lost, holes=row.holes + made.holes,
            jumps=made.jumps, deaths=0, dead_accepted=row.dead_accepted and not made.healthy,
            updated_at_ms=self.clock_ms(),
        )  # fmt: skip

    def _write(self, partition: Partition, made: Checkpoint) -> None:
        tables = self.tables
        new = [name for name in made.learned_models if name not in tables.models]
        for name in new:
            tables.models[name] = (ModelVersion(Monitor(model=name), GRID),)
        if new:
            self.tables = tables = replace(tables, revision=tables.revision + 1)
        tables.panes.update({(partition, pane.key): pane for pane in made.panes})
        for rows in made.ids:
            key = partition, rows.key, made.next_offset
            tables.ids[key] = tables.ids.get(key, b"") + np.ascontiguousarray(rows.hashes, "<u8").tobytes()
        tables.gaps.update({(partition, loss.offset, loss.kind): loss for loss in made.losses})
        for letter in made.dead:
            tables.letters[partition, letter.offset] = replace(letter, detail=storable(letter.detail))

    def _open_panes(self, partition: Partition, ended_after_ms: int) -> tuple[PaneRow, ...]:
        mine = (row for (place, _), row in self.tables.panes.items() if place == partition)
        return tuple(row for row in mine if row.end_ms > ended_after_ms)

    def _ids_of(
        self, partition: Partition, panes: tuple[PaneRow, ...]
    ) -> Mapping[FilterKey, list[np.ndarray]]:
        oldest = min((pane.key.start_ms for pane in panes), default=None)
        ids: dict[FilterKey, list[np.ndarray]] = {}
        for (place, key, _), hashes in sorted(self.tables.ids.items()):
            if oldest is not None and place == partition and key.start_ms >= oldest:
                ids.setdefault(key, []).append(np.frombuffer(hashes, "<u8").astype(np.uint64))
        return ids

    def _open_losses(self, partition: Partition) -> tuple[Loss, ...]:
        mine = [one for (p, *_), one in self.tables.gaps.items() if p == partition and one.until_ms is None]
        return tuple(sorted(mine, key=lambda loss: (loss.offset, loss.kind)))


def _deaths(row: Row) -> int:
    if row.owner is None:
        return 0
    tried = row.trying is not None and row.trying.offset == row.next_offset
    return row.deaths if tried and row.trying_epoch != row.owner_epoch else row.deaths + 1


def _refuse_halted(partition: Partition, row: Row, topic_id: str | None) -> None:
    if row.halted:
        raise PartitionHalted(f"{partition} is halted: {row.halted}")
    if topic_id and row.topic_id and topic_id != row.topic_id:
        raise PartitionHalted(f"{partition} is another topic than before: it was deleted and made again")
