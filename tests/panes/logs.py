"""Logs of decoded-size events for the tests of panes, taken in any splits and with restarts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from service.intake.decoder import Decoder
from service.intake.source import Records
from service.messages import Checkpoint, Counts, DeadLetter, FilterKey, PaneKey, PaneRow, Partition
from service.panes.partition import PartitionPanes
from service.pipeline import PartitionPipeline
from service.sketches.codec import pane_from_bytes
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from service.configuration import Configuration

PARTITION = Partition("t", 0)


@dataclass
class Stored:
    """What a database holds of one partition after some checkpoints."""

    next_offset: int = 0
    highest_ms: int | None = None
    jumps: int = 0
    counts: Counts = field(default_factory=Counts)
    panes: dict[PaneKey, PaneRow] = field(default_factory=dict)
    ids: dict[FilterKey, list[NDArray[np.uint64]]] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    lost: int = 0

    def write(self, checkpoint: Checkpoint) -> None:
        """One transaction: compare, then write all."""
        assert checkpoint.expected_offset == self.next_offset
        assert self.highest_ms is None or checkpoint.highest_ms >= self.highest_ms
        self.next_offset, self.highest_ms = checkpoint.next_offset, checkpoint.highest_ms
        self.counts += checkpoint.counts
        self.dead += checkpoint.dead
        self.lost += checkpoint.lost
        self.panes |= {row.key: row for row in checkpoint.panes}
        for rows in checkpoint.ids:
            self.ids.setdefault(rows.key, []).append(rows.hashes)

    @property
    def everything(self) -> tuple[Any, ...]:
        """All of it, as values that can be compared."""
        ids = {key: sorted(np.concatenate(hashes).tolist()) for key, hashes in self.ids.items()}
        return (
            self.next_offset,
            self.highest_ms,
            self.counts,
            self.panes,
            ids,
            [(d.offset, d.reason) for d in self.dead],
            self.lost,
        )


def records(values: Sequence[Any], timestamps_ms: Sequence[int] | int, *, first: int = 0) -> Records:
    """Consecutive records; what is not bytes is written as JSON."""
    data = [v if v is None or isinstance(v, bytes) else json.dumps(v).encode() for v in values]
    times = np.broadcast_to(np.asarray(timestamps_ms, np.int64), len(data))
    return Records(PARTITION, np.arange(first, first + len(data)), times, data, [None] * len(data))


def part_of(log: Records, start: int, end: int) -> Records:
    """The records between two places."""
    at = slice(start, end)
    return Records(PARTITION, log.offsets[at], log.timestamps_ms[at], log.values[at], log.keys[at])


def opened(configuration: Configuration, stored: Stored) -> PartitionPipeline:
    """A pipeline as after a restart: what was stored, without the panes that no row can reach any more."""
    panes = (
        PartitionPanes(jumps=stored.jumps)
        if stored.highest_ms is None
        else PartitionPanes(stored.highest_ms, stored.jumps)
    )
    restored: list[tuple[PaneKey, PaneSketch, Any]] = []
    for key, row in stored.panes.items():
        version = configuration.at(key.model, key.start_ms)
        assert version is not None
        patience = version.monitor.allowed_lateness_ms + version.monitor.disorder_ms
        if row.end_ms + patience > panes.highest_ms:
            restored.append((key, pane_from_bytes(row.sketch, version.grid), version))
    reachable = {(key.model, key.start_ms) for key, _, _ in restored}
    panes.restore(
        restored,
        {key: hashes for key, hashes in stored.ids.items() if (key.model, key.start_ms) in reachable},
    )
    return PartitionPipeline(PARTITION, Decoder(configuration), panes, stored.next_offset)


def run(
    configuration: Configuration,
    log: Records,
    cuts: Iterable[int] = (),
    *,
    commits: Iterable[int] = (),
    restarts: Iterable[int] = (),
) -> Stored:
    """Take a log in polls that end at `cuts`, with checkpoints at some ends and restarts at some of those."""
    commits, restarts = {*commits, *restarts}, set(restarts)
    ends = sorted({*cuts, *commits, len(log)} - {0})
    stored = Stored()
    pipeline = opened(configuration, stored)
    for start, end in zip([0, *ends], ends, strict=False):
        pipeline.take(part_of(log, start, end))
        if end in commits or end == len(log):
            stored.write(pipeline.checkpoint())
            stored.jumps = pipeline.panes.jumps
            pipeline.committed()
        if end in restarts:
            pipeline = opened(configuration, stored)
    return stored
