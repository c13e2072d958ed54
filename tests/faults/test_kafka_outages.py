"""Kafka's connections break, the broker is gone, or slow: what is stored is what it would have been, at no cost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.faults.outages import check_identical, watched
from tests.faults.proxy import Proxy
from tests.faults.sizes import by_size
from tests.flow.stack import free_port
from tests.servers import apache_kafka as apache
from tests.servers.fixtures import Broker
from tests.servers.requirements import require_or_skip

pytestmark = [pytest.mark.postgres, pytest.mark.apache_kafka, pytest.mark.slow]
both_clients = pytest.mark.parametrize("client", ["kafka-python", "confluent"])

RESETS, BETWEEN_SECONDS = by_size(3, 24), 5.0
AWAY_SECONDS = by_size(20.0, 60.0)
SLOW_SECONDS, REPLY_SECONDS = by_size(6.0, 60.0), 0.5
MOST_CPU_SHARE = 0.2


@pytest.fixture(scope="module")
def shielded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker with a proxy before it: collectors go through the proxy, the test does not."""
    require_or_skip(apache.has_java(), "Java", apache.INSTALL)
    port = free_port()
    with (
        apache.ApacheKafka(tmp_path_factory.mktemp("kafka"), proxy_port=port) as server,
        Proxy(lambda: ("127.0.0.1", server.inner_port), port=port) as proxy,
    ):
        broker = Broker("apache", server.bootstrap_servers)
        broker.proxy = proxy  # type: ignore[attr-defined]
        yield broker
        broker.topics.close()


@both_clients
def test_broken_connections_lose_and_repeat_nothing(
    shielded: Any, database: str, engine: Engine, tmp_path: Path, client: str
) -> None:
    through = shielded.proxy.address
    with watched(database, shielded, tmp_path, client=client, KAFKA_BOOTSTRAP_SERVERS=through) as made:
        cut = 0
        for _ in range(RESETS):
            time.sleep(BETWEEN_SECONDS)
            cut += shielded.proxy.reset()
            made.wait_for_progress()
        assert cut >= RESETS
        check_identical(made, engine)


@both_clients
def test_a_broker_that_is_gone_costs_no_cpu_and_no_record(
    shielded: Any, database: str, engine: Engine, tmp_path: Path, client: str
) -> None:
    through = shielded.proxy.address
    with watched(database, shielded, tmp_path, client=client, KAFKA_BOOTSTRAP_SERVERS=through) as made:
        with shielded.proxy.refusing():
            time.sleep(2.0)
            share = made.cpu_share(AWAY_SECONDS - 2.0)
            assert made.probe("healthz") == 200
        made.wait_for_progress()
        check_identical(made, engine)
        assert share <= MOST_CPU_SHARE


@both_clients
def test_a_slow_broker_is_kept_up_with(
    shielded: Any, database: str, engine: Engine, tmp_path: Path, client: str
) -> None:
    through = shielded.proxy.address
    with watched(database, shielded, tmp_path, client=client, KAFKA_BOOTSTRAP_SERVERS=through) as made:
        with shielded.proxy.delaying(REPLY_SECONDS):
            time.sleep(SLOW_SECONDS)
            made.wait_for_progress()
            behind = made.feed.total() - made.next_offsets()
        check_identical(made, engine)
        assert behind <= made.feed.per_second * made.feed.partitions * 10, "ten seconds' worth"
