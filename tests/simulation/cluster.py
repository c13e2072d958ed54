"""A simulated log: what producers, retention, elections and people do to a topic happens here on command.

offsets    0    start      hole            end
           |xxxxx|#########| |#############|          x expired   # there

A partition knows which leader wrote which of its offsets (KIP-320): an election that takes records back begins a new
epoch, and who has read on in an older epoch beyond its end is told where the two logs part.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from service.intake.source import Bounds
from service.messages import Partition


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `ts_ms` is what its producer's clock says, -1 for none, `written_ms` the time it came to the log."""

    ts_ms: int
    value: bytes | None
    key: bytes | None = None
    written_ms: int = 0
    kills: bool = False


@dataclass
class PartitionLog:
    """One partition. `epochs` holds the first offset of each leader, oldest first."""

    records: dict[int, Record] = field(default_factory=dict)
    start: int = 0
    end: int = 0
    epochs: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    stalled_until_ms: int = 0
    truncations: int = 0

    def append(self, *records: Record) -> None:
        """A producer writes."""
        for record in records:
            self.records[self.end] = record
            self.end += 1

    def leave_holes(self, offsets: int) -> None:
        """Markers and aborted records take offsets that hold nothing for a reader."""
        self.end += offsets

    def compact(self, offset: int) -> None:
        """A newer record of the same key replaces this one."""
        self.records.pop(offset, None)

    def expire(self, until: int) -> None:
        """Retention takes all records before."""
        for offset in range(self.start, until):
            self.records.pop(offset, None)
        self.start = max(self.start, until)

    def truncate(self, until: int) -> None:
        """An unclean election takes all records from here on."""
        for offset in range(until, self.end):
            self.records.pop(offset, None)
        self.end = until
        epoch = self.epoch + 1
        self.epochs = [(e, first) for e, first in self.epochs if first < until] + [(epoch, until)]
        self.truncations += 1

    @property
    def epoch(self) -> int:
        """The number of the present leader."""
        return self.epochs[-1][0]

    def parting(self, epoch: int) -> int:
        """Where the log of a reader that has read as of this epoch ends being the same as this one."""
        return next((first for e, first in self.epochs if e > epoch), self.end)

    @property
    def read_to_end_at(self) -> int:
        """The offset after the last record."""
        return max(self.records, default=self.start - 1) + 1


@dataclass
class Topic:
    """A topic's partitions, under an identity that changes when it is made anew. `born_ms` is when it was."""

    name: str
    id: UUID
    logs: list[PartitionLog]
    born_ms: int = 0


@dataclass
class Cluster:
    """All topics. `away` answers nothing, `shy` only refuses to describe topics and extents."""

    topics: dict[str, Topic] = field(default_factory=dict)
    away: bool = False
    shy: bool = False
    _ids: int = 0

    def create(self, name: str, partitions: int, now_ms: int = 0) -> Topic:
        """Make a topic, anew if there is one of that name."""
        self._ids += 1
        made = Topic(name, UUID(int=self._ids), [PartitionLog() for _ in range(partitions)], now_ms)
        self.topics[name] = made
        return made

    def grow(self, name: str) -> None:
        """Give a topic one more partition."""
        self.topics[name].logs.append(PartitionLog())

    def partitions(self) -> list[Partition]:
        """All there are, in order."""
        return [Partition(t.name, n) for t in self.topics.values() for n in range(len(t.logs))]

    def log(self, partition: Partition) -> PartitionLog:
        """One partition's log."""
        return self.topics[partition.topic].logs[partition.number]

    def has(self, partition: Partition) -> bool:
        """Whether there is such a partition; a topic that was made anew may have fewer."""
        topic = self.topics.get(partition.topic)
        return topic is not None and partition.number < len(topic.logs)

    def bounds(self, partition: Partition) -> Bounds:
        """The log's extent."""
        log = self.log(partition)
        return Bounds(log.start, log.end)
