"""Finds the record that kills the process, by reading ever fewer records at once.

    deaths without progress      what is tried next
    ------------------------     -------------------------------------------------
    3                            1,000 records at a time, each time said beforehand
    1 more, at the same place    one record at a time, each said beforehand
    3 more, at the same record   that record becomes a dead letter by its place
    6 while it was fetched       the same: a batch that bursts kills before its records are in hand

What is tried is stored before it is tried, so that whoever comes after the death knows. One suspect partition is read
at a time and nothing beside it, so that a death has one place only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.checkpoints import Trial

if TYPE_CHECKING:
    from service.checkpoints import Checkpoints, Claim
    from service.collector.held import Held
    from service.intake.source import Records, Source
    from service.messages import Partition

log = logging.getLogger(__name__)

DEATHS = 3
DEATHS_OF_ONE = 3
DEATHS_OF_A_FETCH = 6
FETCH = 0
"""Stands for the number of records of a trial in which none was in hand yet."""
PART = 1_000
PARTS = 50
"""So many parts, or single records, are tried in a row before all is taken for good again."""
QUIET_SECONDS = 5.0
SHORT_QUIET_SECONDS = 0.5
"""A suspect that brings nothing for so long has been read to its end; the shorter one if the log says the same."""


SINGLE_RECORDS = 100
"""So many single records are taken from one poll: each costs two transactions."""


@dataclass
class Suspicion:
    """One partition under suspicion: how many records to read at once, how many are left, since when it is quiet."""

    at_once: int
    left: int
    skips_first: bool = False
    quiet_since: float | None = None


def suspicion_of(claim: Claim) -> Suspicion | None:
    """What the deaths so far say of a partition; None when there is nothing to suspect."""
    trial = claim.trial
    if trial is None:
        return Suspicion(PART, PART * PARTS) if claim.deaths >= DEATHS else None
    if trial.records > 1:
        return Suspicion(1, trial.records) if claim.deaths else Suspicion(PART, PART * PARTS)
    most = DEATHS_OF_A_FETCH if trial.records == FETCH else DEATHS_OF_ONE
    return Suspicion(1, PART, skips_first=claim.deaths >= most)


@dataclass
class Suspects:
    """Begins partitions at the source: at once while nothing is suspected, else one suspect after the other first."""

    source: Source
    checkpoints: Checkpoints
    _suspects: dict[Partition, Suspicion] = field(default_factory=dict)
    _waiting: set[Partition] = field(default_factory=set)

    def meet(self, held: Held, all_held: Mapping[Partition, Held], log_end: int) -> None:
        """A partition was claimed: begin it, or find out what is wrong with it before anything else is read.

        Where there is nothing to read, nothing can have killed anybody.
        """
        suspicion = suspicion_of(held.claim) if held.claim.next_offset < log_end else None
        if suspicion is not None:
            log.error(
                "partition %s %d: the process died %d times at or after offset %d; reading %d records at a time",
                *held.partition, held.claim.deaths, held.claim.next_offset, suspicion.at_once,
            )  # fmt: skip
            self._suspects[held.partition] = suspicion
            for other in all_held.keys() - self._suspects.keys() - self._waiting:
                self.source.end(other)
                self._waiting.add(other)
        elif self._suspects:
            self._waiting.add(held.partition)
        else:
            self.source.begin(held.partition, held.claim.next_offset)

    def is_trying(self, partition: Partition) -> bool:
        """Whether its records are read a few at a time."""
        return partition in self._suspects

    def most_records(self, usual: int) -> int:
        """How many records one poll may bring."""
        most = [SINGLE_RECORDS if s.at_once == 1 else PART for s in self._suspects.values()]
        return min([usual, *most])

    def take(self, held: Held, records: Records, now: float, commit: Callable[[Held], None]) -> None:
        """Count some records of a suspect: say what is tried, try it, store it, and on."""
        suspicion, size = self._suspects[held.partition], self._suspects[held.partition].at_once
        for start in range(0, len(records), size):
            if self._suspects.get(held.partition) is not suspicion:
                return  # fenced, halted or claimed anew
            self.checkpoints.note_trial(held.claim, Trial(held.pipeline.next_offset, size))
            held.pipeline.take(records.between(start, start + size))
            commit(held)
            suspicion.left -= size
        suspicion.quiet_since = now

    def go_on(self, held: Mapping[Partition, Held], now: float, commit: Callable[[Held], None]) -> None:
        """Begin the next suspect, clear who has brought nothing bad, and begin all others when none is left."""
        if self._suspects:
            partition = min(self._suspects)
            suspicion, one = self._suspects[partition], held[partition]
            if suspicion.quiet_since is None:
                self._begin(one, suspicion, commit)
                suspicion.quiet_since = now
            elif suspicion.left <= 0 or self._is_read(one, now - suspicion.quiet_since):
                self._clear(one)
        if not self._suspects and self._waiting:
            for waiting in sorted(self._waiting & held.keys()):
                self.source.begin(waiting, held[waiting].pipeline.next_offset)
            self._waiting.clear()

    def _is_read(self, held: Held, quiet_seconds: float) -> bool:
        """Whether there is nothing more to try for now."""
        if quiet_seconds > QUIET_SECONDS:
            return True
        at_end = held.pipeline.next_offset >= self.source.bounds(held.partition).end
        return at_end and quiet_seconds > SHORT_QUIET_SECONDS

    def _begin(self, held: Held, suspicion: Suspicion, commit: Callable[[Held], None]) -> None:
        """Also the poll itself may kill, so it is said before it, unless a record at this place is suspected."""
        pipeline, suspected = held.pipeline, held.claim.trial
        if suspicion.skips_first:
            log.critical(
                "partition %s %d: offset %d kills the process; it is skipped, and a dead letter by its place",
                *held.partition, pipeline.next_offset,
            )  # fmt: skip
            pipeline.skip_killer()
            commit(held)
        fetch = Trial(pipeline.next_offset, suspicion.at_once if suspicion.at_once > 1 else FETCH)
        of_one = Trial(pipeline.next_offset, 1)
        self.checkpoints.note_trial(held.claim, of_one if suspected == of_one else fetch)
        self.source.begin(held.partition, pipeline.next_offset)

    def _clear(self, held: Held) -> None:
        log.warning("partition %s %d: read on without a death; all is read at once again", *held.partition)
        self.checkpoints.note_trial(held.claim, None)
        self.source.end(held.partition)
        del self._suspects[held.partition]
        self._waiting.add(held.partition)

    def forget(self, partition: Partition) -> None:
        """It is not ours any more."""
        self._suspects.pop(partition, None)
        self._waiting.discard(partition)
