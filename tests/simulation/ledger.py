"""An independent account of what may be stored: it watches every write that takes effect, and objects.

It knows what the log handed to whom, so it can tell for each committed offset whether it was a record that was read,
one that was lost, one that killed, or a hole; and it keeps that history, from which `expected` counts once more.
A database that goes back takes the history with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from service.checkpoints import Claim, Claimant
from service.messages import Checkpoint, Loss, LossKind, Partition, Reason
from tests.fakes.checkpoints import MemoryCheckpoints
from tests.fakes.tables import Row
from tests.simulation.cluster import Cluster, Record
from tests.simulation.source import SimulatedSource


@dataclass(frozen=True, slots=True)
class Read:
    """A record was counted."""

    offset: int
    record: Record


@dataclass(frozen=True, slots=True)
class Lost:
    """Offsets that retention took first."""

    offset: int
    records: int


@dataclass(frozen=True, slots=True)
class Killer:
    """A record that was skipped because it kills."""

    offset: int


@dataclass(frozen=True, slots=True)
class Cut:
    """The log ended here again, below what was stored."""

    offset: int
    before: int


Piece = Read | Lost | Killer | Cut
Histories = dict[Partition, tuple[Piece, ...]]


@dataclass
class Ledger:
    """What each partition's stored state is made of, and what was wrong about it. `sources` are all readers by name."""

    cluster: Cluster
    sources: dict[str, SimulatedSource] = field(default_factory=dict)
    histories: Histories = field(default_factory=dict)
    objections: list[str] = field(default_factory=list)
    deaths: dict[Partition, int] = field(default_factory=dict)
    _owners: dict[UUID, str] = field(default_factory=dict)

    def object(self, partition: Partition, sentence: str) -> None:
        """Say what is wrong."""
        self.objections.append(f"{partition.topic}-{partition.number}: {sentence}")

    def claimed(self, claim: Claim, owner: str) -> None:
        """A claim was made."""
        self._owners[claim.token] = owner
        self.deaths[claim.partition] = self.deaths.get(claim.partition, 0) + (claim.deaths > 0)
        self.histories.setdefault(claim.partition, ())

    def moved(self, claim: Claim, made: Checkpoint, before: Row, after: Row) -> None:
        """A commit took effect."""
        partition, source = claim.partition, self.sources[self._owners[claim.token]]
        if before.token != claim.token or before.next_offset != made.expected_offset:
            self.object(partition, f"moved from {before.next_offset} by who did not hold it there")
        if before.halted:
            self.object(partition, "moved though it was halted")
        if after.highest_ms is not None and (before.highest_ms or 0) > after.highest_ms:
            self.object(partition, "its event time went back")
        pieces = self._pieces(claim, made, source)
        self._weigh(claim, made, pieces)
        self.histories[partition] += tuple(pieces)

    def _pieces(self, claim: Claim, made: Checkpoint, source: SimulatedSource) -> list[Piece]:
        partition, span = claim.partition, range(made.expected_offset, made.next_offset)
        handed = source.handed.get(partition, {})
        pieces: list[Piece] = [Read(at, record) for at, record in handed.items() if at in span]
        for loss in made.losses:
            if loss.kind is LossKind.LOST and loss.offset in span:
                pieces.append(Lost(loss.offset, loss.records))
                told = (partition, loss.offset, loss.offset + loss.records)
                if told not in [(g.partition, g.wanted, g.log_start) for g in source.met]:
                    self.object(partition, f"says that {loss} is lost, which the log never said")
        pieces += [Killer(letter.offset) for letter in made.dead if letter.reason is Reason.KILLS_PROCESS]
        return sorted(pieces, key=lambda piece: piece.offset)

    def _weigh(self, claim: Claim, made: Checkpoint, pieces: list[Piece]) -> None:
        """Each offset of the step has one end, and no record that was there to be read is missing."""
        partition = claim.partition
        read = sum(isinstance(piece, Read) for piece in pieces)
        lost = sum(piece.records for piece in pieces if isinstance(piece, Lost))
        killers = [piece.offset for piece in pieces if isinstance(piece, Killer)]
        if made.counts.total != read + len(killers):
            self.object(partition, f"{made.counts} counted of {read} records that were handed over")
        if made.lost != lost:
            self.object(partition, f"{made.lost} lost in all, {lost} by the places of the losses")
        if made.holes != made.next_offset - made.expected_offset - read - lost - len(killers):
            self.object(partition, f"{made.holes} holes in {made.expected_offset}-{made.next_offset}")
        accounted = {piece.offset for piece in pieces}
        log = self.cluster.log(partition) if self.cluster.has(partition) else None
        if log is None or log.truncations or str(self.cluster.topics[partition.topic].id) != claim.topic_id:
            return
        for offset in range(made.expected_offset, made.next_offset):
            if offset in log.records and offset not in accounted:
                self.object(partition, f"offset {offset} was skipped silently")
        innocent = [at for at in killers if at in log.records and not log.records[at].kills]
        if innocent and self.deaths.get(partition, 0) < 5:
            self.object(partition, f"offset {innocent[0]} was skipped as a killer, and is none")

    def taken_back(self, claim: Claim, loss: Loss, before: Row) -> None:
        """The log's end was taken as the partition's place."""
        if before.next_offset != loss.offset + loss.records or loss.records <= 0:
            self.object(claim.partition, f"took back {loss} at {before.next_offset}")
        self.histories[claim.partition] += (Cut(loss.offset, before.next_offset),)


@dataclass
class WitnessedCheckpoints(MemoryCheckpoints):
    """The database, with the ledger beside it."""

    ledger: Ledger = field(default_factory=lambda: Ledger(Cluster()))

    def claim(self, partition: Partition, claimant: Claimant, topic_id: str | None, log_start: int) -> Claim:
        claim = super().claim(partition, claimant, topic_id, log_start)
        self.ledger.claimed(claim, claimant.owner)
        return claim

    def commit(self, claim: Claim, checkpoint: Checkpoint, revision: int) -> None:
        self._watched(claim, super().commit, checkpoint, revision,
                      told=lambda before, after: self.ledger.moved(claim, checkpoint, before, after))  # fmt: skip

    def take_back(self, claim: Claim, offset: int, loss: Loss) -> None:
        self._watched(claim, super().take_back, offset, loss,
                      told=lambda before, _: self.ledger.taken_back(claim, loss, before))  # fmt: skip

    def _watched(
        self, claim: Claim, act: Callable[..., None], *arguments: object, told: Callable[[Row, Row], None]
    ) -> None:
        before = self.tables.rows.get(claim.partition)
        act(claim, *arguments)
        after = self.tables.rows.get(claim.partition)
        if before is not None and after is not None and before.next_offset != after.next_offset:
            told(before, after)
