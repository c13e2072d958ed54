"""A log in memory and a `Source` over it: what a broker would do on its own happens here on command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import numpy as np

from service.errors import Unavailable
from service.intake.source import Assignment, Bounds, Corrupt, Gap, Polled, Records
from service.messages import Partition


@dataclass
class Clock:
    """Seconds and milliseconds that move by hand only."""

    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds

    def ms(self) -> int:
        return round(self.seconds * 1000)

    def move(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class FakeLog:
    """One topic. A record is its time (ms, -1 for none), key and value; offsets begin at `starts[partition]`."""

    topic: str = "events"
    partitions: int = 1
    id: UUID | None = field(default_factory=uuid4)
    records: dict[int, list[tuple[int, bytes | None, bytes | None]]] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)
    damaged: dict[int, set[int]] = field(default_factory=dict)

    def append(self, values: list[bytes | None], ts_ms: list[int], partition: int = 0) -> None:
        """Write records."""
        rows = zip(ts_ms, values, strict=True)
        self.records.setdefault(partition, []).extend((ts, None, value) for ts, value in rows)

    def expire(self, until: int, partition: int = 0) -> None:
        """Retention takes what is before."""
        self.starts[partition] = max(until, self.starts.get(partition, 0))

    def truncate(self, until: int, partition: int = 0) -> None:
        """An unclean election takes what is after."""
        del self.records[partition][until:]

    def damage(self, offset: int, partition: int = 0) -> None:
        """The record there can be read no more."""
        self.damaged.setdefault(partition, set()).add(offset)

    def recreate(self) -> None:
        """The topic is deleted and made again under its name."""
        self.id, self.records, self.starts = uuid4(), {}, {}

    def end(self, partition: int) -> int:
        return len(self.records.get(partition, ()))


@dataclass
class FakeSource:
    """`Source` over a `FakeLog`; hands over at most `most_at_once` records a partition and poll."""

    log: FakeLog
    most_at_once: Iterator[int] | None = None
    away: bool = False
    paused: bool = False
    closed: bool = False
    acknowledged: dict[Partition, int] = field(default_factory=dict)
    polls: int = 0
    restarts: int = 0
    _owned: set[Partition] = field(default_factory=set)
    _next: dict[Partition, int] = field(default_factory=dict)
    _assigned: set[Partition] = field(default_factory=set)
    _revoked: set[Partition] = field(default_factory=set)
    _lost: set[Partition] = field(default_factory=set)

    # What the group does

    def assign(self, *numbers: int) -> None:
        """The group gives us these partitions."""
        self._assigned |= {Partition(self.log.topic, n) for n in numbers}

    def revoke(self, *numbers: int) -> None:
        """The group asks for these back."""
        self._revoked |= self._take(numbers)

    def lose(self, *numbers: int) -> None:
        """The group has given these to somebody else."""
        self._lost |= self._take(numbers)

    def _take(self, numbers: tuple[int, ...]) -> set[Partition]:
        gone = {Partition(self.log.topic, n) for n in numbers}
        self._owned -= gone
        for partition in gone:
            self._next.pop(partition, None)
        return gone

    # The protocol

    def start(self) -> None:
        pass

    def poll(self, timeout_seconds: float, max_records: int) -> Polled:  # noqa: ARG002
        self.polls += 1
        self._must_be_there()
        if self.paused:
            return Polled()
        most = (
            max_records
            if self.most_at_once is None
            else min(max_records, next(self.most_at_once, max_records))
        )
        records, gaps, corrupt = [], [], []
        for partition, at in sorted(self._next.items()):
            start, end = self.log.starts.get(partition.number, 0), self.log.end(partition.number)
            if at < start or at > end:
                gaps.append(Gap(partition, at, start, end))
                del self._next[partition]
            elif at in (damaged := self.log.damaged.get(partition.number, set())):
                corrupt.append(Corrupt(partition, at, f"offset {at} cannot be read: it is damaged"))
                del self._next[partition]
            elif at < end and most > 0:
                until = min(end, at + most, *(bad for bad in damaged if bad > at))
                records.append(self._records(partition, at, until))
                self._next[partition] = until
        return Polled(records, gaps, corrupt)

    def _records(self, partition: Partition, start: int, end: int) -> Records:
        rows = self.log.records[partition.number][start:end]
        times = np.array([ts for ts, _, _ in rows], np.int64)
        return Records(
            partition, np.arange(start, end), times, [v for _, _, v in rows], [k for _, k, _ in rows]
        )

    def changes(self) -> Assignment:
        made = Assignment(frozenset(self._assigned), frozenset(self._revoked), frozenset(self._lost))
        self._owned |= self._assigned
        self._assigned, self._revoked, self._lost = set(), set(), set()
        return made

    def begin(self, partition: Partition, offset: int) -> None:
        if partition in self._owned:
            self._next[partition] = offset

    def end(self, partition: Partition) -> None:
        self._next.pop(partition, None)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def bounds(self, partition: Partition) -> Bounds:
        self._must_be_there()
        return Bounds(self.log.starts.get(partition.number, 0), self.log.end(partition.number))

    def topic_id(self, topic: str) -> UUID | None:
        self._must_be_there()
        return self.log.id if topic == self.log.topic else None

    def acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        self.acknowledged |= offsets

    def close(self) -> None:
        self.closed = True

    def _must_be_there(self) -> None:
        if self.away:
            raise Unavailable("the log is away")
