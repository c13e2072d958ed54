"""The last records of a topic, through a reader that belongs to no group and commits nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import ConfigurationError
from service.intake.limits import Limits
from service.messages import Partition
from service.sniffing.sniffer import Sniffer

if TYPE_CHECKING:
    from service.intake.log_reader import LogReader
    from service.intake.source import Records
    from service.sniffing.found import TopicFound

MOST_RECORDS = 20_000
USUAL_RECORDS = 2_000
MOST_BYTES = 64 * 2**20
MOST_PARTITIONS = 64
"""Of more partitions the first so many are looked at: who writes spreads models over all."""
PATIENCE_SECONDS = 20.0
_INTERNAL = "__"
_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")


def sniff_topic(
    reader: LogReader,
    topic: str,
    records: int = USUAL_RECORDS,
    limits: Limits | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> TopicFound:
    """Look at about so many of a topic's last records, the same number of each partition.

    Raises ConfigurationError when there is no such topic or it is not ours to read, Unavailable when Kafka is away.
    """
    if not _NAME.fullmatch(topic):
        raise ConfigurationError("a topic's name has letters, digits, '.', '_' and '-', 249 of them at most")
    if topic.startswith(_INTERNAL):
        raise ConfigurationError(f"{topic!r} is a topic of Kafka's own; name one that holds events")
    partitions = reader.partitions(topic)
    looked_at = [Partition(topic, number) for number in partitions[:MOST_PARTITIONS]]
    if not looked_at:
        raise ConfigurationError(f"the topic {topic!r} has no partitions to read")
    each = max(1, -(-records // len(looked_at)))
    until = monotonic() + PATIENCE_SECONDS
    tail = _Tail(reader, each, lambda: monotonic() > until)
    sniffer = Sniffer(topic, len(partitions), limits or Limits())
    for some in tail.of(looked_at):
        sniffer.add(some)
    return sniffer.found(tail.looked_at)


@dataclass
class _Tail:
    reader: LogReader
    each: int
    is_late: Callable[[], bool]
    looked_at: int = 0

    def of(self, partitions: list[Partition]) -> Iterator[Records]:
        size = 0
        for partition in partitions:
            self.looked_at += 1
            for records in _last_of(self.reader, partition, self.each):
                yield records
                size += sum(len(value) for value in records.values if value is not None)
                if size > MOST_BYTES or self.is_late():
                    return
            # A partition whose end holds markers of transactions and no records takes its time and gives nothing.
            if self.is_late():
                return


def _last_of(reader: LogReader, partition: Partition, each: int) -> Iterator[Records]:
    """Some brokers tell too low an end: what comes along with the record before it is taken, too."""
    bounds = reader.bounds(partition)
    if bounds.start >= bounds.end:
        return
    for records in reader.read(partition, max(bounds.start, bounds.end - each), bounds.end + MOST_RECORDS):
        yield records
        if records.offsets[-1] >= bounds.end - 1:
            return
