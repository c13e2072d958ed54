"""Claims and checkpoints: who may write a partition, and its panes and offset in one transaction.

Correctness rests on one conditional UPDATE (owner epoch, claim token and expected offset must all be ours).
Group membership only decides who tries. A mismatch has five causes; `_explain` tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import case, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from service.checkpoints import Claim, Claimant, Trial
from service.errors import ConfigurationChanged, PartitionHalted, PartitionLost, Rewound
from service.messages import (
    Checkpoint,
    DeadLetter,
    FilterKey,
    Loss,
    LossKind,
    PaneKey,
    PaneRow,
    Partition,
    Stream,
)
from service.sketches.inbox_codec import rows_to_bytes
from service.store.configuration import current_revision, learn_models, load_configuration
from service.store.engine import make_durable, transaction
from service.store.feedback_candidates import add_candidates
from service.store.tables import dead_letter, gap, join_inbox, pane, pane_ids, revision, source_partition
from service.store.texts import storable

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, Insert, RowMapping, Update
    from sqlalchemy.sql.dml import ReturningInsert

    from service.configuration import Configuration

_row = source_partition.c


@dataclass(frozen=True)
class PostgresCheckpoints:
    """`service.checkpoints.Checkpoints` in PostgreSQL."""

    engine: Engine

    def configuration(self) -> Configuration:
        return load_configuration(self.engine)

    def revision(self) -> int:
        return current_revision(self.engine)

    def claim(self, partition: Partition, claimant: Claimant, topic_id: str | None, log_start: int) -> Claim:
        with transaction(self.engine) as connection:
            make_durable(
                connection
            )  # a commit that a crash forgets is read again, a row that it forgets is a halt
            row = connection.execute(_claiming(partition, claimant, topic_id, log_start)).mappings().one()
            _refuse_halted(partition, row, topic_id)
            _refuse_unplaced(connection, partition, row)
            panes = _open_panes(connection, partition, (row["highest_ms"] or 0) - claimant.patience_ms)
            ids = _ids_of(connection, partition, panes)
            losses = _open_losses(connection, partition)
        return Claim(
            partition, row["owner_epoch"], row["claim_token"], row["next_offset"], row["highest_ms"], row["topic_id"],
            row["deaths"], panes, ids, row["jumps"], _trial_of(row), row["dead_accepted"], losses,
        )  # fmt: skip

    def commit(self, claim: Claim, checkpoint: Checkpoint, revision: int) -> None:
        """A COMMIT whose reply was lost is noticed and is no error."""
        with transaction(self.engine) as connection:
            moved = connection.execute(_compare_and_swap(claim, checkpoint))
            if moved.rowcount == 0:
                _explain(connection, claim, checkpoint.expected_offset, checkpoint.next_offset)
                return
            # Whoever learns a model raises the revision: two that shared its lock first would be a deadlock.
            _require_revision(connection, revision, shared=not checkpoint.learned_models)
            _write(connection, checkpoint)

    def take_back(self, claim: Claim, offset: int, loss: Loss) -> None:
        with transaction(self.engine) as connection:
            make_durable(connection)
            moved = connection.execute(
                update(source_partition).where(*_ours(claim), _row.halted.is_(None), _row.next_offset == offset)
                .values(next_offset=loss.offset, truncated=_row.truncated + loss.records, updated_at=func.now())
            )  # fmt: skip
            if moved.rowcount == 0:
                _explain(connection, claim, offset, loss.offset)
                return
            _write_losses(connection, _place(claim.partition), [loss])

    def note_progress(
        self, claim: Claim, *, stored_offset: int, lag: int, idle: bool, quiet_ms: int = 0
    ) -> None:
        """To be said every few seconds: idleness that nobody has confirmed of late does not count."""
        quiet = func.make_interval(0, 0, 0, 0, 0, 0, quiet_ms / 1000)
        since = func.coalesce(_row.idle_since, func.now() - quiet) if idle else None
        with transaction(self.engine) as connection:
            noted = connection.execute(
                update(source_partition)
                .where(*_ours(claim), _row.next_offset == stored_offset)
                .values(lag=lag, idle_since=since, updated_at=func.now())
            )
            if noted.rowcount == 0:
                _explain(connection, claim, stored_offset, stored_offset)

    def note_trial(self, claim: Claim, trial: Trial | None) -> None:
        """The count of deaths begins anew with each trial."""
        offset, records = (trial.offset, trial.records) if trial is not None else (None, None)
        same = (_row.trying_offset == offset) & (_row.trying_records == records)
        with transaction(self.engine) as connection:
            make_durable(connection)
            connection.execute(
                update(source_partition)
                .where(*_ours(claim))
                .values(
                    trying_offset=offset,
                    trying_records=records,
                    trying_epoch=claim.owner_epoch,
                    deaths=case((same, _row.deaths), else_=0),
                )
            )

    def forget_ids(self, claim: Claim, before_ms: int) -> None:
        with transaction(self.engine) as connection:
            held = select(_row.topic).where(*_ours(claim)).exists()
            connection.execute(
                delete(pane_ids).where(
                    pane_ids.c.topic == claim.partition.topic, pane_ids.c.partition == claim.partition.number,
                    pane_ids.c.start_ms < before_ms, held,
                )
            )  # fmt: skip

    def release(self, claim: Claim) -> None:
        """Nothing happens if it is not ours."""
        with transaction(self.engine) as connection:
            connection.execute(
                update(source_partition)
                .where(*_ours(claim))
                .values(owner=None, claim_token=None, idle_since=None)
            )

    def halt(self, partition: Partition, why: str, claim: Claim | None = None) -> None:
        """The first reason stays."""
        whose = (
            _ours(claim)
            if claim is not None
            else (_row.topic == partition.topic, _row.partition == partition.number)
        )
        with transaction(self.engine) as connection:
            make_durable(connection)
            connection.execute(
                update(source_partition).where(*whose, _row.halted.is_(None))
                .values(halted=storable(why)[:500], idle_since=None, updated_at=func.now())
            )  # fmt: skip


def _claiming(
    partition: Partition, claimant: Claimant, topic_id: str | None, log_start: int
) -> ReturningInsert[tuple[object, ...]]:
    token = uuid4()
    statement = upsert(source_partition).values(
        topic=partition.topic, partition=partition.number, topic_id=topic_id, next_offset=log_start,
        first_offset=log_start, owner_epoch=1, claim_token=token, owner=claimant.owner,
    )  # fmt: skip
    return statement.on_conflict_do_update(
        index_elements=[_row.topic, _row.partition],
        set_={
            "owner_epoch": _row.owner_epoch + 1, "claim_token": token, "owner": claimant.owner, "idle_since": None,
            "deaths": _deaths(), "updated_at": func.now(),
            "topic_id": func.coalesce(_row.topic_id, statement.excluded.topic_id),
            # A person has reset it: it begins at the log's start.
            "next_offset": case((_row.next_offset < 0, statement.excluded.next_offset), else_=_row.next_offset),
            "first_offset": case((_row.next_offset < 0, statement.excluded.first_offset), else_=_row.first_offset),
        },
    ).returning(*source_partition.c)  # fmt: skip


def _deaths() -> ColumnElement[int]:
    """Who died without having begun the trial is no evidence against what is tried."""
    of_others = (_row.trying_offset == _row.next_offset) & (_row.trying_epoch != _row.owner_epoch)
    return case((_row.owner.is_(None), 0), (of_others, _row.deaths), else_=_row.deaths + 1)


def _trial_of(row: RowMapping) -> Trial | None:
    """The trial that the last owner was at; one that has moved on has done its work."""
    if row["trying_offset"] is None or row["trying_offset"] != row["next_offset"]:
        return None
    return Trial(row["trying_offset"], row["trying_records"])


def _refuse_halted(partition: Partition, row: RowMapping, topic_id: str | None) -> None:
    if row["halted"]:
        raise PartitionHalted(f"{_name(partition)} is halted: {row['halted']}")
    if topic_id and row["topic_id"] and topic_id != row["topic_id"]:
        raise PartitionHalted(
            f"{_name(partition)} is another topic than before (id {topic_id}, was {row['topic_id']}): it was deleted "
            "and made again, so offset numbers mean nothing; run `driftbell partitions reset` to start it over"
        )


def _refuse_unplaced(connection: Connection, partition: Partition, row: RowMapping) -> None:
    """A new row beside counted panes: somebody deleted the old one, and reading anew would count twice."""
    if row["owner_epoch"] > 1:
        return
    counted = select(pane.c.topic).where(
        pane.c.topic == partition.topic, pane.c.partition == partition.number
    )
    if connection.execute(select(counted.exists())).scalar_one():
        raise PartitionHalted(
            f"{_name(partition)} has panes and no position any more: restore its row, or read it anew with "
            f"`driftbell partitions reset {partition.topic} --recount`"
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


def _open_losses(connection: Connection, partition: Partition) -> tuple[Loss, ...]:
    """The gaps of which it is not known yet where they end in event time."""
    mine = (gap.c.topic == partition.topic, gap.c.partition == partition.number)
    query = select(gap).where(*mine, gap.c.until_ms.is_(None)).order_by(gap.c.offset, gap.c.kind)
    return tuple(loss_of(row) for row in connection.execute(query).mappings())


def loss_of(row: RowMapping) -> Loss:
    """A stored gap as a value."""
    return Loss(row["offset"], row["records"], LossKind(row["kind"]), row["from_ms"], row["until_ms"])


def pane_row(row: RowMapping) -> PaneRow:
    """A stored pane as a value."""
    key = PaneKey(row["model"], row["version"], row["segment"], row["start_ms"])
    return PaneRow(
        key, row["end_ms"], row["grid_id"], row["inferences"], row["labels"], row["last_ms"], row["sketch"],
        Partition(row["topic"], row["partition"]),
    )  # fmt: skip


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
            lost=_row.lost + checkpoint.lost, holes=_row.holes + checkpoint.holes, jumps=checkpoint.jumps, deaths=0,
            dead_accepted=_row.dead_accepted & ~literal(checkpoint.healthy), updated_at=func.now(),
        )
    )  # fmt: skip


def _require_revision(connection: Connection, wanted: int, *, shared: bool) -> None:
    found = connection.execute(select(revision.c.number).with_for_update(read=shared)).scalar_one()
    if found != wanted:
        raise ConfigurationChanged(f"the monitors are at revision {found}, the batch was counted at {wanted}")


def _ours(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        _row.topic == claim.partition.topic, _row.partition == claim.partition.number,
        _row.owner_epoch == claim.owner_epoch, _row.claim_token == claim.token,
    )  # fmt: skip


def _explain(connection: Connection, claim: Claim, expected_offset: int, next_offset: int) -> None:
    """Nothing matched: return if it was done already, else raise what the caller must do."""
    name = _name(claim.partition)
    row = connection.execute(
        select(source_partition).where(_row.topic == claim.partition.topic, _row.partition == claim.partition.number)
    ).mappings().one_or_none()  # fmt: skip
    if row is None:
        raise PartitionHalted(
            f"{name} has no row in the database any more: somebody deleted it, or an older state was restored"
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
    if stored == next_offset:
        return
    if stored < expected_offset:
        raise Rewound(
            f"{name}: the database is at offset {stored}, we had committed {expected_offset}: it was restored"
        )
    raise PartitionHalted(
        f"{name}: the database is at offset {stored}, we expected {expected_offset}: nobody else may write"
    )


def _write(connection: Connection, checkpoint: Checkpoint) -> None:
    place = _place(checkpoint.partition)
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
        connection.execute(_adding_ids(), rows)
    if checkpoint.joins:
        left = [
            place | {"next_offset": checkpoint.next_offset, "place": i, "model": rows.model, "rows": len(rows),
                     "columns": rows_to_bytes(rows)}
            for i, rows in enumerate(checkpoint.joins)
        ]  # fmt: skip
        connection.execute(insert(join_inbox), left)
    if checkpoint.candidates:
        add_candidates(connection, checkpoint.partition, checkpoint.candidates)
    _write_losses(connection, place, checkpoint.losses)
    if checkpoint.dead:
        _write_letters(connection, place, checkpoint.dead)


def _place(partition: Partition) -> dict[str, object]:
    return {"topic": partition.topic, "partition": partition.number}


def _adding_ids() -> Insert:
    """An offset is reached twice only when the log was cut off between."""
    statement = upsert(pane_ids)
    both = pane_ids.c.hashes.op("||")(statement.excluded.hashes)
    return statement.on_conflict_do_update(
        index_elements=list(pane_ids.primary_key.columns), set_={"hashes": both}
    )


def _write_letters(connection: Connection, place: dict[str, object], dead: Iterable[DeadLetter]) -> None:
    """The newest record of an offset counts: a log that was cut off has another one there now."""
    letters = [
        place | {
            "offset": d.offset, "timestamp_ms": d.timestamp_ms, "key": d.key, "value": d.value, "size": d.size,
            "reason": d.reason.value, "detail": storable(d.detail),
        }
        for d in dead
    ]  # fmt: skip
    statement = upsert(dead_letter)
    told = ("timestamp_ms", "key", "value", "size", "reason", "detail")
    newest = {name: statement.excluded[name] for name in told} | {"seen_at": func.now(), "replayed_at": None}
    connection.execute(statement.on_conflict_do_update(constraint="dead_letter_place", set_=newest), letters)


def _write_losses(connection: Connection, place: dict[str, object], losses: Sequence[Loss]) -> None:
    rows = [
        place | {
            "offset": one.offset, "kind": one.kind.value, "records": one.records, "from_ms": one.from_ms,
            "until_ms": one.until_ms,
        }
        for one in losses
    ]  # fmt: skip
    if not rows:
        return
    statement = upsert(gap)
    known = {name: statement.excluded[name] for name in ("records", "from_ms", "until_ms")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(gap.primary_key.columns), set_=known), rows
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


def _name(partition: Partition) -> str:
    return f"partition {partition.number} of {partition.topic}"
