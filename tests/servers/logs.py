"""The logs that every source is tested on: one way to fill them and to read them, whatever is below."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from service.intake.confluent import ConfluentSource
from service.intake.file_log import FileLogSource
from service.intake.kafka_python import KafkaPythonSource
from service.intake.kafka_settings import KafkaSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from service.intake.source import Corrupt, Gap, Source
    from service.messages import Partition
    from tests.servers.fixtures import Broker

PATIENCE_SECONDS = 20.0
SESSION_TIMEOUT_MS = 1_500  # the embedded broker lets a group join after half of it
CLIENTS: dict[str, Callable[[KafkaSettings], Source]] = {
    "kafka-python": KafkaPythonSource,
    "confluent": ConfluentSource,
}


class Log(Protocol):
    """A log of some partitions, for one test."""

    topic: str
    membership_seconds: float  # after which a silent member would have been put out

    def fill(self, values: Sequence[bytes], partition: int = 0) -> None:
        """Write the records, before any source reads them."""

    def source(self) -> Source:
        """A new source over this log."""

    def missing_source(self) -> Source:
        """A source over a log that does not exist."""


class FileLog:
    """A folder with a file for each partition."""

    membership_seconds = 0.1

    def __init__(self, folder: Path, partitions: int) -> None:
        self._folder = folder / "log"
        self._folder.mkdir()
        self.topic = "log"
        for number in range(partitions):
            self._file(number).touch()

    def fill(self, values: Sequence[bytes], partition: int = 0) -> None:
        with self._file(partition).open("ab") as file:
            file.writelines(value + b"\n" for value in values)

    def source(self) -> Source:
        return FileLogSource(self._folder)

    def missing_source(self) -> Source:
        return FileLogSource(self._folder / "missing.jsonl")

    def _file(self, number: int) -> Path:
        return self._folder / f"part-{number}.jsonl"


class KafkaLog:
    """A topic of a broker, read through one of the clients in a group of its own."""

    membership_seconds = 1.2 * SESSION_TIMEOUT_MS / 1000

    def __init__(self, broker: Broker, client: str, partitions: int) -> None:
        self.broker = broker
        self.client = client
        self.topic = broker.new_topic(partitions)
        self.group = f"group-{uuid.uuid4().hex[:12]}"

    def fill(self, values: Sequence[bytes], partition: int = 0) -> None:
        self.broker.topics.produce(self.topic, values, partition=partition)

    def source(self, client: str | None = None) -> Source:
        return CLIENTS[client or self.client](self.settings(self.topic))

    def missing_source(self) -> Source:
        return CLIENTS[self.client](self.settings(f"{self.topic}-missing"))

    def settings(self, topic: str) -> KafkaSettings:
        """How to reach the broker, with times that suit a test."""
        return KafkaSettings(
            bootstrap_servers=self.broker.bootstrap_servers,
            topics=(topic,),
            group_id=self.group,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            metadata_max_age_ms=1_000,
        )


class Reader:
    """Drives a source as the collector does, and keeps what it brought."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.owned: set[Partition] = set()
        self.revoked: set[Partition] = set()
        self.offsets: dict[Partition, list[int]] = defaultdict(list)
        self.timestamps_ms: dict[Partition, list[int]] = defaultdict(list)
        self.values: dict[Partition, list[bytes | None]] = defaultdict(list)
        self.keys: dict[Partition, list[bytes | None]] = defaultdict(list)
        self.gaps: list[Gap] = []
        self.corrupt: list[Corrupt] = []

    def poll(self, seconds: float = 0.1, max_records: int = 10_000) -> int:
        """One poll; gives the number of records."""
        polled = self.source.poll(seconds, max_records)
        for records in polled.records:
            self.offsets[records.partition].extend(records.offsets.tolist())
            self.timestamps_ms[records.partition].extend(records.timestamps_ms.tolist())
            self.values[records.partition].extend(records.values)
            self.keys[records.partition].extend(records.keys)
            assert len(records) == len(records.values) == len(records.keys) == len(records.timestamps_ms)
        self.gaps.extend(polled.gaps)
        self.corrupt.extend(polled.corrupt)
        change = self.source.changes()
        self.owned -= change.revoked | change.lost
        self.revoked |= change.revoked | change.lost
        self.owned |= change.assigned
        return sum(map(len, polled.records))

    def join(self, partitions: int) -> None:
        """Start, and poll until so many partitions are ours."""
        self.source.start()
        wait_until(lambda: len(self.owned) >= partitions, self)

    def read(self, records: int) -> None:
        """Poll until so many records are there in all."""
        wait_until(lambda: sum(map(len, self.offsets.values())) >= records, self)

    def forget(self) -> None:
        """Drop the records that were read so far."""
        for columns in (self.offsets, self.timestamps_ms, self.values, self.keys):
            columns.clear()

    def idle(self, seconds: float = 0.4) -> int:
        """Poll for so long; gives the number of records that came."""
        end = time.monotonic() + seconds
        found = 0
        while time.monotonic() < end:
            found += self.poll()
        return found


def wait_until(done: Callable[[], bool], *readers: Reader) -> None:
    """Poll all readers in turn until `done()` holds; fail the test if that takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, "waited too long"
        for reader in readers:
            reader.poll()
