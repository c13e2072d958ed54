"""A database with a past: events that collectors counted and an evaluator judged, and back-tests of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, select

from service.alerting.delivery import Delivery
from service.backtest.backtest import Backtested, Span
from service.evaluator import Evaluator
from service.metrics import PipelineMetrics
from service.monitor import DAY_MS, Budget
from service.reference.profile import profile_to_bytes
from service.store.configuration import StoredReference, apply_monitors
from service.store.engine import transaction
from service.store.outbox import Outbox
from service.store.retention import Retention
from service.store.tables import alert, metadata
from service.wiring import make_backtest
from tests.fakes.collecting import Bench
from tests.fakes.source import FakeLog
from tests.replaying import MINUTE, START_MS, Event, Line, steady

if TYPE_CHECKING:
    from service.monitor import Monitor
    from service.reference.profile import ReferenceProfile

ALL = Span()
STRICT = Budget(1e-6, DAY_MS)
"""Hardly one false page in three thousand years."""
KEPT = Retention(10**13, 10**13, 10**13, every_ms=10**13)


def eventful() -> list[Event]:
    """An hour and a third: the amounts rise, then nothing comes for a while."""
    # minute   0       40       50    60    70   80
    # events   |-------|amount+3|-----|     |----|
    usual = [steady(minutes) for minutes in (range(40), range(50, 60), range(70, 80))]
    return usual[0] + steady(range(40, 50), shift=3.0) + usual[1] + usual[2]


def collect(
    engine: Engine,
    stages: Sequence[tuple[Monitor, Iterable[Event]]],
    profiles: Iterable[ReferenceProfile] = (),
) -> None:
    """Store references, and for each stage a monitor and what is counted under it; odd minutes are partition 1."""
    references = [StoredReference(p.name, p.model, p.grid, p.rows, profile_to_bytes(p)) for p in profiles]
    bench = Bench(engine, FakeLog(partitions=2))
    for monitor, events in stages:
        apply_monitors(engine, [monitor], references, 0)
        for one in events:
            bench.log.append([json.dumps(one).encode()], [one["ts"]], one["ts"] // MINUTE % 2)
        bench.collector(assigned=(0, 1)).read_all()


def evaluate(engine: Engine) -> None:
    """Let an evaluator judge all that is due."""
    metrics = PipelineMetrics(CollectorRegistry())
    sent: list[Mapping[str, Any]] = []
    now_ms = START_MS
    made = Evaluator(engine, "one", metrics, lambda: now_ms, Delivery(Outbox(engine), sent.append), KEPT)
    for _ in range(5):
        made.step()
        now_ms += 60_000


def stored_alerts(engine: Engine) -> dict[str, dict[str, Any]]:
    """The alerts that the evaluator has stored, by id, in the words of their lines."""
    told = ("incident", "state", "severity", "rule", "cause", "window", "version", "summary", "consequence")
    with transaction(engine) as connection:
        rows = connection.execute(select(alert)).mappings().all()
    return {row["id"]: {name: row[name] for name in told} for row in rows}


def backtest(
    engine: Engine, monitor: Monitor, profiles: Iterable[ReferenceProfile] = (), span: Span = ALL
) -> tuple[list[Line], Backtested]:
    """The lines of one monitor's back-test, and what it comes to."""
    lines: list[Line] = []
    given = {one.name: one for one in profiles}
    (judged,) = make_backtest(engine, [monitor], given, span, lines.append).run()
    return lines, judged


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with transaction(engine) as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }
