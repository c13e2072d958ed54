"""One suite for every source: what the collector may rely on, whichever log system is below."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaProducer

from service.embedded.broker import free_port
from service.errors import ConfigurationError, Unavailable
from service.intake.source import Gap
from service.messages import Partition
from tests.servers.logs import CLIENTS, FileLog, KafkaLog, Reader, wait_until
from tests.simulation.contract_log import SimulatedLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.logs import Log

    Opener = Callable[..., Reader]

EMBEDDED = [
    pytest.param(("embedded_broker", client), marks=pytest.mark.kafka, id=f"{client}-embedded")
    for client in CLIENTS
]
APACHE = [
    pytest.param(("apache_kafka", client), marks=pytest.mark.apache_kafka, id=f"{client}-apache")
    for client in CLIENTS
]
FILE = pytest.param(("file", ""), id="file")
SIMULATED = pytest.param(("simulated", ""), id="simulated")
every_log = pytest.mark.parametrize("log", [FILE, SIMULATED, *EMBEDDED, *APACHE], indirect=True)
every_exact_log = pytest.mark.parametrize("log", [FILE, SIMULATED, *APACHE], indirect=True)
every_kafka = pytest.mark.parametrize("log", [*EMBEDDED, *APACHE], indirect=True)
apache_only = pytest.mark.parametrize("log", APACHE, indirect=True)


@pytest.fixture
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Log:
    """An empty log of two partitions."""
    where, client = request.param
    if where == "file":
        return FileLog(tmp_path, partitions=2)
    if where == "simulated":
        return SimulatedLog(partitions=2)
    return KafkaLog(request.getfixturevalue(where), client, partitions=2)


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Starts readers, and closes them after the test."""
    readers: list[Reader] = []

    def start(log: Log, partitions: int = 2, **options: str) -> Reader:
        reader = Reader(log.source(**options))
        readers.append(reader)
        reader.join(partitions)
        return reader

    yield start
    for reader in readers:
        reader.source.close()


def numbered(count: int, first: int = 0) -> list[bytes]:
    """Values that tell their offset."""
    return [b'{"n":%d}' % number for number in range(first, first + count)]


@every_log
def test_records_come_in_order_and_without_loss(log: Log, opened: Opener) -> None:
    """Every record of every begun partition arrives once, with its offset."""
    log.fill(numbered(500), partition=0)
    log.fill(numbered(300), partition=1)
    reader = opened(log)
    first, second = Partition(log.topic, 0), Partition(log.topic, 1)
    reader.source.begin(first, 0)
    reader.source.begin(second, 100)
    reader.read(700)
    assert reader.idle(0.3) == 0
    assert reader.values[first] == numbered(500)
    assert reader.offsets[first] == list(range(500))
    assert reader.values[second] == numbered(200, first=100)
    assert reader.offsets[second] == list(range(100, 300))


@every_log
def test_nothing_comes_of_a_partition_that_was_not_begun(log: Log, opened: Opener) -> None:
    """Assignment alone moves nothing: the database says where to start."""
    log.fill(numbered(10), partition=0)
    log.fill(numbered(10), partition=1)
    reader = opened(log)
    assert reader.idle() == 0
    reader.source.begin(Partition(log.topic, 1), 0)
    reader.read(10)
    reader.idle(0.3)
    assert set(reader.values) == {Partition(log.topic, 1)}


@every_log
def test_begin_again_seeks_back_and_forth(log: Log, opened: Opener) -> None:
    """What was on its way from the old place never shows up at the new one."""
    log.fill(numbered(200))
    reader = opened(log)
    partition = Partition(log.topic, 0)
    for start in (150, 0, 190, 20):
        reader.forget()
        reader.source.begin(partition, start)
        reader.read(200 - start)
        assert reader.offsets[partition] == list(range(start, 200))


@every_log
def test_a_poll_brings_no_more_records_than_it_may(log: Log, opened: Opener) -> None:
    """The collector bounds its memory and its transactions by this."""
    log.fill(numbered(50), partition=0)
    log.fill(numbered(50), partition=1)
    reader = opened(log)
    for number in (0, 1):
        reader.source.begin(Partition(log.topic, number), 0)
    sizes: list[int] = []
    while sum(sizes) < 100:
        sizes.append(reader.poll(max_records=7))
    assert max(sizes) <= 7


@every_log
def test_pause_and_resume_lose_nothing(log: Log, opened: Opener) -> None:
    """A database that is away for a while costs neither records nor the membership."""
    log.fill(numbered(400), partition=0)
    log.fill(numbered(10), partition=1)
    reader = opened(log)
    partition, late = Partition(log.topic, 0), Partition(log.topic, 1)
    reader.source.begin(partition, 0)
    while not reader.poll(max_records=10):
        pass
    reader.source.pause()
    reader.source.begin(late, 0)  # a rebalance during the pause starts nothing
    assert reader.idle(log.membership_seconds) == 0
    assert not reader.revoked
    reader.source.resume()
    reader.read(410)
    assert reader.offsets[partition] == list(range(400))
    assert reader.offsets[late] == list(range(10))


@every_log
def test_an_ended_partition_stays_silent_until_it_is_begun_again(log: Log, opened: Opener) -> None:
    """A halted partition does not hold up or leak into the others."""
    log.fill(numbered(10), partition=0)
    log.fill(numbered(10), partition=1)
    reader = opened(log)
    halted, other = Partition(log.topic, 0), Partition(log.topic, 1)
    reader.source.begin(halted, 0)
    reader.source.end(halted)
    reader.source.begin(other, 0)
    reader.read(10)
    reader.idle(0.3)
    assert set(reader.values) == {other}
    reader.source.begin(halted, 5)
    reader.read(15)
    assert reader.offsets[halted] == list(range(5, 10))


@every_log
def test_the_bounds_are_exact_once_the_log_was_read_through(log: Log, opened: Opener) -> None:
    """Caught up is when the next offset equals the end."""
    log.fill(numbered(30))
    reader = opened(log)
    partition = Partition(log.topic, 0)
    assert reader.source.bounds(partition).end > 0
    reader.source.begin(partition, 0)
    reader.read(30)
    bounds = reader.source.bounds(partition)
    assert (bounds.start, bounds.end) == (0, 30)
    assert bounds.reached <= 30
    assert reader.source.bounds(Partition(log.topic, 1)).start == 0


@every_log
def test_a_missing_log_is_a_mistake_that_one_sentence_explains(log: Log) -> None:
    """Nothing is ever created."""
    source = log.missing_source()
    with pytest.raises(ConfigurationError, match=r"missing.*: (create|correct)"):
        source.start()
    source.close()


@every_log
def test_closing_twice_and_telling_offsets_late_do_no_harm(log: Log) -> None:
    """The end of a program calls things in any order."""
    source = log.source()
    source.start()
    source.close()
    source.acknowledge({Partition(log.topic, 0): 1})
    source.close()


@every_exact_log
def test_an_offset_beyond_the_end_is_a_gap(log: Log, opened: Opener) -> None:
    """A log that was cut or recreated is never read on by number."""
    log.fill(numbered(20))
    reader = opened(log)
    partition = Partition(log.topic, 0)
    reader.source.begin(partition, 500)
    wait_until(lambda: bool(reader.gaps), reader)
    assert reader.idle(0.3) == 0
    assert reader.gaps == [Gap(partition, wanted=500, log_start=0, log_end=20)]
    reader.source.begin(partition, 15)
    reader.read(5)
    assert reader.offsets[partition] == list(range(15, 20))


@every_kafka
def test_values_keys_and_timestamps_come_as_they_were_sent(log: KafkaLog, opened: Opener) -> None:
    """None is a deletion, b"" a bad record; headers do not matter."""
    times = [1_795_305_072_000, 1_795_305_072_123, 1_795_305_071_000]
    headers = [("trace", b"\x00\xff")]
    log.broker.topics.produce(
        log.topic, [b"", None, b"x"], keys=[b"a", b"b", None], timestamps_ms=times, headers=headers
    )
    reader = opened(log)
    partition = Partition(log.topic, 0)
    reader.source.begin(partition, 0)
    reader.read(3)
    assert reader.values[partition] == [b"", None, b"x"]
    assert reader.keys[partition] == [b"a", b"b", None]
    assert reader.timestamps_ms[partition] == times


@every_kafka
def test_every_compression_and_a_big_value_are_read(log: KafkaLog, opened: Opener) -> None:
    """Producers choose the codec, batch by batch."""
    codecs = (None, "gzip", "lz4", "zstd", "snappy")
    sent = [f"{codec}-{number}".encode() * 20 for codec in codecs for number in range(40)]
    for at, codec in enumerate(codecs):
        log.broker.topics.produce(log.topic, sent[at * 40 : at * 40 + 40], compression=codec)
    big = bytes(range(256)) * 4096
    log.broker.topics.produce(log.topic, [big])
    reader = opened(log)
    partition = Partition(log.topic, 0)
    reader.source.begin(partition, 7)
    reader.read(194)
    assert reader.values[partition] == [*sent[7:], big]
    assert reader.offsets[partition] == list(range(7, 201))


@every_kafka
def test_the_groups_offsets_never_decide_where_to_start(log: KafkaLog, opened: Opener) -> None:
    """They are only written, for lag tools."""
    log.fill(numbered(50))
    log.broker.topics.commit(log.group, log.topic, 40)
    reader = opened(log)
    assert reader.idle() == 0
    reader.source.begin(Partition(log.topic, 0), 10)
    reader.read(40)
    assert reader.offsets[Partition(log.topic, 0)] == list(range(10, 50))
    reader.source.acknowledge({Partition(log.topic, 0): 45, Partition("other", 3): 1})
    wait_until(lambda: log.broker.topics.committed(log.group, log.topic) == 45, reader)


@every_kafka
def test_two_members_share_the_partitions_and_one_inherits_the_others(log: KafkaLog, opened: Opener) -> None:
    """At no time have both been told that a partition is theirs."""
    log.fill(numbered(10), partition=0)
    log.fill(numbered(10), partition=1)
    first = opened(log)
    for partition in first.owned:
        first.source.begin(partition, 0)
    second = Reader(log.source())
    second.source.start()

    def shared() -> bool:
        assert not first.owned & second.owned
        return len(first.owned) == len(second.owned) == 1

    wait_until(shared, first, second)
    assert first.revoked == second.owned
    given = next(iter(second.owned))
    second.source.begin(given, 3)
    second.read(7)
    assert second.offsets[given] == list(range(3, 10))
    second.source.close()
    wait_until(lambda: len(first.owned) == 2, first)
    first.forget()
    assert first.idle(0.3) == 0
    first.source.begin(given, 10)
    log.fill(numbered(2, first=10), partition=given.number)
    first.read(2)
    assert first.offsets[given] == [10, 11]


@every_kafka
def test_a_recreated_topic_has_another_identity(log: KafkaLog) -> None:
    """Its offsets start again, so they must never be continued by number."""
    source = log.source()
    source.start()
    before = source.topic_id(log.topic)
    assert before is not None
    assert source.topic_id(log.topic) == before
    log.broker.topics.delete(log.topic)
    log.broker.topics.create(log.topic, partitions=2)
    assert source.topic_id(log.topic) not in (None, before)
    source.close()


@every_kafka
def test_a_broker_that_is_away_may_be_tried_again(log: KafkaLog) -> None:
    """Nobody has to mend a setting for it."""
    settings = dataclasses.replace(
        log.settings(log.topic), bootstrap_servers=f"127.0.0.1:{free_port()}", connect_timeout_ms=500
    )
    source = CLIENTS[log.client](settings)
    with pytest.raises(Unavailable, match="Kafka is away"):
        source.start()
    source.close()


@apache_only
def test_records_lost_to_retention_are_a_gap(log: KafkaLog, opened: Opener) -> None:
    """The exact number is known: [wanted, log_start)."""
    log.fill(numbered(100))
    log.broker.topics.delete_records(log.topic, before=60)
    reader = opened(log)
    partition = Partition(log.topic, 0)
    reader.source.begin(partition, 25)
    wait_until(lambda: bool(reader.gaps), reader)
    assert reader.gaps == [Gap(partition, wanted=25, log_start=60, log_end=100)]
    assert reader.idle(0.3) == 0
    reader.source.begin(partition, 60)
    reader.read(40)
    assert reader.offsets[partition] == list(range(60, 100))


@apache_only
def test_a_deleted_topic_stays_with_its_reader_until_it_is_ended(log: KafkaLog, opened: Opener) -> None:
    """The group takes its partitions away at once; who read them is left to say so, and nothing seems away."""
    log.fill(numbered(10))
    reader = opened(log)
    partition = Partition(log.topic, 0)
    reader.source.begin(partition, 0)
    reader.read(10)
    reader.source.bounds(partition)
    log.broker.topics.delete(log.topic)
    wait_until(lambda: Partition(log.topic, 1) in reader.revoked, reader)  # which was not begun
    with pytest.raises(ConfigurationError, match="Kafka has no topic"):
        reader.source.topic_id(log.topic)
    assert reader.idle(0.5) == 0
    assert reader.source.bounds(partition).end == 10
    assert partition in reader.owned
    reader.source.end(partition)
    wait_until(lambda: partition in reader.revoked, reader)
    log.broker.topics.create(log.topic)
    wait_until(lambda: partition in reader.owned, reader)
    log.fill(numbered(3))
    reader.forget()
    reader.source.begin(partition, 0)
    reader.read(3)


@apache_only
def test_new_partitions_are_assigned(log: KafkaLog, opened: Opener) -> None:
    """A topic may grow while it is read."""
    reader = opened(log)
    log.broker.topics.grow(log.topic, 3)
    wait_until(lambda: len(reader.owned) == 3, reader)
    log.fill(numbered(5), partition=2)
    reader.source.begin(Partition(log.topic, 2), 0)
    reader.read(5)


@apache_only
def test_aborted_transactions_are_holes(log: KafkaLog, opened: Opener) -> None:
    """Only committed records count; the markers take offsets of their own."""
    producer = KafkaProducer(bootstrap_servers=log.broker.bootstrap_servers, transactional_id=log.topic)
    producer.init_transactions()
    for value, keep in ((b"a", True), (b"lost", False), (b"b", True)):
        producer.begin_transaction()
        producer.send(log.topic, value, partition=0)
        producer.flush()
        producer.commit_transaction() if keep else producer.abort_transaction()
    producer.close()
    reader = opened(log)
    partition = Partition(log.topic, 0)
    reader.source.begin(partition, 0)
    reader.read(2)
    assert reader.idle(0.3) == 0
    assert reader.values[partition] == [b"a", b"b"]
    assert reader.offsets[partition] == [0, 4]
    bounds = reader.source.bounds(partition)
    assert (bounds.end, bounds.reached) == (6, 6)  # who has met the last marker is not behind


@pytest.mark.parametrize("log", APACHE[:1], indirect=True)
def test_both_clients_may_be_members_of_one_group(log: KafkaLog, opened: Opener) -> None:
    """An installation can change its client one worker at a time."""
    first = opened(log, client="kafka-python")
    second = opened(log, partitions=0, client="confluent")
    wait_until(lambda: len(first.owned) == len(second.owned) == 1, first, second)
    assert not first.owned & second.owned
