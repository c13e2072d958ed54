"""Notices topics that were deleted, or deleted and made again under their name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.errors import ConfigurationError

if TYPE_CHECKING:
    from service.intake.source import Source
    from service.messages import Partition

GONE_SECONDS = 10.0
"""A topic that is not there for so long was deleted; brokers that have just begun may not know it yet."""


@dataclass
class TopicWatch:
    """Asks for the topics' identities. `_missed` says since when a topic is not there."""

    source: Source
    _missed: dict[str, float] = field(default_factory=dict)

    def look(
        self, topics: Iterable[str], claimed: Mapping[Partition, str | None], now: float
    ) -> list[tuple[Partition, str]]:
        """The partitions to halt, with the reason. `claimed` holds the identity that each was claimed under."""
        found: list[tuple[Partition, str]] = []
        for topic in sorted(topics):
            here = [partition for partition in sorted(claimed) if partition.topic == topic]
            try:
                identity = self.source.topic_id(topic)
            except ConfigurationError as why:
                if now - self._missed.setdefault(topic, now) >= GONE_SECONDS:
                    found += [(partition, f"its topic cannot be read any more: {why}") for partition in here]
                continue
            self._missed.pop(topic, None)
            found += [
                (p, f"topic {topic} was deleted and made again (id {identity}, was {claimed[p]})")
                for p in here
                if is_another(identity, claimed[p])
            ]
        return found


def is_another(seen: object, claimed: str | None) -> bool:
    """Whether a topic is not the one that was claimed; unknown where the log system tells no identities."""
    return seen is not None and claimed is not None and str(seen) != claimed
