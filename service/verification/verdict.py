"""What bounds the check of a partition, and what is said of it in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.verification.panes import NEVER_MS, Doubt

if TYPE_CHECKING:
    from service.messages import Counts, Partition
    from service.verification.discrepancies import Discrepancies
    from service.verification.panes import PanesCompared


@dataclass(frozen=True, slots=True)
class Terms:
    """What bounds a check: how long (ms) rows may reach a pane after its end, what cannot be verified, when it is now.

    Dead letters of records before `letters_kept_from_ms` may have been deleted.
    """

    patience_ms: int
    doubt: Doubt
    letters_kept_from_ms: int = NEVER_MS


@dataclass(frozen=True, slots=True)
class PartitionVerdict:
    """What is to be said of one partition; `expected` follows from the log, `stored` is what the database says."""

    partition: Partition
    first_offset: int
    next_offset: int
    read_from: int
    stored: Counts
    expected: Counts
    panes: PanesCompared
    letters: int
    skipped: int
    notes: tuple[str, ...]
    wrong: Discrepancies
