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

    A partition is *owned* from its assignment on, *begun* once the collector named an offset.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owned: set[Partition] = set()
        self._next: dict[Partition, int] = {}
        self._read: dict[Partition, int] = {}
        self._told: set[Partition] = set()
        self._revoked: set[Partition] = set()
        self._lost: set[Partition] = set()

    def assign(self, partitions: Iterable[Sequence[object]]) -> None:
        """The group gave us these."""
        with self._lock:
            self._owned.update(map(_partition, partitions))

    def revoke(self, partitions: Iterable[Sequence[object]], *, lost: bool = False) -> None:
        """The group takes these away; `lost` ones are somebody else's already."""
        with self._lock:
            for partition in map(_partition, partitions):
                self._owned.discard(partition)
                self._next.pop(partition, None)
                self._read.pop(partition, None)
                if partition in self._told:
                    self._told.discard(partition)
                    (self._lost if lost else self._revoked).add(partition)

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
            if partition not in self._owned:
                return False
            self._next[partition] = offset
            self._read.pop(partition, None)
            return True

    def end(self, partition: Partition) -> None:
        """Hand over nothing more of it until it is begun again."""
        with self._lock:
            self._next.pop(partition, None)

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
