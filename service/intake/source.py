"""The protocol that every source of records keeps, and the values that cross it.

A source hides one log system (Kafka through a client, a folder of files, a simulation).
The collector is its only caller, from one thread, in this order:

    start -> (poll -> changes -> begin/seek -> poll ... pause/resume ... acknowledge)* -> close

What a source guarantees:

- `poll` hands over records only of partitions that were begun, in offset order, without overlap;
  records that arrived for a partition before `begin` or after it went away are dropped inside.
- No record is skipped silently: when the log no longer holds the wanted offset, `poll` hands over
  a `Gap` instead of records, and goes on only after the caller's next `seek`.
- What the log holds but nobody can read (a damaged batch) stops its own partition only: all records before it are
  handed over, then one `Corrupt`, and nothing more of that partition until its next `begin`.
- The partitions of a topic that was deleted stay with who reads them until they are ended, although the group takes
  them away at once: so somebody is left to say that the topic is gone.
- It never decides where to start and never commits by itself: the database does (`acknowledge` is best
  effort and only feeds lag tools).
- It raises `Unavailable` when the log system is away and the same call may succeed later, and
  `ConfigurationError` when a person must act (no such topic, not allowed). Nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, Self

from service.messages import Partition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    import numpy as np
    from numpy.typing import NDArray


class Cut(bytes):
    """The start of a value that was too large to be read whole; all of it has `size` bytes."""

    size: int

    def __new__(cls, start: bytes, size: int) -> Self:
        made = super().__new__(cls, start)
        made.size = size
        return made


@dataclass(frozen=True, slots=True)
class Records:
    """Consecutive records of one partition, as columns of equal length n.

    `offsets` may have holes (compaction, aborted transactions). `values[i]` is None for a tombstone, and a `Cut`
    where the source read only its start.
    `timestamps_ms[i]` is -1 where the log has none.
    """

    partition: Partition
    offsets: NDArray[np.int64]
    timestamps_ms: NDArray[np.int64]
    values: Sequence[bytes | None]
    keys: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.offsets)

    def between(self, start: int, end: int) -> Records:
        """The records at these places."""
        if start == 0 and end >= len(self):
            return self
        chosen = slice(start, end)
        return replace(
            self, offsets=self.offsets[chosen], timestamps_ms=self.timestamps_ms[chosen],
            values=self.values[chosen], keys=self.keys[chosen],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gap:
    """The log starts at `log_start` now, so [wanted, log_start) is lost; or it ends before `wanted`."""

    partition: Partition
    wanted: int
    log_start: int
    log_end: int


@dataclass(frozen=True, slots=True)
class Corrupt:
    """The record at `wanted` cannot be read; `why` is a sentence. A broken transfer heals when it is begun again."""

    partition: Partition
    wanted: int
    why: str


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll brought: records by partition, gaps that were met, and what could not be read."""

    records: Sequence[Records] = ()
    gaps: Sequence[Gap] = ()
    corrupt: Sequence[Corrupt] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """What changed since the last call. `lost` partitions are somebody else's already; `revoked` may still be ours.

    One that is in `assigned` too went away and came back: drop what it had, then claim it again.
    """

    assigned: frozenset[Partition] = field(default_factory=frozenset)
    revoked: frozenset[Partition] = field(default_factory=frozenset)
    lost: frozenset[Partition] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return bool(self.assigned or self.revoked or self.lost)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The log's extent: `start` is the first offset that is still there, `end` the next one to be written.

    All before `reached` was handed over or holds no record for us: a transaction's marker at the end brings none.
    """

    start: int
    end: int
    reached: int = 0


class Source(Protocol):
    """A partitioned log that can be tailed from any offset.

    `restarts` counts how often the client stood still although the log went on, and was made anew.
    """

    restarts: int

    def start(self) -> None:
        """Connect and subscribe. Raises ConfigurationError if a topic does not exist: none is ever created."""

    def poll(self, timeout_seconds: float, max_records: int) -> Polled:
        """Wait for records at most so long; also drives the group membership, so call it at least every few seconds."""

    def changes(self) -> Assignment:
        """What was assigned and taken away since the last call; empty most of the time."""

    def begin(self, partition: Partition, offset: int) -> None:
        """Start handing over records of an assigned partition from this offset (also used to seek again)."""

    def end(self, partition: Partition) -> None:
        """Stop handing over records of this partition (halted, or given back)."""

    def pause(self) -> None:
        """Hand over nothing until `resume`; polling goes on to keep the membership alive."""

    def resume(self) -> None:
        """Go on after `pause`, with nothing lost."""

    def bounds(self, partition: Partition) -> Bounds:
        """Ask the log for its extent (a round trip; not for every poll)."""

    def topic_id(self, topic: str) -> UUID | None:
        """The topic's identity, which changes when it is recreated; None where the log system has none."""

    def acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        """Tell lag tools how far the database has got. Best effort: never raises, decides nothing."""

    def close(self) -> None:
        """Leave the group and free everything; safe to call twice."""
