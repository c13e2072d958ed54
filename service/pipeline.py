"""The pure middle of a collector: a partition's records in, a checkpoint out; no log, database or clock."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from service.intake.limits import KEPT_KEY_BYTES, KEPT_VALUE_BYTES
from service.messages import Checkpoint, Counts, DeadLetter, Partition, Reason
from service.panes.partition import DecodedBatch, PartitionPanes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.configuration import Configuration
    from service.intake.decoder import Decoded, Decoder
    from service.intake.source import Records


class PartitionPipeline:
    """Takes a partition's records in order and keeps what the next checkpoint will write."""

    def __init__(
        self, partition: Partition, decoder: Decoder, panes: PartitionPanes, next_offset: int
    ) -> None:
        self.partition = partition
        self.panes = panes
        self._decoder = decoder
        self._pending = Checkpoint(partition, next_offset, next_offset, panes.highest_ms, Counts())

    @property
    def next_offset(self) -> int:
        """The first offset that was not taken yet."""
        return self._pending.next_offset

    @property
    def pending_records(self) -> int:
        """Records taken since the last checkpoint."""
        return self._pending.counts.total

    @property
    def dirty(self) -> bool:
        """Whether there is anything to write."""
        pending = self._pending
        return pending.next_offset != pending.expected_offset or bool(pending.lost)

    def take(self, records: Records) -> None:
        """Count these records; those below `next_offset` were counted before and are left out."""
        first = int(records.offsets[0]) if len(records) else self.next_offset
        if first < self.next_offset:
            records = _from_offset(records, self.next_offset)
        for part in _by_timing(records):
            self._take(part)

    def _take(self, records: Records) -> None:
        decoded = self._decoder.decode(records)
        batches = [DecodedBatch(batch, self._decoder.version_of(batch)) for batch in decoded.batches]
        absorbed = self.panes.absorb(batches, untimed=bool(records.timestamps_ms[0] < 0))
        dead = sorted([*decoded.dead, *_quarantine(records, absorbed.future)], key=attrgetter("offset"))
        self._remember(records, decoded, absorbed.counts, dead)

    def _remember(self, records: Records, decoded: Decoded, counts: Counts, dead: list[DeadLetter]) -> None:
        refused = Counts(dead=len(decoded.dead) + decoded.ignored, tombstone=decoded.tombstones)
        learned = {*self._pending.learned_models, *self._decoder.learned_models}
        self._pending = replace(
            self._pending,
            next_offset=int(records.offsets[-1]) + 1,
            highest_ms=self.panes.highest_ms,
            counts=self._pending.counts + counts + refused,
            dead=[*self._pending.dead, *dead],
            learned_models=sorted(learned),
        )

    def skip_lost(self, until: int) -> None:
        """The log no longer holds the offsets before `until`: count them as lost and go on there."""
        lost = until - self.next_offset
        self._pending = replace(self._pending, next_offset=until, lost=self._pending.lost + lost)

    def checkpoint(self) -> Checkpoint:
        """What to write now. Changes nothing: until `committed` is called the same is written again."""
        return replace(self._pending, panes=self.panes.changed(), ids=self.panes.fresh_ids())

    def committed(self) -> None:
        """The checkpoint is stored."""
        done = self._pending.next_offset
        self.panes.committed()
        self._pending = Checkpoint(self.partition, done, done, self.panes.highest_ms, Counts())

    def reconfigure(self, configuration: Configuration) -> None:
        """Decode with another revision of the monitors from the next records on."""
        self._decoder.reconfigure(configuration)


def _by_timing(records: Records) -> Iterator[Records]:
    """Runs of records that all have, or all lack, a time of their own: nearly always one."""
    changes = np.flatnonzero(np.diff(records.timestamps_ms < 0)) + 1
    ends = [*changes.tolist(), len(records)] if len(records) else []
    for start, end in pairwise([0, *ends]):
        yield _between(records, start, end)


def _from_offset(records: Records, offset: int) -> Records:
    return _between(records, int((records.offsets < offset).sum()), len(records))


def _between(records: Records, start: int, end: int) -> Records:
    if start == 0 and end == len(records):
        return records
    chosen = slice(start, end)
    return replace(
        records, offsets=records.offsets[chosen], timestamps_ms=records.timestamps_ms[chosen],
        values=records.values[chosen], keys=records.keys[chosen],
    )  # fmt: skip


def _quarantine(records: Records, offsets: Sequence[int]) -> list[DeadLetter]:
    wanted = set(offsets)
    if not wanted:
        return []
    detail = "event time is more than 30 days after all events before it"
    return [
        _letter(records, place, detail)
        for place, offset in enumerate(records.offsets.tolist())
        if offset in wanted
    ]


def _letter(records: Records, place: int, detail: str) -> DeadLetter:
    value, key = records.values[place] or b"", records.keys[place] or b""
    return DeadLetter(
        int(records.offsets[place]), int(records.timestamps_ms[place]), key[:KEPT_KEY_BYTES],
        value[:KEPT_VALUE_BYTES], len(value), Reason.FUTURE_TIMESTAMP, detail,
    )  # fmt: skip
