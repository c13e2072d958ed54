"""What would become of a record if a collector came to it now: a pure function of the record and what was counted."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from service.messages import Counts, Outcome, Reason
from service.panes.admission import NEVER_MS
from service.panes.partition import DecodedBatch, PartitionPanes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from service.configuration import Configuration
    from service.intake.decoder import Decoder
    from service.intake.source import Records
    from service.messages import FilterKey


@dataclass(frozen=True, slots=True)
class Prospect:
    """Where a record would end; with the reason and detail of the dead letter that it would be once more."""

    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""

    @property
    def decodes(self) -> bool:
        """Whether it is an event now, be it late or repeated."""
        return self.outcome is not Outcome.DEAD


class Judge:
    """Decides records of one partition one after the other: each may make the next one late, or a duplicate."""

    def __init__(
        self, decoder: Decoder, highest_ms: int | None, ids: Mapping[FilterKey, list[NDArray[np.uint64]]]
    ) -> None:
        self._decoder = decoder
        self._panes = PartitionPanes(NEVER_MS if highest_ms is None else highest_ms)
        self._panes.restore((), ids)

    def judge(self, record: Records) -> Prospect:
        """Where this one record would end."""
        decoded = self._decoder.decode(record)
        if decoded.dead:
            return Prospect(Outcome.DEAD, decoded.dead[0].reason, decoded.dead[0].detail)
        if decoded.ignored:
            return Prospect(Outcome.DEAD, Reason.UNKNOWN_MODEL, "no monitor names this model")
        batches = [DecodedBatch(batch, self._decoder.version_of(batch)) for batch in decoded.batches]
        absorbed = self._panes.absorb(batches, untimed=bool(record.timestamps_ms[0] < 0))
        if absorbed.future:
            detail = "event time is more than 30 days after all events before it"
            return Prospect(Outcome.DEAD, Reason.FUTURE_TIMESTAMP, detail)
        return Prospect(_only(absorbed.counts) if batches else Outcome.TOMBSTONE)

    def forget(self) -> None:
        """Drop what was counted in panes that no record can reach any more."""
        self._panes.committed()


def _only(counts: Counts) -> Outcome:
    """The one outcome that is not zero."""
    return next(Outcome(one.name) for one in fields(counts) if getattr(counts, one.name))


def patience_ms(configuration: Configuration) -> int:
    """So long before the highest event time a pane may have begun that a record can still reach."""
    monitors = [v.monitor for versions in configuration.models.values() for v in versions]
    return max((m.pane_ms + m.allowed_lateness_ms + m.disorder_ms for m in monitors), default=3_600_000)
