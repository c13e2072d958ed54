"""Where in the log the events of a time are: partitions, offsets as far as stored, and what was lost there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, or_, select

from service.messages import Stream
from service.store.tables import dead_letter, gap, pane, pane_ids, source_partition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

MOST_PARTITIONS = 64


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A partition that events of the time came from; the offsets that these lie between, None: not known any more.

    `dead` of its records of the time could not be used, the first of them at `dead_offset`; `lost` are gone.
    """

    topic: str
    partition: int
    inferences: int
    from_offset: int | None
    until_offset: int | None
    dead: int
    dead_offset: int | None
    lost: int


@dataclass(frozen=True, slots=True)
class PaneFilter:
    """Panes of a slice that start in [from_ms, until_ms); of all versions where it is ''."""

    model: str
    version: str
    segment: str
    from_ms: int
    until_ms: int


def log_places(connection: Connection, wanted: PaneFilter) -> Sequence[LogPlace]:
    """By partition, the one with the most events first."""
    c = pane.c
    mine = [
        c.model == wanted.model, c.segment == wanted.segment, c.start_ms >= wanted.from_ms,
        c.start_ms < wanted.until_ms,
    ]  # fmt: skip
    mine += [c.version == wanted.version] if wanted.version else []
    rows = func.sum(c.inferences)
    query = select(c.topic, c.partition, rows).where(*mine).group_by(c.topic, c.partition)
    found = connection.execute(query.order_by(rows.desc(), c.topic, c.partition).limit(MOST_PARTITIONS))
    places = [(row[0], row[1], int(row[2])) for row in found]
    offsets, dead = _offsets(connection, wanted), _dead(connection, wanted)
    lost = _lost(connection, wanted)
    return [
        _placed((topic, number, inferences), offsets.get(at), dead.get(at), lost.get(at, 0))
        for topic, number, inferences in places
        for at in ((topic, number),)
    ]


def _placed(
    place: tuple[str, int, int], offsets: tuple[int, int] | None, dead: tuple[int, int] | None, lost: int
) -> LogPlace:
    first, last = offsets or (None, None)
    count, first_dead = dead or (0, None)
    return LogPlace(*place, first, last, count, first_dead, lost)


def _offsets(connection: Connection, wanted: PaneFilter) -> Mapping[tuple[str, int], tuple[int, int]]:
    """Of the checkpoints that wrote these panes' ids: after the checkpoint before the first, before the last one's."""
    c, s, other = pane_ids.c, source_partition.c, pane_ids.alias("other")
    written = (
        select(c.topic, c.partition, func.min(c.next_offset).label("first"), func.max(c.next_offset).label("last"))
        .where(
            c.model == wanted.model, c.stream == Stream.INFERENCE.value, c.start_ms >= wanted.from_ms,
            c.start_ms < wanted.until_ms,
        )
        .group_by(c.topic, c.partition)
        .subquery()
    )  # fmt: skip
    of_written = and_(other.c.topic == written.c.topic, other.c.partition == written.c.partition)
    before = (
        select(func.max(other.c.next_offset))
        .where(of_written, other.c.next_offset < written.c.first)
        .scalar_subquery()
    )
    query = select(
        written.c.topic, written.c.partition, func.coalesce(before, s.first_offset), written.c.last
    )
    joined = query.join(
        source_partition, and_(s.topic == written.c.topic, s.partition == written.c.partition)
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(joined)}


def _dead(connection: Connection, wanted: PaneFilter) -> Mapping[tuple[str, int], tuple[int, int]]:
    c = dead_letter.c
    query = (
        select(c.topic, c.partition, func.count(), func.min(c.offset))
        .where(c.timestamp_ms >= wanted.from_ms, c.timestamp_ms < wanted.until_ms)
        .group_by(c.topic, c.partition)
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(query)}


def _lost(connection: Connection, wanted: PaneFilter) -> Mapping[tuple[str, int], int]:
    c = gap.c
    query = (
        select(c.topic, c.partition, func.sum(c.records))
        .where(
            or_(c.from_ms.is_(None), c.from_ms < wanted.until_ms),
            or_(c.until_ms.is_(None), c.until_ms > wanted.from_ms),
        )
        .group_by(c.topic, c.partition)
    )
    return {(row[0], row[1]): int(row[2]) for row in connection.execute(query)}
