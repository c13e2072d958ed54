"""What the monitors and the stored gaps say about the times that a verification depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.messages import LossKind
from service.monitor import Monitor
from service.verification.panes import ALWAYS_MS, NEVER_MS

if TYPE_CHECKING:
    from service.configuration import Configuration
    from service.store.snapshot import StoredPartition


def monitors_of(configuration: Configuration) -> Sequence[Monitor]:
    """Every version's monitor: models that were learned have one, too."""
    found = [v.monitor for versions in configuration.models.values() for v in versions]
    return found or [Monitor(model="none")]


def patience_ms(configuration: Configuration) -> int:
    """How long after its end a pane may still be reached by late rows of any model."""
    return max(m.allowed_lateness_ms + m.disorder_ms for m in monitors_of(configuration))


def taken_back(row: StoredPartition, patience: int) -> tuple[tuple[int, int], ...]:
    """Event times of rows that may have been counted, and taken back."""
    return tuple(
        (
            NEVER_MS if loss.from_ms is None else loss.from_ms - patience,
            ALWAYS_MS if loss.until_ms is None else loss.until_ms,
        )
        for loss in row.losses
        if loss.kind is LossKind.TRUNCATED
    )


def kept_from_ms(row: StoredPartition, now_ms: int, kept_ms: int) -> int:
    """Retention deletes a pane that is old by our clock and by its partition's."""
    return min(now_ms, row.highest_ms or 0) - kept_ms
