"""The demo's data as its processes leave them: the whole script's traffic, read, evaluated and joined."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from service.demo.models import WINDOW_MS, fit_models
from service.demo.references import build_profile
from service.demo.stream import Traffic
from service.monitor import HOUR_MS
from service.opening import now_ms
from service.store.configuration import apply_monitors
from service.store.engine import connect
from service.store.migrate import migrate
from service.store.profiles import to_be_stored
from tests.flow.stack import Stack, running

if TYPE_CHECKING:
    from service.demo.models import DemoModel
    from tests.servers.fixtures import Broker

SECONDS = 200
"""Of the script: all six failures, and half a minute after they are mended."""


def play_demo(database: str, broker: Broker, folder: Path) -> int:
    """Play the script in no time, through a real broker and real processes; gives the event time at which it ends.

    Their partitions do not count as idle for an hour, so that nobody hears of the silence after the end.
    """
    models = fit_models()
    stack = Stack(database, broker.bootstrap_servers, broker.new_topic(2), folder)
    start_ms = (now_ms() // WINDOW_MS + 1) * WINDOW_MS - SECONDS * 1000
    _prepare(database, models, start_ms)
    records = Traffic(models, start_ms).until(SECONDS)
    for partition in range(2):
        broker.topics.produce(stack.topic, [one.value for one in records[partition::2]], partition=partition)
    end_ms = start_ms + SECONDS * 1000
    with running(stack):
        stack.start("run")
        stack.wait_until(lambda: sum(stack.consumed().values()) >= len(records), "all is read", 120)
        stack.wait_until(lambda: _told_until(stack) >= end_ms - 4 * WINDOW_MS, "all is evaluated", 120)
    return end_ms


def _prepare(database: str, models: tuple[DemoModel, ...], start_ms: int) -> None:
    monitors = [replace(model.monitor(), idle_after_ms=HOUR_MS) for model in models]
    engine = connect(database)
    migrate(engine)
    apply_monitors(engine, monitors, [to_be_stored(build_profile(model)) for model in models], start_ms)
    engine.dispose()


def _told_until(stack: Stack) -> int:
    """Up to when all windows of both models are evaluated and estimated; judging waits for labels that come later."""
    positions = stack.rows(
        "SELECT least(e.position_ms, c.estimated_ms, c.judged_ms + 20000) FROM evaluation e "
        "LEFT JOIN performance_course c USING (model) WHERE e.model <> ''"
    )
    return min((row[0] or 0 for row in positions), default=0) if len(positions) == 2 else 0
