"""The grounds for faults of processes: one log on a broker, read once without any fault, and crews to read it again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from service.embedded import EmbeddedPostgres
from tests.faults.comparing import Picture, differences, picture
from tests.faults.crew import Crew, at_work, progress
from tests.faults.played_log import MONITOR, OPEN_MS, PlayedLog, make_log
from tests.faults.sizes import PARTITIONS
from tests.flow.stack import Stack
from tests.replaying import reference_of
from tests.servers.fixtures import Broker


@dataclass
class Ground:
    """A topic with the log, and what one worker that nothing befell has made of it."""

    broker: Broker
    topic: str
    log: PlayedLog
    truth: Picture

    def crew(self, database: str, folder: Path, *options: str, **settings: str) -> Crew:
        """Nobody yet, on a database with the monitor."""
        return new_crew(self.broker, self.topic, database, folder, *options, **settings)

    def wait_until_read(self, crew: Crew) -> None:
        """Until every record is counted and every window evaluated."""
        read_all(crew, self.log)

    def check(self, crew: Crew) -> None:
        """The database must be identical to one that saw no fault (once the last late rows are folded in)."""
        self.wait_until_read(crew)
        assert crew.stack.consumed() == self.log.expected
        seen = [["nothing was compared"]]

        def is_identical() -> bool:
            seen[0] = differences(self.truth, picture(crew.stack.database, self.log.until_ms, OPEN_MS))
            return not seen[0]

        try:
            crew.wait_until(is_identical, "the results are identical", 30.0)
        except AssertionError:
            raise AssertionError("\n".join(["not identical", *seen[0], crew.logs()])) from None


def new_crew(broker: Broker, topic: str, database: str, folder: Path, *options: str, **settings: str) -> Crew:
    """A crew on a fresh database, with a commit every few records so that faults meet many."""
    stack = Stack(database, broker.bootstrap_servers, topic, folder)
    stack.settings = {
        "COMMIT_INTERVAL": "20ms",
        "COMMIT_RECORDS": "500",
        "EVALUATE_INTERVAL": "100ms",
    } | settings
    stack.prepare([MONITOR], [reference_of(folder)])
    return Crew(stack, options)


def read_all(crew: Crew, log: PlayedLog) -> None:
    position = "SELECT position_ms FROM evaluation WHERE position_ms >= %s"
    crew.wait_until(lambda: crew.consumed() >= log.records, "every record is counted")
    crew.wait_until(lambda: crew.stack.rows(position, log.until_ms), "every window is evaluated")


@contextmanager
def prepared(broker: Broker, server: EmbeddedPostgres, folder: Path) -> Iterator[Ground]:
    """The log on this broker, and its truth."""
    log, topic = make_log(), broker.new_topic(PARTITIONS)
    for partition in range(PARTITIONS):
        broker.topics.produce(
            topic, log.values[partition], partition=partition, timestamps_ms=log.times_ms[partition]
        )
    progress(f"{log.records} records are in {topic}")
    with new_database(server) as database:
        with at_work(new_crew(broker, topic, database, folder)) as crew:
            crew.start("collect")
            crew.start("evaluate")
            read_all(crew, log)
        assert crew.stack.consumed() == log.expected
        truth = picture(database, log.until_ms, OPEN_MS)
    assert all(truth[kind] for kind in truth), {kind: len(rows) for kind, rows in truth.items()}
    progress("read once without a fault: " + ", ".join(f"{len(rows)} {kind}" for kind, rows in truth.items()))
    yield Ground(broker, topic, log, truth)


@contextmanager
def new_database(server: EmbeddedPostgres) -> Iterator[str]:
    """A database of a whole session."""
    name = f"truth_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"create database {name} strategy wal_log")
    yield server.url_of(name)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def ground(
    apache_kafka: Broker, postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """The log on Apache Kafka."""
    with prepared(apache_kafka, postgres_server, tmp_path_factory.mktemp("ground")) as made:
        yield made


@pytest.fixture(scope="session")
def embedded_ground(
    embedded_broker: Broker, postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """The log on the embedded broker."""
    with prepared(embedded_broker, postgres_server, tmp_path_factory.mktemp("ground")) as made:
        yield made
