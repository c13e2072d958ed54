"""The pure middle of a collector: a partition's records in, a checkpoint out; no log, database or clock."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from service.intake.limits import KEPT_KEY_BYTES, KEPT_VALUE_BYTES
from service.messages import Checkpoint, Counts, DeadLetter, Loss, LossKind, Partition, Reason
from service.panes.admission import NEVER_MS
from service.panes.health import Health
from service.panes.partition import DecodedBatch, PartitionPanes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.configuration import Configuration
    from service.intake.decoder import Decoded, Decoder
    from service.intake.source import Records


MOST_LETTERS = 5_000
MOST_PANES = 1_000
MOST_CANDIDATES = 5_000
"""A checkpoint does not wait for more than so many dead letters, changed panes, or rows to be labelled."""


class PartitionPipeline:
    """Takes a partition's records in order and keeps what the next checkpoint will write."""

    def __init__(
        self, partition: Partition, decoder: Decoder, panes: PartitionPanes, next_offset: int,
        *, open_losses: Sequence[Loss] = (), health: Health | None = None,
    ) -> None:  # fmt: skip
        self.partition = partition
        self.panes = panes
        self._decoder = decoder
        self._open_losses = list(open_losses)
        self._health = health or Health()
        self._pending = self._nothing(next_offset)

    def _nothing(self, next_offset: int) -> Checkpoint:
        return Checkpoint(self.partition, next_offset, next_offset, self.panes.highest_ms, Counts())

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
        return self._pending.next_offset != self._pending.expected_offset

    @property
    def is_heavy(self) -> bool:
        """Whether what is to be written has become so much that it should not wait for more."""
        return (
            len(self._pending.dead) >= MOST_LETTERS
            or self.panes.changed_count >= MOST_PANES
            or len(self.panes.asked) >= MOST_CANDIDATES
        )

    @property
    def poison(self) -> str | None:
        """A sentence when too many of the last records are dead letters; they are counted all the same."""
        return self._health.poison

    def take(self, records: Records) -> None:
        """Count these records; those below `next_offset` were counted before and are left out."""
        first = int(records.offsets[0]) if len(records) else self.next_offset
        if first < self.next_offset:
            records = records.between(int((records.offsets < self.next_offset).sum()), len(records))
        for part in _by_timing(records):
            self._take(part)

    def _take(self, records: Records) -> None:
        decoded = self._decoder.decode(records)
        batches = [DecodedBatch(batch, self._decoder.version_of(batch)) for batch in decoded.batches]
        absorbed = self.panes.absorb(batches, untimed=bool(records.timestamps_ms[0] < 0))
        dead = sorted([*decoded.dead, *_quarantine(records, absorbed.future)], key=attrgetter("offset"))
        self._end_losses(absorbed.first_ms)
        self._health.look(len(records), dead)
        self._remember(records, decoded, absorbed.counts, dead)

    def _remember(self, records: Records, decoded: Decoded, counts: Counts, dead: list[DeadLetter]) -> None:
        refused = Counts(dead=len(decoded.dead) + decoded.ignored, tombstone=decoded.tombstones)
        learned = {*self._pending.learned_models, *self._decoder.learned_models}
        after = int(records.offsets[-1]) + 1
        self._pending = replace(
            self._pending,
            next_offset=after,
            highest_ms=self.panes.highest_ms,
            counts=self._pending.counts + counts + refused,
            dead=[*self._pending.dead, *dead],
            learned_models=sorted(learned),
            holes=self._pending.holes + after - self.next_offset - len(records),
        )

    def skip_lost(self, until: int) -> None:
        """The log no longer holds the offsets before `until`: count them as lost and go on there."""
        lost = until - self.next_offset
        highest = self.panes.highest_ms
        loss = Loss(self.next_offset, lost, LossKind.LOST, None if highest == NEVER_MS else highest)
        self._open_losses.append(loss)
        self._pending = replace(
            self._pending,
            next_offset=until,
            lost=self._pending.lost + lost,
            losses=[*self._pending.losses, loss],
        )

    def _end_losses(self, first_ms: int | None) -> None:
        """Where event time goes on after gaps, they end."""
        if not self._open_losses or first_ms is None:
            return
        ended = [replace(one, until_ms=max(first_ms, one.from_ms or first_ms)) for one in self._open_losses]
        others = [one for one in self._pending.losses if one not in self._open_losses]
        self._pending = replace(self._pending, losses=[*others, *ended])
        self._open_losses.clear()

    def skip_killer(self) -> None:
        """The next record has killed the process again and again: it becomes a dead letter by its place alone."""
        at = self.next_offset
        detail = "the process died each time it was read; only its place is known"
        letter = DeadLetter(at, -1, b"", b"", 0, Reason.KILLS_PROCESS, detail)
        self._pending = replace(
            self._pending, next_offset=at + 1, counts=self._pending.counts + Counts(dead=1),
            dead=[*self._pending.dead, letter],
        )  # fmt: skip

    def checkpoint(self) -> Checkpoint:
        """What to write now. Changes nothing: until `committed` is called the same is written again."""
        return replace(
            self._pending, panes=self.panes.changed(), ids=self.panes.fresh_ids(), jumps=self.panes.jumps,
            capped=self.panes.capped(), healthy=self._health.good, joins=tuple(self.panes.joinable),
            candidates=self.panes.candidates(),
        )  # fmt: skip

    def committed(self) -> None:
        """The checkpoint is stored."""
        done = self._pending.next_offset
        self.panes.committed()
        self._health.good = False
        self._pending = self._nothing(done)

    def reconfigure(self, configuration: Configuration) -> None:
        """Decode with another revision of the monitors from the next records on."""
        self._decoder.reconfigure(configuration)


def _by_timing(records: Records) -> Iterator[Records]:
    """Runs of records that all have, or all lack, a time of their own: nearly always one."""
    changes = np.flatnonzero(np.diff(records.timestamps_ms < 0)) + 1
    ends = [*changes.tolist(), len(records)] if len(records) else []
    for start, end in pairwise([0, *ends]):
        yield records.between(start, end)


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
