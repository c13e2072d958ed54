"""A `LogReader` over a log in memory; it passes the suite of the real ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from service.errors import ConfigurationError
from service.intake.source import Bounds, Records
from service.messages import Partition
from tests.fakes.source import FakeLog

PIECE = 100


@dataclass
class FakeLogReader:
    """Reads what the log holds now. `closed` says whether it was ended."""

    log: FakeLog
    closed: bool = False

    def partitions(self, topic: str) -> Sequence[int]:
        if topic != self.log.topic:
            raise ConfigurationError(f"there is no topic {topic}")
        return range(self.log.partitions)

    def bounds(self, partition: Partition) -> Bounds:
        return Bounds(self.log.starts.get(partition.number, 0), self.log.end(partition.number))

    def read(self, partition: Partition, start: int, end: int) -> Iterator[Records]:
        at = start
        while True:
            extent = self.bounds(partition)
            at, last = max(at, extent.start), min(end, extent.end, at + PIECE)
            if at >= last:
                return
            rows = self.log.records[partition.number][at:last]
            yield Records(
                partition, np.arange(at, last, dtype=np.int64), np.array([ts for ts, _, _ in rows], np.int64),
                [value for _, _, value in rows], [key for _, key, _ in rows],
            )  # fmt: skip
            at = last

    def close(self) -> None:
        self.closed = True
