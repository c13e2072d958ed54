"""Notices a Kafka client that stands still although the log goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.messages import Partition

LONGEST_PATIENCE = 16  # an open transaction looks like a stall, so each fruitless restart waits twice as long


class StallWatch:
    """Says when a partition has lagged without progress for longer than the limit."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._patience = 1
        self._since: dict[Partition, tuple[int, float]] = {}
        self._ends: dict[Partition, int] = {}

    def is_stalled(self, now_seconds: float, places: Mapping[Partition, tuple[int, int]]) -> bool:
        """`places` holds position and known end of every partition that should be moving."""
        since: dict[Partition, tuple[int, float]] = {}
        for partition, (position, seen_end) in places.items():
            end = max(seen_end, self._ends.get(partition, 0))
            before = self._since.get(partition)
            if before is not None and before[0] == position and position < end:
                since[partition] = before
            else:
                since[partition] = (position, now_seconds)
                self._patience = 1 if before is not None and position > before[0] else self._patience
        self._since = since
        oldest = min((at for _, at in since.values()), default=now_seconds)
        return now_seconds - oldest > self._limit_seconds * self._patience

    def restart(self) -> None:
        """The client was made anew: count from zero, and be more patient."""
        self._since.clear()
        self._ends.clear()
        self._patience = min(self._patience * 2, LONGEST_PATIENCE)

    def learn_end(self, partition: Partition, end: int) -> None:
        """The log itself says where it ends: a client that fetches nothing hears of no end either."""
        self._ends[partition] = end

    def rest(self) -> None:
        """Nothing should be moving now (paused): forget what was seen."""
        self._since.clear()
