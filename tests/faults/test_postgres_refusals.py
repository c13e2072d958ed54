"""What PostgreSQL refuses is waited for, and nothing that an event can say is among it."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine

from service.messages import UnknownModels
from service.store.engine import connect
from service.store.migrate import migrate
from tests.fakes.collecting import Bench, counts, partition_row
from tests.fakes.source import FakeLog
from tests.faults.outages import MONITOR
from tests.faults.sizes import by_size

pytestmark = pytest.mark.postgres

NOW_MS = 1_795_305_600_000
SEEDS, EACH = by_size(4, 100), 250
CHARACTERS = (
    *"a\x00\x01\x1f\x7f\x85\u200b\u202e\u2028\ufeff\ufffd'\"\\%_{}$;:`<>/=\t\n\r",
    "\ud800", "\udfff", "é", "e\u0301", "ß", "漢", "\U0001f600", "\U0010ffff", "\U00020000", "\uabcd",
)  # fmt: skip
NUMBERS = (
    0, -0.0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400, 5e-324, 1.8e308, -1e308,
    float("nan"), float("inf"), -float("inf"), True, "1e999", "NaN", "0x10", "", None,
)  # fmt: skip
TIMES = (
    NOW_MS, NOW_MS + 1, NOW_MS - 10, NOW_MS / 1000, NOW_MS * 1_000_000, 0, -1, -(2**62), 2**62, 2**63, 1e300, True,
    "2026-11-22T00:00:00Z", "9999-12-31T23:59:60Z", "0000-01-01", "-1", "", None, "\x00",
)  # fmt: skip


@contextmanager
def read_only(database: str) -> Iterator[None]:
    """As a database is whose standby was asked by mistake, or that is about to run out of transaction numbers."""
    name = conninfo_to_dict(database)["dbname"]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        connection.execute(others.encode(), (name,))
        try:
            yield
        finally:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            connection.execute(others.encode(), (name,))


def test_a_database_that_may_only_be_read_is_waited_for(database: str) -> None:
    """A standby that has not been promoted (25006)."""
    engine = connect(database)
    try:
        migrate(engine)
        bench = Bench(engine)
        bench.apply(MONITOR)
        running = bench.collector()
        bench.log.append([b"{"] * 3 + [good(n) for n in range(50)], [NOW_MS] * 53)
        with read_only(database):
            running.turn(10)
            assert running.value("driftbell_commits_total", outcome="retried") > 0
            assert running.value("driftbell_commits_total", outcome="failed") == 0
        running.turn(5, seconds=60.0)
        assert (counts(engine)["accepted"], counts(engine)["dead"]) == (50, 3)
        assert partition_row(engine)["halted"] is None
    finally:
        engine.dispose()


def good(n: int) -> bytes:
    return json.dumps(said("churn", "1", f"id-{n}", NOW_MS, {"amount": 1.5, "country": "DE"})).encode()


def said(model: Any, version: Any, identity: Any, ts: Any, features: Any) -> dict[str, Any]:
    return {
        "type": "prediction", "model": model, "version": version, "id": identity, "ts": ts, "features": features,
    }  # fmt: skip


@pytest.mark.parametrize("unknown", [UnknownModels.LEARN, UnknownModels.QUARANTINE])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_nothing_that_an_event_says_is_refused_by_the_database(
    engine: Engine, caplog: pytest.LogCaptureFixture, seed: int, unknown: UnknownModels
) -> None:
    """Of every five records four are hostile; the fifth is good, and counted whatever stands beside it."""
    bench = Bench(engine)
    bench.apply(MONITOR)
    made = Hostility(seed)
    values: list[bytes | None] = [
        good(n) if n % 5 == 0 else made.record(("churn", made.word())[n % 2]) for n in range(EACH)
    ]
    bench.log.append(values, [NOW_MS] * EACH)
    running = bench.collector(unknown_models=unknown, most_dead_share=1.0)
    with caplog.at_level(logging.ERROR, "service"):
        running.read_all()
    assert [entry.getMessage() for entry in caplog.records] == []
    assert sum(counts(engine).values()) == EACH
    assert counts(engine)["accepted"] >= EACH // 5
    assert running.value("driftbell_commits_total", outcome="failed") == 0


def test_the_longest_names_fit_the_database_together(engine: Engine) -> None:
    """A topic, a model, a version and a segment of two names share one entry of an index; what is longer is no name."""
    longest, longer = (rare_characters(n) for n in (112, 200))
    monitor = replace(MONITOR, model=longest[::-1], segments=(longest,))
    bench = Bench(engine, FakeLog("t" * 249))
    bench.apply(monitor)
    events = [
        said(monitor.model, version, f"id-{n}", NOW_MS, {longest: value})
        for n, (version, value) in enumerate(product((longest, longer), repeat=2))
    ]
    bench.log.append([json.dumps(e).encode() for e in events], [NOW_MS] * len(events))
    running = bench.collector()
    running.read_all()
    assert running.value("driftbell_commits_total", outcome="failed") == 0
    assert sum(counts(engine).values()) == len(events)
    with engine.connect() as connection:
        query = "SELECT max(octet_length(model) + octet_length(version) + octet_length(segment)) FROM pane"
        assert connection.exec_driver_sql(query).scalar_one() > 4 * 4 * 112


def rare_characters(count: int) -> str:
    """Characters of four bytes, of which no two are alike: nothing for a compressor."""
    return "".join(map(chr, random.Random(count).sample(range(0x20000, 0x2A6DF), count)))


class Hostility:
    """Events that are well-formed enough to be counted and hold what databases choke on."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._places: list[Callable[[dict[str, Any]], None]] = [
            lambda e: e.update(model=self.word()),
            lambda e: e.update(version=self._random.choice([self.word(), *NUMBERS])),
            lambda e: e.update(id=self._random.choice([self.word(), *NUMBERS])),
            lambda e: e.update(ts=self._random.choice(TIMES)),
            lambda e: e["features"].update(country=self._random.choice([self.word(), *NUMBERS])),
            lambda e: e["features"].update(amount=self._random.choice([self.word(), *NUMBERS])),
            lambda e: e["features"].update({self.word(): self._random.choice(NUMBERS)}),
            lambda e: e.update(prediction={"label": self.word(), "score": self._random.choice(NUMBERS)}),
            lambda e: e.update(
                type=self._random.choice(["label", "prediction", self.word()]), label=self.word()
            ),
        ]

    def record(self, model: str) -> bytes:
        """One to three places of a good event, spoilt."""
        event = said(model, "1", f"id-{self._random.random()}", NOW_MS, {"amount": 1.5, "country": "DE"})
        for spoil in self._random.sample(self._places, self._random.randint(1, 3)):
            spoil(event)
        ascii_only = self._random.random() < 0.5
        return json.dumps(event, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    def word(self) -> str:
        """Up to as long as a name may be; nothing that an index could make shorter."""
        length = self._random.choice([0, 1, 3, 110, 199, 200, 201, 1_000])
        if self._random.random() < 0.5:
            return "".join(self._random.choice(CHARACTERS) for _ in range(length))
        return "".join(chr(self._random.randrange(0x4E00, 0x9FFF)) for _ in range(length))
