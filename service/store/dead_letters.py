"""Dead letters as stored: listed, counted, found, and marked when they were written to the log again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, literal_column, select, text, update

from service.errors import Unavailable
from service.messages import FilterKey, Partition, Stream
from service.moments import time_at
from service.store.engine import make_durable, transaction
from service.store.paging import Chunk, Order, Paging, columns_of
from service.store.tables import dead_letter, pane_ids, source_partition

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection, Engine, Select

_letter = dead_letter.c
_REPLAY_LOCK = 0x64656164  # "dead"
_MOST_HOURS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterFilter:
    """Which dead letters (None: any): seen after `since_ms`, at or before `until_ms`; `last_id` is the newest one."""

    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    reason: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    replayed: bool | None = None
    last_id: int | None = None


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """A rejected record with the start of its bytes: up to 1 KiB of its key and 4 KiB of its value."""

    id: int
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes
    size: int
    reason: str
    detail: str
    seen_at: datetime
    replayed_at: datetime | None = None


class CountBy(StrEnum):
    """What dead letters are counted by."""

    REASON = "reason"
    TOPIC = "topic"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class DeadLetterCount:
    """How many dead letters have this reason or topic, or were seen in the hour that began then; and the last one."""

    name: str
    count: int
    last_seen_at: datetime


# ---------------------------------------------------------------- reading
def list_dead_letters(
    connection: Connection, wanted: DeadLetterFilter, paging: Paging, *, oldest_first: bool = False
) -> Chunk[DeadLetterRow]:
    """Dead letters, the latest first unless told otherwise."""
    rows = _matching(select(*columns_of(dead_letter, DeadLetterRow)), wanted)
    order = Order((_letter.id,), downwards=not oldest_first)
    return order.read(connection, rows, paging, lambda row: DeadLetterRow(**row))


def find_dead_letter(connection: Connection, partition: Partition, offset: int) -> DeadLetterRow | None:
    """The dead letter of one record; None when there is none."""
    wanted = DeadLetterFilter(topic=partition.topic, partition=partition.number, offset=offset)
    rows = list_dead_letters(connection, wanted, Paging(1)).rows
    return rows[0] if rows else None


def newest_dead_letter(connection: Connection) -> int:
    """The highest id so far; 0 when there was none."""
    return connection.execute(select(func.max(_letter.id))).scalar() or 0


def count_dead_letters(
    connection: Connection, wanted: DeadLetterFilter, by: CountBy = CountBy.REASON
) -> tuple[DeadLetterCount, ...]:
    """Reasons and topics by their number, the most frequent first; hours in their order, the last 1,000 of them."""
    counted = _hours(wanted) if by is CountBy.HOUR else _groups(wanted, by)
    found = connection.execute(counted).all()
    rows = reversed(found) if by is CountBy.HOUR else found
    return tuple(DeadLetterCount(_said(row.name), row.letters, row.last_seen_at) for row in rows)


def _groups(wanted: DeadLetterFilter, by: CountBy) -> Select[Any]:
    # The newest id instead of the newest time: then an index that holds no times answers, and the table is not read.
    name = _letter[by.value]
    some = select(name.label("name"), func.count().label("letters"), func.max(_letter.id).label("newest"))
    groups = _matching(some, wanted).group_by(name).subquery()
    counted = select(groups.c.name, groups.c.letters, _letter.seen_at.label("last_seen_at"))
    return counted.join(dead_letter, _letter.id == groups.c.newest).order_by(
        groups.c.letters.desc(), groups.c.name
    )


def _hours(wanted: DeadLetterFilter) -> Select[Any]:
    hour = func.date_trunc(literal_column("'hour'"), _letter.seen_at, literal_column("'UTC'")).label("name")
    some = select(hour, func.count().label("letters"), func.max(_letter.seen_at).label("last_seen_at"))
    return _matching(some, wanted).group_by(hour).order_by(hour.desc()).limit(_MOST_HOURS)


def _said(name: str | datetime) -> str:
    return name if isinstance(name, str) else name.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def _matching(rows: Select[Any], wanted: DeadLetterFilter) -> Select[Any]:
    values = asdict(wanted)
    equal = {name: values[name] for name in ("topic", "partition", "offset", "reason")}
    rows = rows.where(*(_letter[name] == value for name, value in equal.items() if value is not None))
    if wanted.since_ms is not None:
        rows = rows.where(_letter.seen_at > time_at(wanted.since_ms))
    if wanted.until_ms is not None:
        rows = rows.where(_letter.seen_at <= time_at(wanted.until_ms))
    if wanted.replayed is not None:
        rows = rows.where(
            _letter.replayed_at.is_not(None) if wanted.replayed else _letter.replayed_at.is_(None)
        )
    return rows if wanted.last_id is None else rows.where(_letter.id <= wanted.last_id)


# ---------------------------------------------------------------- replaying
@dataclass(frozen=True, slots=True)
class CountedSoFar:
    """What decides whether a partition's next record is late or a duplicate."""

    highest_ms: int | None
    ids: Mapping[FilterKey, list[NDArray[np.uint64]]]


def counted_so_far(connection: Connection, partition: Partition, patience_ms: int) -> CountedSoFar:
    """The partition's highest event time, and the ids in panes that started less than `patience_ms` before it."""
    row, ids = source_partition.c, pane_ids.c
    here = (row.topic == partition.topic, row.partition == partition.number)
    highest = connection.execute(select(row.highest_ms).where(*here)).scalar()
    if highest is None:
        return CountedSoFar(None, {})
    mine = (ids.topic == partition.topic, ids.partition == partition.number)
    found: dict[FilterKey, list[NDArray[np.uint64]]] = {}
    rows = connection.execute(select(pane_ids).where(*mine, ids.start_ms >= highest - patience_ms))
    for one in rows.mappings():
        key = FilterKey(one["model"], Stream(one["stream"]), one["start_ms"])
        found.setdefault(key, []).append(np.frombuffer(one["hashes"], "<u8").astype(np.uint64))
    return CountedSoFar(highest, found)


def mark_replayed(engine: Engine, ids: Sequence[int]) -> None:
    """Note that these were written to the log again; durably, since no log tells it a second time."""
    with transaction(engine) as connection:
        make_durable(connection)
        connection.execute(
            update(dead_letter).where(_letter.id == func.any(list(ids))).values(replayed_at=func.now())
        )


@contextmanager
def only_one_replay(engine: Engine) -> Iterator[None]:
    """Keep all other replays out meanwhile, so that no letter is written twice. Raises Unavailable when one runs."""
    # No transaction idles while the log is written.
    unbound = engine.execution_options(isolation_level="AUTOCOMMIT")
    lock = {"lock": _REPLAY_LOCK}
    with transaction(unbound) as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), lock).scalar():
            raise Unavailable("dead letters are being replayed by somebody else; try again when that is done")
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), lock)
