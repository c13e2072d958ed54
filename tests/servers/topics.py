"""What tests do to a broker's topics: create, fill, cut, grow, delete; the same for every broker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import CoordinatorNotAvailableError
from kafka.structs import OffsetAndMetadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

WAIT_SECONDS = 20.0


class Topics:
    """A broker's topics, through kafka-python's admin client and producer."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap_servers, client_id="driftbell-tests")

    def create(self, topic: str, partitions: int = 1, configs: Mapping[str, str] | None = None) -> None:
        """Make an empty topic and wait until it can be used."""
        options = {"num_partitions": partitions, "replication_factor": 1, "configs": dict(configs or {})}
        self._admin.create_topics({topic: options}, wait_for_metadata=True)

    def delete(self, topic: str) -> None:
        """Remove a topic and wait until it is gone."""
        self._admin.delete_topics([topic])
        deadline = time.monotonic() + WAIT_SECONDS
        while topic in self._admin.list_topics() and time.monotonic() < deadline:
            time.sleep(0.05)

    def grow(self, topic: str, partitions: int) -> None:
        """Give a topic more partitions."""
        self._admin.create_partitions({topic: partitions})

    def delete_records(self, topic: str, before: int, partition: int = 0) -> None:
        """Make the log of a partition start at `before`, as retention does."""
        self._admin.delete_records({TopicPartition(topic, partition): before})

    def commit(self, group: str, topic: str, offset: int, partition: int = 0) -> None:
        """Store an offset for a consumer group that has no member."""
        place = {TopicPartition(topic, partition): OffsetAndMetadata(offset, "", -1)}
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                self._admin.alter_group_offsets(group, place)
            except CoordinatorNotAvailableError:  # until the broker has made its own topic for offsets
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def committed(self, group: str, topic: str, partition: int = 0) -> int | None:
        """The offset that a consumer group has stored."""
        place = TopicPartition(topic, partition)
        offsets = self._admin.list_group_offsets({group: [place]})
        found = offsets.get(group, {}).get(place)
        return None if found is None else int(found.offset)

    def produce(
        self,
        topic: str,
        values: Sequence[bytes | None],
        *,
        partition: int = 0,
        keys: Sequence[bytes | None] | None = None,
        timestamps_ms: Sequence[int] | None = None,
        headers: Sequence[tuple[str, bytes]] | None = None,
        compression: str | None = None,
    ) -> None:
        """Append records to one partition, in order, and wait until the broker has them."""
        producer = KafkaProducer(  # not kept: an idle one that has seen several topics takes a whole core
            bootstrap_servers=self._bootstrap_servers,
            client_id="driftbell-tests",
            compression_type=compression,
            linger_ms=5,
            batch_size=256 * 1024,
            max_request_size=8 * 1024 * 1024,
            enable_idempotence=False,
        )
        futures = [
            producer.send(
                topic,
                value=value,
                key=(b"" if value is None else None) if keys is None else keys[index],  # it refuses neither
                partition=partition,
                timestamp_ms=None if timestamps_ms is None else timestamps_ms[index],
                headers=list(headers or ()),
            )
            for index, value in enumerate(values)
        ]
        producer.flush()
        for future in futures:
            future.get(timeout=WAIT_SECONDS)
        producer.close()

    def close(self) -> None:
        """Free the client."""
        self._admin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
