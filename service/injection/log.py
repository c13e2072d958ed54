"""A log that can be read more than once, as records of all partitions in the order of their times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from service.injection.event import Event, Head, head_of
from service.intake.timestamps import BAD, parse_timestamps
from service.messages import Partition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.intake.log_reader import LogReader
    from service.intake.source import Records

END = 2**62
NO_TIME_MS = BAD
_UNREADABLE = Head("", "")


class Record(NamedTuple):
    """A record with its head read. `ts_ms` is NO_TIME_MS where it has no event time."""

    value: bytes
    key: bytes | None
    stamp_ms: int
    head: Head
    ts_ms: int

    def event(self) -> Event:
        """The event in it."""
        head = self.head
        name = "" if head.id is None else str(head.id)
        return Event(self.value, head.type, name, self.ts_ms, self.key, self.stamp_ms)


class Log(Protocol):
    """Records that end. Every call reads them anew, the same ones."""

    def __call__(self) -> Iterator[Record]:
        """From the first to the last."""


@dataclass
class ReaderLog:
    """A topic of a log system, or a file log. `reader` makes a reader for each partition: each reads one stretch.

    Of a topic that is being written to, `until_ms` (a time of the log's own clock) is where the first pass ends, and
    the passes after it end where that one did. Some brokers tell too low an end, so an end is not asked for.
    """

    reader: Callable[[], LogReader]
    topic: str
    until_ms: int | None = None
    ts_unit: str = "auto"
    _ends: dict[Partition, int] = field(default_factory=dict)

    def __call__(self) -> Iterator[Record]:
        parts = (self._partition(place) for place in self._places())
        return (record for _, record in merge(*parts, key=itemgetter(0)))

    def _places(self) -> Sequence[Partition]:
        reader = self.reader()
        try:
            return [Partition(self.topic, number) for number in reader.partitions(self.topic)]
        finally:
            reader.close()

    def _partition(self, place: Partition) -> Iterator[tuple[int, Record]]:
        reader, highest, end = self.reader(), 0, 0
        try:
            for records in reader.read(place, 0, self._ends.get(place, END)):
                fresh = self._before_the_end(records)
                for record in read_records(fresh, self.ts_unit):
                    highest = max(highest, record.ts_ms)
                    yield highest, record
                end = int(fresh.offsets[-1]) + 1 if len(fresh) else end
                if len(fresh) < len(records):
                    break
            self._ends.setdefault(place, end)
        finally:
            reader.close()

    def _before_the_end(self, records: Records) -> Records:
        if self.until_ms is None:
            return records
        later = np.flatnonzero(records.timestamps_ms > self.until_ms)
        return records.between(0, int(later[0])) if len(later) else records


def read_records(records: Records, ts_unit: str) -> Iterator[Record]:
    """The records that have bytes, with their heads and times; what has no time of its own has the log's."""
    values = [value or b"" for value in records.values]
    heads = [head_of(value) or _UNREADABLE for value in values]
    stamps = records.timestamps_ms
    times = _times(heads, ts_unit, stamps)
    for at, value in enumerate(values):
        if records.values[at] is not None:
            yield Record(value, records.keys[at], int(stamps[at]), heads[at], times[at])


def _times(
    heads: Sequence[Head], ts_unit: str, stamps: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> list[int]:
    of_log = np.where(stamps < 0, BAD, stamps)
    parsed = parse_timestamps([head.ts for head in heads], ts_unit, of_log)
    return [NO_TIME_MS if head is _UNREADABLE else int(ts) for head, ts in zip(heads, parsed, strict=True)]
