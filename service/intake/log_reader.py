"""The protocol of reading stretches of a log beside those who tail it: to verify, to replay dead letters.

A reader belongs to no group, commits nothing and decides nothing, so it can run beside any number of collectors.
Its callers use it from one thread, one `read` at a time, in any order; `close` ends it.

What a reader guarantees:

- `read` hands over every record of its stretch that the log holds, once, in offset order, and nothing else. Offsets
  that the log does not hold (compaction, transactions, retention) are passed over without a word: who must tell
  these apart asks `bounds`, before and after.
- It raises `Unavailable` when the log system is away and the same call may succeed later, and `ConfigurationError`
  when a person must act (no such topic, not allowed). Nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.intake.source import Bounds, Records
    from service.messages import Partition


class LogReader(Protocol):
    """A partitioned log that can be read from anywhere to anywhere."""

    def partitions(self, topic: str) -> Sequence[int]:
        """The numbers of a topic's partitions, in order. Raises ConfigurationError if there is no such topic."""

    def bounds(self, partition: Partition) -> Bounds:
        """The log's extent now. Some brokers tell too low an end, so an end is no proof that there is no more."""

    def read(self, partition: Partition, start: int, end: int) -> Iterator[Records]:
        """The records with offsets in [start, end), in pieces that are never empty; ends early at the log's end.

        It waits for a slow log, and raises Unavailable when nothing has come for too long.
        """

    def close(self) -> None:
        """Disconnect; safe to call twice."""
