"""PostgreSQL crashes, loses replies, goes silent or goes back in time: what is stored is what it would have been."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from service.checkpoints import Claimant
from service.messages import Checkpoint, Counts, Partition
from service.store.checkpoint import PostgresCheckpoints
from service.store.engine import connect
from service.store.migrate import migrate
from tests.fakes.collecting import partition_row
from tests.faults.fragile_postgres import FragilePostgres
from tests.faults.outages import MEGABYTE, Watched, check_identical, watched
from tests.faults.postgres_wire import Commits
from tests.faults.proxy import Proxy
from tests.faults.sizes import by_size

pytestmark = [pytest.mark.postgres, pytest.mark.kafka, pytest.mark.slow]

CRASHES = by_size(3, 10)
LOST_REPLIES = by_size(20, 50)
SILENCES, SILENT_SECONDS = by_size((1, 30.0), (3, 120.0))
RESTORES = by_size(2, 3)
AWAY_SECONDS = by_size(3.0, 60.0)
RESUME_SECONDS = 5.0
GROWTH_BYTES = 64 * MEGABYTE
CHECKPOINT = b"UPDATE source_partition SET next_offset"


@contextmanager
def behind_a_proxy(broker: Any, folder: Path) -> Iterator[tuple[FragilePostgres, Proxy, Commits, Watched]]:
    """A collector whose database is its own, reached through a proxy that watches checkpoints."""
    commits = Commits(CHECKPOINT)
    with FragilePostgres() as server, Proxy(server.address, commits.watcher) as proxy:
        through = f"postgresql://postgres@{proxy.address}/postgres"
        with watched(server.url, broker, folder, DATABASE_URL=through) as made:
            yield server, proxy, commits, made


def test_crashes_in_mid_commit_lose_and_repeat_nothing(
    embedded_broker: Any, engine: Engine, tmp_path: Path
) -> None:
    with behind_a_proxy(embedded_broker, tmp_path) as (server, _, commits, made):
        made.wait_for_progress(1_000)
        memory = made.rss_bytes()
        for _ in range(CRASHES):
            commits.under_way.clear()
            assert commits.under_way.wait(10)
            server.crash()
            time.sleep(AWAY_SECONDS)
            server.start()
            assert made.wait_for_progress() <= RESUME_SECONDS
        check_identical(made, engine)
        assert made.claims() == len(made.feed.sent) + made.rewinds(), "no rebalance"
        assert made.rss_bytes() - memory <= GROWTH_BYTES


def test_a_lost_reply_to_commit_is_no_second_count(
    embedded_broker: Any, engine: Engine, tmp_path: Path
) -> None:
    with behind_a_proxy(embedded_broker, tmp_path) as (_, _, commits, made):
        for lost in range(1, LOST_REPLIES + 1):
            commits.to_lose = 1
            made.stack.wait_until(lambda lost=lost: commits.lost == lost, f"reply {lost} is lost")
            made.wait_for_progress(100)
        check_identical(made, engine)
        assert made.claims() == len(made.feed.sent), "a batch that is stored is not read again"


def test_a_database_that_says_nothing_is_waited_for(
    embedded_broker: Any, engine: Engine, tmp_path: Path
) -> None:
    with behind_a_proxy(embedded_broker, tmp_path) as (_, proxy, _, made):
        made.wait_for_progress(1_000)
        memory = made.rss_bytes()
        for _ in range(SILENCES):
            with proxy.swallowing():
                time.sleep(SILENT_SECONDS)
                assert (made.probe("healthz"), made.probe("readyz")) == (200, 503)
            assert made.wait_for_progress() <= RESUME_SECONDS
        check_identical(made, engine)
        assert made.claims() == len(made.feed.sent), "no rebalance"
        assert made.rss_bytes() - memory <= GROWTH_BYTES


def test_a_database_that_was_restored_is_caught_up(
    embedded_broker: Any, engine: Engine, tmp_path: Path
) -> None:
    with behind_a_proxy(embedded_broker, tmp_path) as (server, _, _, made):
        made.wait_for_progress(1_000)
        server.stop()
        copy = server.keep_copy()
        server.start()
        for _ in range(RESTORES):
            made.wait_for_progress(4_000)
            server.stop()
            server.put_back(copy)
            server.start()
            made.wait_for_progress(seconds=RESUME_SECONDS)
        check_identical(made, engine)
        assert made.rewinds() >= RESTORES


def test_a_claim_outlives_a_crash() -> None:
    """Else its row is gone, and a row that is gone waits for a person."""
    place = Partition("events", 0)
    with FragilePostgres() as server, ExitStack() as closing:
        engine = connect(server.url)
        closing.callback(engine.dispose)
        migrate(engine)
        time.sleep(1.0)  # what other transactions left behind has been written
        checkpoints = PostgresCheckpoints(engine)
        claim = checkpoints.claim(place, Claimant("one", 0), None, 0)
        server.crash()
        server.start()
        engine.dispose()
        checkpoints.commit(claim, Checkpoint(place, 0, 1, 1_000, Counts(1)), 0)
        assert partition_row(engine)["next_offset"] == 1
