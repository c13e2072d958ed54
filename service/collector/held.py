"""A partition that is ours: the claim, and what was counted since the last checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from service.intake.decoder import Decoder
from service.panes.admission import NEVER_MS
from service.panes.health import Health
from service.panes.partition import PartitionPanes
from service.pipeline import PartitionPipeline
from service.sketches.codec import pane_from_bytes

if TYPE_CHECKING:
    from service.checkpoints import Claim
    from service.collector.options import CollectorOptions
    from service.configuration import Configuration
    from service.intake.source import Bounds
    from service.messages import Partition


class Progress(NamedTuple):
    """Records behind the log's end, whether it is caught up without news, and for how long (ms)."""

    lag: int
    idle: bool
    quiet_ms: int


@dataclass
class Held:
    """`news_at` is when event time moved on last (to `seen_ms`), `seen_end` the log's end at the last look.

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

    def notice_news(self, now: float) -> None:
        """Remember when event time has moved on."""
        if self.pipeline.panes.highest_ms > self.seen_ms:
            self.seen_ms, self.news_at = self.pipeline.panes.highest_ms, now

    def progress(self, log: Bounds, now: float, idle_after_ms: int) -> Progress:
        """Caught up is who has counted all that the log held at the last look; news is what moves event time on."""
        next_offset = max(self.pipeline.next_offset, log.reached)
        lag = max(0, log.end - next_offset)
        quiet_ms = round((now - self.news_at) * 1000)
        caught_up = lag == 0 or next_offset >= self.seen_end > 0
        self.seen_end = log.end
        return Progress(lag, caught_up and quiet_ms >= idle_after_ms, quiet_ms)


def open_held(claim: Claim, configuration: Configuration, options: CollectorOptions, now: float) -> Held:
    """What is needed to go on from a claim."""
    decoder = Decoder(configuration, unknown_models=options.unknown_models, limits=options.limits)
    panes = _restored(claim, configuration)
    pipeline = PartitionPipeline(
        claim.partition, decoder, panes, claim.next_offset,
        open_losses=claim.open_losses, health=Health(options.most_dead_share),
    )  # fmt: skip
    return Held(
        claim, pipeline, now, now, claim.next_offset, panes.highest_ms, dead_accepted=claim.dead_accepted
    )


def _restored(claim: Claim, configuration: Configuration) -> PartitionPanes:
    highest = NEVER_MS if claim.highest_ms is None else claim.highest_ms
    panes = PartitionPanes(highest, claim.jumps)
    restored = []
    for row in claim.panes:
        version = configuration.at(row.key.model, row.key.start_ms)
        if version is not None and version.grid.id == row.grid_id:
            restored.append((row.key, pane_from_bytes(row.sketch, version.grid), version))
    panes.restore(restored, claim.ids)
    return panes


def patience_ms(configuration: Configuration) -> int:
    """How long after its end a pane of any model may still be reached by late rows."""
    monitors = [v.monitor for versions in configuration.models.values() for v in versions]
    return max((m.allowed_lateness_ms + m.disorder_ms for m in monitors), default=3_600_000)
