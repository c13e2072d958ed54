"""Which partitions a Kafka client gave us, and where each of them goes on; shared by both clients."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from service.intake.source import Assignment
from service.messages import Partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Ownership:
    """Collects rebalances, which clients report from any thread, until the collector asks for them.

    A partition is *owned* from its assignment on, *begun* once the collector named an offset, and *orphaned* when the
    group took it away because its topic is gone: the collector keeps it until it ends it, to say what has happened.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owned: set[Partition] = set()
        self._next: dict[Partition, int] = {}
        self._read: dict[Partition, int] = {}
        self._told: set[Partition] = set()
        self._revoked: set[Partition] = set()
        self._lost: set[Partition] = set()
        self._orphans: dict[Partition, int] = {}

    def assign(self, partitions: Iterable[Sequence[object]]) -> None:
        """The group gave us these."""
        with self._lock:
            given = set(map(_partition, partitions))
            for orphan in given & self._orphans.keys():
                self._take_away(orphan, self._revoked)
            self._owned |= given

    def revoke(self, partitions: Iterable[Sequence[object]], *, lost: bool = False) -> None:
        """The group takes these away; `lost` ones are somebody else's already."""
        with self._lock:
            for partition in map(_partition, partitions):
                self._take_away(partition, self._lost if lost else self._revoked)

    def orphan(self, partitions: Iterable[Sequence[object]]) -> None:
        """The group takes these away because their topic is gone."""
        with self._lock:
            for partition in map(_partition, partitions):
                offset = self._next.pop(partition, None)
                if offset is None or partition not in self._told:
                    self._take_away(partition, self._revoked)
                else:
                    self._orphans[partition] = offset

    def orphaned_at(self, partition: Partition) -> int | None:
        """The offset at which an orphaned partition stands; None if it is none."""
        return self._orphans.get(partition)

    def free(self, topic: str) -> None:
        """The topic is there again, and its partitions go to whom the group gives them."""
        with self._lock:
            for partition in [orphan for orphan in self._orphans if orphan.topic == topic]:
                self._take_away(partition, self._revoked)

    def _take_away(self, partition: Partition, into: set[Partition]) -> None:
        self._owned.discard(partition)
        self._next.pop(partition, None)
        self._read.pop(partition, None)
        self._orphans.pop(partition, None)
        if partition in self._told:
            self._told.discard(partition)
            into.add(partition)

    def lose_all(self) -> None:
        """The membership is gone, and every partition with it."""
        self.revoke(tuple(self._owned), lost=True)

    def has_news(self) -> bool:
        """Whether `take` would bring anything; checked without the lock, so it may lag an instant."""
        return bool(self._revoked or self._lost or self._told != self._owned)

    def take(self) -> Assignment:
        """What changed since the last call. One taken away and given again in between is in both sets."""
        with self._lock:
            if not self.has_news():
                return Assignment()
            change = Assignment(
                assigned=frozenset(self._owned - self._told),
                revoked=frozenset(self._revoked - self._lost),
                lost=frozenset(self._lost),
            )
            self._told = set(self._owned)
            self._revoked.clear()
            self._lost.clear()
            return change

    def begin(self, partition: Partition, offset: int) -> bool:
        """Go on from this offset; False if the partition is not ours any more."""
        with self._lock:
            if partition not in self._owned or partition in self._orphans:
                return False
            self._next[partition] = offset
            self._read.pop(partition, None)
            return True

    def end(self, partition: Partition) -> None:
        """Hand over nothing more of it until it is begun again."""
        with self._lock:
            self._next.pop(partition, None)
            if partition in self._orphans:
                self._take_away(partition, self._revoked)

    def advance(self, partition: Partition, expected: int, offset: int) -> None:
        """Records before `offset` were handed over (unless a rebalance came between)."""
        with self._lock:
            if self._next.get(partition) == expected:
                self._next[partition] = self._read[partition] = offset

    def next_offset(self, partition: Partition) -> int | None:
        """Where the partition goes on; None if it was not begun."""
        return self._next.get(partition)

    def read_until(self, partition: Partition) -> int:
        """The offset after the last record that was handed over since `begin`; 0 before the first."""
        return self._read.get(partition, 0)

    def begun(self) -> dict[Partition, int]:
        """All begun partitions, with the offset at which each goes on."""
        with self._lock:
            return dict(self._next)

    def is_owned(self, partition: Partition) -> bool:
        """Whether the group has it with us."""
        return partition in self._owned


def _partition(place: Sequence[object]) -> Partition:
    topic, number = place
    return Partition(str(topic), int(number))  # type: ignore[call-overload]  # an int from either client
