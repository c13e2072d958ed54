"""All that a verification reads, as of one moment: one read-only transaction that sees no later commit."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, or_, select, text

from service.messages import (
    Alert,
    Cause,
    Column,
    Counts,
    FilterKey,
    Finding,
    Loss,
    LossKind,
    Partition,
    Role,
    Severity,
    State,
    Stream,
    Verdict,
    WindowKey,
)
from service.store.checkpoint import pane_row
from service.store.engine import take_time, transaction
from service.store.partition_rows import has_position
from service.store.tables import (
    alert,
    dead_letter,
    evaluation,
    finding,
    gap,
    model_version,
    pane,
    pane_ids,
    revision,
    source_partition,
    window_result,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Engine, RowMapping, Select

    from service.messages import PaneRow

_ROWS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class StoredPartition:
    """How far a partition was read, and where its records ended. `highest_ms` is None before the first event."""

    partition: Partition
    first_offset: int
    next_offset: int
    counts: Counts
    lost: int
    holes: int
    truncated: int
    highest_ms: int | None
    jumps: int
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter's place and reason. `early`: it was written before the newest model's first monitor was."""

    offset: int
    reason: str
    early: bool = False


@dataclass(frozen=True, slots=True)
class StoredWindow:
    """A slice of a window as it was written."""

    key: WindowKey
    inferences: int
    labels: int
    revision: int
    incomplete: bool


class Snapshot:
    """The database at one moment. What may be long is streamed; an iterator need not be read to its end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._streams: list[Generator[RowMapping]] = []

    def close(self) -> None:
        """End what was not read to its end."""
        for stream in self._streams:
            stream.close()

    def revision(self) -> int:
        """The monitors' revision."""
        return int(self._connection.execute(select(revision.c.number)).scalar_one())

    def partitions(self) -> Sequence[StoredPartition]:
        """Every partition that was claimed and not reset since, by topic and number."""
        row = source_partition.c
        losses = self._losses()
        found = self._connection.execute(
            select(source_partition).where(has_position).order_by(row.topic, row.partition)
        ).mappings()
        return [_partition(r, losses.get(Partition(r["topic"], r["partition"]), ())) for r in found]

    def _losses(self) -> Mapping[Partition, tuple[Loss, ...]]:
        made: dict[Partition, tuple[Loss, ...]] = {}
        for r in self._connection.execute(select(gap).order_by(gap.c.offset)).mappings():
            place = Partition(r["topic"], r["partition"])
            loss = Loss(r["offset"], r["records"], LossKind(r["kind"]), r["from_ms"], r["until_ms"])
            made[place] = (*made.get(place, ()), loss)
        return made

    def panes(self, partition: Partition) -> Iterator[PaneRow]:
        """A partition's panes in the order of their ends."""
        mine = (pane.c.topic == partition.topic, pane.c.partition == partition.number)
        for row in self._stream(select(pane).where(*mine).order_by(pane.c.end_ms)):
            yield pane_row(row)

    def ids(self, partition: Partition, since_ms: int) -> Mapping[FilterKey, NDArray[np.uint64]]:
        """The hashes that the id filters of panes starting at or after hold, sorted."""
        mine = (pane_ids.c.topic == partition.topic, pane_ids.c.partition == partition.number)
        found: dict[FilterKey, list[NDArray[np.uint64]]] = {}
        for row in self._rows(select(pane_ids).where(*mine, pane_ids.c.start_ms >= since_ms)):
            key = FilterKey(row["model"], Stream(row["stream"]), row["start_ms"])
            found.setdefault(key, []).append(np.frombuffer(row["hashes"], "<u8").astype(np.uint64))
        return {key: np.sort(np.concatenate(hashes)) for key, hashes in found.items()}

    def letters(self, partition: Partition, reasons: Sequence[str] = ()) -> Iterator[StoredLetter]:
        """A partition's dead letters in the order of their offsets; of these reasons only, if any are given."""
        first = model_version.c.number == 1
        newest = select(func.max(model_version.c.created_at)).where(first).scalar_subquery()
        early = func.coalesce(dead_letter.c.seen_at < newest, False).label("early")
        mine = [dead_letter.c.topic == partition.topic, dead_letter.c.partition == partition.number]
        if reasons:
            mine.append(or_(*(dead_letter.c.reason == reason for reason in reasons)))
        query = select(dead_letter.c.offset, dead_letter.c.reason, early).where(*mine)
        for row in self._stream(query.order_by(dead_letter.c.offset)):
            yield StoredLetter(row["offset"], row["reason"], row["early"])

    def letter_count(self, topic: str) -> int:
        """How many dead letters of a topic are stored."""
        query = select(func.count()).select_from(dead_letter).where(dead_letter.c.topic == topic)
        return int(self._connection.execute(query).scalar_one())

    def positions(self) -> Mapping[str, int]:
        """Up to which end of a window each model is evaluated."""
        rows = self._connection.execute(select(evaluation.c.model, evaluation.c.position_ms))
        return {model: position for model, position in rows if position is not None}

    def partitions_of(self, model: str) -> Sequence[Partition]:
        """The partitions that have panes of a model."""
        query = select(pane.c.topic, pane.c.partition).where(pane.c.model == model).distinct()
        return sorted(Partition(*row) for row in self._connection.execute(query))

    def windows(self, model: str, after_ms: int, until_ms: int | None = None) -> Sequence[StoredWindow]:
        """The slices of a model's windows with after < end <= until."""
        row = window_result.c
        query = select(window_result).where(row.model == model, row.end_ms > after_ms)
        if until_ms is not None:
            query = query.where(row.end_ms <= until_ms)
        return [
            StoredWindow(_key(r), r["inferences"], r["labels"], r["revision"], r["incomplete"])
            for r in self._rows(query)
        ]

    def findings(
        self, model: str, after_ms: int, until_ms: int | None = None
    ) -> Sequence[tuple[WindowKey, Finding]]:
        """The findings of a model's windows with after < end <= until."""
        row = finding.c
        query = select(finding).where(row.model == model, row.end_ms > after_ms)
        if until_ms is not None:
            query = query.where(row.end_ms <= until_ms)
        return [(_key(r), _finding(r)) for r in self._rows(query)]

    def open_alerts(self, model: str) -> Mapping[str, Alert]:
        """The alerts of a model that are pending or firing, by id."""
        states = [State.PENDING.value, State.FIRING.value]
        query = select(alert).where(alert.c.model == model, alert.c.state.in_(states))
        return {r["id"]: _alert(r) for r in self._connection.execute(query).mappings()}

    def _rows(self, query: Select[Any]) -> Iterable[RowMapping]:
        return self._connection.execute(query).mappings()

    def _stream(self, query: Select[Any]) -> Iterator[RowMapping]:
        def rows() -> Generator[RowMapping]:
            with self._connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)) as result:
                yield from result.mappings()

        self._streams.append(rows())
        return self._streams[-1]


@contextmanager
def one_moment(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees no later commit, for as long as it takes; the server lets it write nothing."""
    with transaction(engine) as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        take_time(connection)
        yield connection


@contextmanager
def open_snapshot(engine: Engine) -> Iterator[Snapshot]:
    """The database as it is now, for as long as it takes; no collector or evaluator waits for it."""
    with one_moment(engine) as connection, closing(Snapshot(connection)) as snapshot:
        yield snapshot


def _partition(row: RowMapping, losses: tuple[Loss, ...]) -> StoredPartition:
    counts = Counts(row["accepted"], row["duplicate"], row["late"], row["dead"], row["tombstone"])
    return StoredPartition(
        Partition(row["topic"], row["partition"]), row["first_offset"], row["next_offset"], counts, row["lost"],
        row["holes"], row["truncated"], row["highest_ms"], row["jumps"], losses,
    )  # fmt: skip


def _key(row: RowMapping) -> WindowKey:
    return WindowKey(
        row["model"], row["version"], row["segment"], row["window"], row["start_ms"], row["end_ms"]
    )


def _column(row: RowMapping) -> Column | None:
    return Column(Role(row["role"]), row["feature"]) if row["role"] else None


def _finding(row: RowMapping) -> Finding:
    return Finding(
        _column(row), row["method"], row["value"], row["limit"], row["p_value"], row["n"], row["m"],
        row["resolution"], Verdict(row["verdict"]), row["reason"],
    )  # fmt: skip


def _alert(row: RowMapping) -> Alert:
    return Alert(
        row["id"], row["incident"], row["model"], row["version"], row["segment"], row["window"], _column(row),
        row["rule"], Cause(row["cause"]), Severity(row["severity"]), State(row["state"]), row["since_ms"],
        row["at_ms"], row["summary"],
    )  # fmt: skip
