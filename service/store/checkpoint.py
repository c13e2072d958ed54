"""Claims and checkpoints: who may write a partition, and its panes and offset in one transaction.

Correctness rests on one conditional UPDATE (owner epoch, claim token and expected offset must all be ours).
Group membership only decides who tries. A mismatch has five causes; `_explain` tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import case, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from service.errors import ConfigurationChanged, PartitionHalted, PartitionLost, Rewound
from service.messages import Checkpoint, FilterKey, PaneKey, PaneRow, Partition, Stream
from service.store.configuration import learn_models
from service.store.engine import make_durable, transaction
from service.store.tables import dead_letter, pane, pane_ids, revision, source_partition
from service.store.texts import storable

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, Update

_row = source_partition.c


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim returned: the right to write a partition, and the state to go on from."""

    partition: Partition
    owner_epoch: int
    token: UUID
    next_offset: int
    highest_ms: int | None
    topic_id: str | None
    deaths: int
    panes: tuple[PaneRow, ...] = ()
    ids: Mapping[FilterKey, list[NDArray[np.uint64]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims, and how long after its end (ms) a pane may still be reached by late rows of any model."""

    owner: str
    patience_ms: int


def claim_partition(
    engine: Engine, partition: Partition, claimant: Claimant, topic_id: str | None, log_start: int
) -> Claim:
    """Take a partition over: whoever held it before is fenced from this moment on.

    A partition that was never seen starts at `log_start`. Raises PartitionHalted if it was halted or if the topic
    is another one than before, Unavailable if the database is away.
    """
    token = uuid4()
    statement = upsert(source_partition).values(
        topic=partition.topic, partition=partition.number, topic_id=topic_id, next_offset=log_start,
        first_offset=log_start,
        owner_epoch=1, claim_token=token, owner=claimant.owner,
    )  # fmt: skip
    statement = statement.on_conflict_do_update(
        index_elements=[_row.topic, _row.partition],
        set_={
            "owner_epoch": _row.owner_epoch + 1, "claim_token": token, "owner": claimant.owner, "idle_since": None,
            "deaths": case((_row.owner.is_(None), 0), else_=_row.deaths + 1), "updated_at": func.now(),
            "topic_id": func.coalesce(_row.topic_id, statement.excluded.topic_id),
        },
    )  # fmt: skip
    with transaction(engine) as connection:
        row = connection.execute(statement.returning(*source_partition.c)).mappings().one()
        _refuse_halted(partition, row, topic_id)
        panes = _open_panes(connection, partition, (row["highest_ms"] or 0) - claimant.patience_ms)
        ids = _ids_of(connection, partition, panes)
    return Claim(
        partition,
        row["owner_epoch"],
        token,
        row["next_offset"],
        row["highest_ms"],
        row["topic_id"],
        row["deaths"],
        panes,
        ids,
    )


def _refuse_halted(partition: Partition, row: RowMapping, topic_id: str | None) -> None:
    if row["halted"]:
        raise PartitionHalted(f"{_name(partition)} is halted: {row['halted']}")
    if topic_id and row["topic_id"] and topic_id != row["topic_id"]:
        raise PartitionHalted(
            f"{_name(partition)} is another topic than before (id {topic_id}, was {row['topic_id']}): it was deleted "
            "and made again, so offset numbers mean nothing; run `driftbell partitions reset` to start it over"
        )


def _open_panes(connection: Connection, partition: Partition, ended_after_ms: int) -> tuple[PaneRow, ...]:
    mine = (pane.c.topic == partition.topic, pane.c.partition == partition.number)
    rows = connection.execute(select(pane).where(*mine, pane.c.end_ms > ended_after_ms)).mappings()
    return tuple(pane_row(r) for r in rows)


def _ids_of(
    connection: Connection, partition: Partition, panes: Iterable[PaneRow]
) -> Mapping[FilterKey, list[NDArray[np.uint64]]]:
    oldest = min((p.key.start_ms for p in panes), default=None)
    if oldest is None:
        return {}
    mine = (pane_ids.c.topic == partition.topic, pane_ids.c.partition == partition.number)
    rows = connection.execute(
        select(pane_ids).where(*mine, pane_ids.c.start_ms >= oldest).order_by(pane_ids.c.next_offset)
    ).mappings()
    ids: dict[FilterKey, list[NDArray[np.uint64]]] = {}
    for r in rows:
        key = FilterKey(r["model"], Stream(r["stream"]), r["start_ms"])
        ids.setdefault(key, []).append(np.frombuffer(r["hashes"], "<u8").astype(np.uint64))
    return ids


def pane_row(row: RowMapping) -> PaneRow:
    """A stored pane as a value."""
    key = PaneKey(row["model"], row["version"], row["segment"], row["start_ms"])
    return PaneRow(
        key, row["end_ms"], row["grid_id"], row["inferences"], row["labels"], row["last_ms"], row["sketch"]
    )


def commit_checkpoint(
    engine: Engine, claim: Claim, checkpoint: Checkpoint, configuration_revision: int
) -> None:
    """Write state and offset together.

    Raises PartitionLost (fenced), Rewound (the database was restored), PartitionHalted (impossible, or the row is
    gone), ConfigurationChanged, Unavailable. A COMMIT whose reply was lost is noticed and is no error.
    """
    with transaction(engine) as connection:
        moved = connection.execute(_compare_and_swap(claim, checkpoint))
        if moved.rowcount == 0:
            _explain(connection, claim, checkpoint)
            return
        # Whoever learns a model raises the revision: two that shared its lock first would be a deadlock.
        shared = not checkpoint.learned_models
        found = connection.execute(select(revision.c.number).with_for_update(read=shared)).scalar_one()
        if found != configuration_revision:
            raise ConfigurationChanged(
                f"the monitors are at revision {found}, the batch was counted at {configuration_revision}"
            )
        _write(connection, checkpoint)


def _compare_and_swap(claim: Claim, checkpoint: Checkpoint) -> Update:
    counts = checkpoint.counts
    highest = checkpoint.highest_ms if checkpoint.highest_ms > -(2**61) else None
    idle = _row.idle_since if highest is None else case((_row.highest_ms >= highest, _row.idle_since))
    return (
        update(source_partition)
        .where(*_ours(claim), _row.halted.is_(None), _row.next_offset == checkpoint.expected_offset)
        .values(
            next_offset=checkpoint.next_offset,
            highest_ms=func.greatest(_row.highest_ms, highest), idle_since=idle,
            accepted=_row.accepted + counts.accepted, duplicate=_row.duplicate + counts.duplicate,
            late=_row.late + counts.late, dead=_row.dead + counts.dead, tombstone=_row.tombstone + counts.tombstone,
            lost=_row.lost + checkpoint.lost, deaths=0, updated_at=func.now(),
        )
    )  # fmt: skip


def _ours(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        _row.topic == claim.partition.topic, _row.partition == claim.partition.number,
        _row.owner_epoch == claim.owner_epoch, _row.claim_token == claim.token,
    )  # fmt: skip


def _explain(connection: Connection, claim: Claim, checkpoint: Checkpoint) -> None:
    """Nothing matched: return if it was done already, else raise what the caller must do."""
    name = _name(claim.partition)
    row = connection.execute(
        select(source_partition).where(_row.topic == claim.partition.topic, _row.partition == claim.partition.number)
    ).mappings().one_or_none()  # fmt: skip
    if row is None:
        raise PartitionHalted(
            f"{name} has no row in the database any more: restore it, or restart us to read it from its start"
        )
    stored = row["next_offset"]
    if row["claim_token"] != claim.token or row["owner_epoch"] != claim.owner_epoch:
        if row["owner_epoch"] < claim.owner_epoch:
            raise Rewound(
                f"{name}: the database is at owner epoch {row['owner_epoch']}, "
                f"we hold {claim.owner_epoch}: it was restored"
            )
        raise PartitionLost(
            f"{name} is owned by {row['owner']} now (epoch {row['owner_epoch']}, ours was {claim.owner_epoch})"
        )
    if row["halted"]:
        raise PartitionHalted(f"{name} is halted: {row['halted']}")
    if stored == checkpoint.next_offset:
        return
    if stored < checkpoint.expected_offset:
        raise Rewound(
            f"{name}: the database is at offset {stored}, "
            f"we had committed {checkpoint.expected_offset}: it was restored"
        )
    raise PartitionHalted(
        f"{name}: the database is at offset {stored}, we expected {checkpoint.expected_offset}: nobody else may write"
    )


def _write(connection: Connection, checkpoint: Checkpoint) -> None:
    place = {"topic": checkpoint.partition.topic, "partition": checkpoint.partition.number}
    if checkpoint.learned_models:
        learn_models(connection, checkpoint.learned_models)
    if checkpoint.panes:
        _write_panes(connection, place, checkpoint.panes)
    if checkpoint.ids:
        rows = [
            place | key._asdict()
            | {"next_offset": checkpoint.next_offset, "hashes": np.ascontiguousarray(hashes, "<u8").tobytes()}
            for key, hashes in ((i.key, i.hashes) for i in checkpoint.ids)
        ]  # fmt: skip
        connection.execute(insert(pane_ids), rows)
    if checkpoint.dead:
        letters = [
            place | {
                "offset": d.offset, "timestamp_ms": d.timestamp_ms, "key": d.key, "value": d.value, "size": d.size,
                "reason": d.reason.value, "detail": storable(d.detail),
            }
            for d in checkpoint.dead
        ]  # fmt: skip
        connection.execute(
            upsert(dead_letter).on_conflict_do_nothing(constraint="dead_letter_place"), letters
        )


def _write_panes(connection: Connection, place: Mapping[str, object], panes: Iterable[PaneRow]) -> None:
    statement = upsert(pane)
    changing = ("end_ms", "grid_id", "inferences", "labels", "last_ms", "sketch")
    statement = statement.on_conflict_do_update(
        index_elements=list(pane.primary_key.columns),
        set_={name: statement.excluded[name] for name in changing},
    )
    rows = [
        {**place, **p.key._asdict(), "end_ms": p.end_ms, "grid_id": p.grid_id, "inferences": p.inferences,
         "labels": p.labels,
         "last_ms": p.last_ms, "sketch": p.sketch}
        for p in panes
    ]  # fmt: skip
    connection.execute(statement, rows)


def forget_ids(engine: Engine, claim: Claim, before_ms: int) -> None:
    """Drop the ids of panes that started before; no row can reach them any more."""
    with transaction(engine) as connection:
        held = select(_row.topic).where(*_ours(claim)).exists()
        connection.execute(
            delete(pane_ids).where(
                pane_ids.c.topic == claim.partition.topic, pane_ids.c.partition == claim.partition.number,
                pane_ids.c.start_ms < before_ms, held,
            )
        )  # fmt: skip


def note_progress(engine: Engine, claim: Claim, *, lag: int, idle: bool, quiet_ms: int = 0) -> None:
    """Say how far behind the partition is, and whether it is caught up without news (for so long now).

    To be said every few seconds: idleness that nobody has confirmed of late does not count. No state depends on it.
    """
    quiet = func.make_interval(0, 0, 0, 0, 0, 0, quiet_ms / 1000)
    since = func.coalesce(_row.idle_since, func.now() - quiet) if idle else None
    with transaction(engine) as connection:
        connection.execute(
            update(source_partition)
            .where(*_ours(claim))
            .values(lag=lag, idle_since=since, updated_at=func.now())
        )


def release_partition(engine: Engine, claim: Claim) -> None:
    """Give the partition back cleanly, so that the next claim counts no death. Nothing happens if it is not ours."""
    with transaction(engine) as connection:
        connection.execute(
            update(source_partition)
            .where(*_ours(claim))
            .values(owner=None, claim_token=None, idle_since=None)
        )


def halt_partition(engine: Engine, partition: Partition, why: str, claim: Claim | None = None) -> None:
    """Mark the partition so that nobody reads it before a person has looked; the first reason stays.

    With a `claim`, only if that still holds: what a fenced worker believes does not count.
    """
    whose = (
        _ours(claim)
        if claim is not None
        else (_row.topic == partition.topic, _row.partition == partition.number)
    )
    with transaction(engine) as connection:
        make_durable(connection)
        connection.execute(
            update(source_partition).where(*whose, _row.halted.is_(None))
            .values(halted=storable(why)[:500], idle_since=None, updated_at=func.now())
        )  # fmt: skip


def resume_partitions(engine: Engine, topic: str) -> int:
    """Let halted partitions of a topic go on where they stopped, once a person has looked. Returns how many."""
    with transaction(engine) as connection:
        make_durable(connection)
        return connection.execute(
            update(source_partition).where(_row.topic == topic, _row.halted.is_not(None))
            .values(halted=None, owner=None, claim_token=None, deaths=0, updated_at=func.now())
        ).rowcount  # fmt: skip


def reset_partitions(engine: Engine, topic: str) -> int:
    """Forget all partitions of a topic, halted ones too; their panes stay. Returns how many there were."""
    with transaction(engine) as connection:
        make_durable(connection)
        connection.execute(delete(pane_ids).where(pane_ids.c.topic == topic))
        return connection.execute(delete(source_partition).where(_row.topic == topic)).rowcount


def _name(partition: Partition) -> str:
    return f"partition {partition.number} of {partition.topic}"
