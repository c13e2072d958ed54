"""The protocol behind which the partitions' state is kept, and the values that cross it.

The collector is its only caller, from one thread. What an implementation guarantees:

- A claim fences whoever held the partition before, from that moment on, and returns all that is needed to go on.
- A commit writes state and position together or not at all, and only while the claim holds and the stored position is
  the expected one. The same commit again, after its reply was lost, changes nothing.
- Trouble is said in the words of `service.errors`: Unavailable (the same call may succeed later), PartitionLost
  (fenced), PartitionHalted, Rewound (the stored state is older than what was committed), ConfigurationChanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    import numpy as np
    from numpy.typing import NDArray

    from service.configuration import Configuration
    from service.messages import Checkpoint, FilterKey, Loss, PaneRow, Partition


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims, and how long after its end (ms) a pane may still be reached by late rows of any model."""

    owner: str
    patience_ms: int


@dataclass(frozen=True, slots=True)
class Trial:
    """`records` records from `offset` on are read on their own: the process died here again and again."""

    offset: int
    records: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim returned: the right to write a partition, and the state to go on from.

    `deaths` counts the unclean takeovers since the last progress (or since the trial began), `open_losses` are gaps
    of which it is not known yet where in event time they end, `dead_accepted` says that a person wants to read on
    however many records are dead letters.
    """

    partition: Partition
    owner_epoch: int
    token: UUID
    next_offset: int
    highest_ms: int | None
    topic_id: str | None
    deaths: int
    panes: tuple[PaneRow, ...] = ()
    ids: Mapping[FilterKey, list[NDArray[np.uint64]]] = field(default_factory=dict)
    jumps: int = 0
    trial: Trial | None = None
    dead_accepted: bool = False
    open_losses: tuple[Loss, ...] = ()


class Checkpoints(Protocol):
    """Where each partition stands, and who may move it."""

    def configuration(self) -> Configuration:
        """The monitors in force. Raises ConfigurationError when stored ones are not valid any more."""

    def revision(self) -> int:
        """The number of the monitors' present revision."""

    def claim(self, partition: Partition, claimant: Claimant, topic_id: str | None, log_start: int) -> Claim:
        """Take a partition over; one that was never seen starts at `log_start`.

        Raises PartitionHalted if it was halted, or if the topic is another one than before.
        """

    def commit(self, claim: Claim, checkpoint: Checkpoint, revision: int) -> None:
        """Write state and offset together, if the monitors are still at `revision`."""

    def take_back(self, claim: Claim, offset: int, loss: Loss) -> None:
        """The log was cut off at `loss.offset`, below the stored `offset`: go on from there, and say so."""

    def note_progress(
        self, claim: Claim, *, stored_offset: int, lag: int, idle: bool, quiet_ms: int = 0
    ) -> None:
        """Say how far behind the partition is, and whether it is caught up without news (for so long now).

        Who has nothing to commit learns here what a commit would say: that the claim does not hold any more
        (PartitionLost), or that the stored position is not the one that we left (Rewound, PartitionHalted).
        """

    def note_trial(self, claim: Claim, trial: Trial | None) -> None:
        """Say what is tried before it is tried, or that trying is over; survives the death of process and server."""

    def forget_ids(self, claim: Claim, before_ms: int) -> None:
        """Drop the ids of panes that started before; no row can reach them any more."""

    def release(self, claim: Claim) -> None:
        """Give the partition back cleanly, so that the next claim counts no death."""

    def halt(self, partition: Partition, why: str, claim: Claim | None = None) -> None:
        """Mark it so that nobody reads it before a person has looked; with a `claim` only if that still holds."""
