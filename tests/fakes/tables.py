"""What a database of partitions holds, as frozen values in dictionaries: a snapshot is a copy of the dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from service.checkpoints import Trial
from service.configuration import ModelVersion
from service.messages import Counts, DeadLetter, FilterKey, Loss, LossKind, PaneKey, PaneRow, Partition


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one partition: a row of `source_partition`."""

    first_offset: int
    next_offset: int
    topic_id: str | None = None
    owner: str | None = None
    owner_epoch: int = 0
    token: UUID | None = None
    deaths: int = 0
    highest_ms: int | None = None
    counts: Counts = field(default_factory=Counts)
    lost: int = 0
    holes: int = 0
    truncated: int = 0
    jumps: int = 0
    lag: int | None = None
    halted: str | None = None
    trying: Trial | None = None
    trying_epoch: int | None = None
    dead_accepted: bool = False
    idle_since_ms: int | None = None
    updated_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Tables:
    """All that is stored; the tables are changed in place, the rows in them never."""

    rows: dict[Partition, Row] = field(default_factory=dict)
    panes: dict[tuple[Partition, PaneKey], PaneRow] = field(default_factory=dict)
    ids: dict[tuple[Partition, FilterKey, int], bytes] = field(default_factory=dict)
    letters: dict[tuple[Partition, int], DeadLetter] = field(default_factory=dict)
    gaps: dict[tuple[Partition, int, LossKind], Loss] = field(default_factory=dict)
    models: dict[str, tuple[ModelVersion, ...]] = field(default_factory=dict)
    revision: int = 0

    def copy(self) -> Tables:
        """The same state, to be changed apart."""
        return Tables(
            dict(self.rows), dict(self.panes), dict(self.ids), dict(self.letters), dict(self.gaps),
            dict(self.models), self.revision,
        )  # fmt: skip
