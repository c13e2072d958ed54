"""The partitions that are ours and halted, and the halts that the database has not taken yet."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.checkpoints import Checkpoints, Claim
    from service.messages import Partition
    from service.metrics import PipelineMetrics

log = logging.getLogger(__name__)


@dataclass
class Halts:
    """Says a halt once and writes it each time: a person, or a restored database, may have undone it too early."""

    metrics: PipelineMetrics
    _known: set[Partition] = field(default_factory=set)
    _unwritten: dict[Partition, tuple[str, Claim | None]] = field(default_factory=dict)

    def add(self, partition: Partition, why: str, claim: Claim | None) -> None:
        """Halt it; with a `claim` only if that still holds when it is written."""
        if partition not in self._known:
            log.critical("partition %s %d is halted until a person looks: %s", *partition, why)
            self.metrics.commits.labels("halted").inc()
        self._known.add(partition)
        self._unwritten[partition] = why, claim

    def write(self, checkpoints: Checkpoints) -> None:
        """Store what is not stored yet. Raises Unavailable; the rest waits for the next time."""
        for partition, (why, claim) in list(self._unwritten.items()):
            checkpoints.halt(partition, why, claim)
            del self._unwritten[partition]

    def forget(self, partition: Partition) -> None:
        """It goes on, or is not ours any more; a halt that is not stored yet will be."""
        self._known.discard(partition)
