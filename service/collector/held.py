"""A partition that is ours: the claim, and what was counted since the last checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.checkpoints import Claim
    from service.messages import Partition
    from service.pipeline import PartitionPipeline


@dataclass
class Held:
    """`news_at` is when event time moved on last, `seen_end` the log's end at the last look.

    `dead_accepted`: a person wants to read on, however many records are dead letters.
    """

    claim: Claim
    pipeline: PartitionPipeline
    committed_at: float
    news_at: float
    stored_offset: int
    seen_ms: int
    seen_end: int = 0
    forgotten_ms: int = 0
    dead_accepted: bool = False

    @property
    def partition(self) -> Partition:
        """Which one."""
        return self.claim.partition
