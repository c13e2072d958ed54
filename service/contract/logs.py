"""Counts a log's events of one model, to hold a contract against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.configuration import Configuration
from service.intake.decoder import Decoder
from service.messages import UnknownModels
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from service.configuration import ModelVersion
    from service.intake.source import Source
    from service.messages import Partition

_POLL_RECORDS = 10_000


@dataclass
class LogCount:
    """The model's events in one sketch, repeated and late ones too; `dead` records could not be used."""

    sketch: PaneSketch
    dead: int = 0


def count_log(source: Source, version: ModelVersion) -> LogCount:
    """Read a source that ends, from its start. Raises ConfigurationError for files that cannot be read."""
    decoder = Decoder(Configuration({version.model: (version,)}), unknown_models=UnknownModels.IGNORE)
    made = LogCount(PaneSketch(version.grid))
    source.start()
    try:
        reached = dict.fromkeys(sorted(source.changes().assigned), 0)
        for partition in reached:
            source.begin(partition, 0)
        while _turn(source, decoder, made, reached):
            pass
    finally:
        source.close()
    return made


def _turn(source: Source, decoder: Decoder, made: LogCount, reached: dict[Partition, int]) -> bool:
    """One poll; whether there may be more."""
    polled = source.poll(0.0, _POLL_RECORDS)
    for records in polled.records:
        decoded = decoder.decode(records)
        made.dead += len(decoded.dead)
        for batch in decoded.batches:
            made.sketch.add(batch, slice(None))
        reached[records.partition] = int(records.offsets[-1]) + 1
    return bool(polled.records) or any(source.bounds(p).end > next_ for p, next_ in reached.items())
