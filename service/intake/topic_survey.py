"""What a broker says of topics and of our rights on them, asked beside those who read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FOR_EVER = -1


@dataclass(frozen=True, slots=True)
class TopicSeen:
    """One topic: the extent of each partition, our rights, and for how long it keeps records.

    `trouble` says why it cannot be used. Of `rights` and `retention_ms` None means that the broker does not tell.
    `leaderless` partitions have nobody who would answer.
    """

    topic: str
    trouble: str = ""
    starts: Mapping[int, int] = field(default_factory=dict)
    ends: Mapping[int, int] = field(default_factory=dict)
    leaderless: tuple[int, ...] = ()
    rights: frozenset[str] | None = None
    retention_ms: int | None = None
    compacted: bool = False


@dataclass(frozen=True, slots=True)
class BrokerSeen:
    """The topics that were asked for, and why the consumer group cannot be used ("": it can)."""

    topics: tuple[TopicSeen, ...] = ()
    group_trouble: str = ""

    def topic(self, name: str) -> TopicSeen | None:
        """One of them."""
        return next((one for one in self.topics if one.topic == name), None)
