"""A log in memory that can be read from anywhere and appended to, as those who replay dead letters need it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from service.errors import Unavailable
from service.intake.log_writer import NewRecord
from service.intake.source import Bounds, Records
from service.messages import Partition


@dataclass
class AppendedLog:
    """A `LogReader` and a `LogWriter` of the same records; `refused` values are not taken, `away` raises."""

    records: dict[Partition, dict[int, NewRecord]] = field(default_factory=dict)
    refused: set[bytes] = field(default_factory=set)
    away: bool = False
    opened: int = 0
    closed: int = 0

    def open(self) -> AppendedLog:
        """One client more."""
        self.opened += 1
        return self

    def put(self, offset: int, record: NewRecord) -> None:
        """A record that is in the log already."""
        self.records.setdefault(record.partition, {})[offset] = record

    def appended(self, partition: Partition, start: int = 0) -> list[NewRecord]:
        """What stands in a partition from `start` on."""
        return [one for offset, one in sorted(self.records.get(partition, {}).items()) if offset >= start]

    def partitions(self, topic: str) -> Sequence[int]:
        return sorted({p.number for p in self.records if p.topic == topic})

    def bounds(self, partition: Partition) -> Bounds:
        offsets = self.records.get(partition, {})
        return Bounds(min(offsets, default=0), max(offsets, default=-1) + 1)

    def read(self, partition: Partition, start: int, end: int) -> Iterator[Records]:
        for offset, one in sorted(self.records.get(partition, {}).items()):
            if start <= offset < end:
                times = np.array([-1 if one.timestamp_ms is None else one.timestamp_ms], np.int64)
                yield Records(partition, np.array([offset], np.int64), times, [one.value], [one.key])

    def write(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        if self.away:
            raise Unavailable("the log is away")
        return [self._append(one) for one in records]

    def _append(self, record: NewRecord) -> str | None:
        if record.value in self.refused:
            return "the log does not take it"
        self.put(self.bounds(record.partition).end, record)
        return None

    def close(self) -> None:
        self.closed += 1
