"""Runs roles in one process until a signal: a thread each, and an orderly end.

The first SIGTERM or SIGINT stops fetching, writes what was counted and leaves the group.
The second ends at once, which is safe too: what was not written is read again.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event, Thread
from typing import TYPE_CHECKING

from service.settings import LogFormat, Settings
from service.web.app import create_app
from service.web.dependencies import WebDependencies
from service.web.process_app import create_process_app
from service.web.server import WebServer
from service.wiring import (
    make_collector,
    make_evaluator,
    make_metrics,
    now_ms,
    ready_engine,
    why_not_alive,
    why_not_ready,
)  # fmt: skip

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.collector import Collector
    from service.evaluator import Evaluator
    from service.metrics import PipelineMetrics

log = logging.getLogger(__name__)

_JOIN_SECONDS = 30.0


class Role(StrEnum):
    """What a process does."""

    COLLECT = "collect"
    EVALUATE = "evaluate"
    SERVE = "serve"


@dataclass
class _Crew:
    """The roles' threads, and the first thing that went wrong in one."""

    stop: Event
    threads: list[Thread] = field(default_factory=list)
    trouble: list[BaseException] = field(default_factory=list)

    def start(self, name: str, work: Callable[[Event], None]) -> None:
        def guarded() -> None:
            try:
                work(self.stop)
            except BaseException as error:  # noqa: BLE001 - it is raised again by `finish`
                self.trouble.append(error)
            finally:
                self.stop.set()

        thread = Thread(target=guarded, name=name, daemon=True)
        self.threads.append(thread)
        thread.start()

    def finish(self) -> None:
        """Wait for all; raise what went wrong first."""
        for thread in self.threads:
            thread.join(_JOIN_SECONDS)
        if self.trouble:
            raise self.trouble[0]


def run(settings: Settings, roles: set[Role], *, host: str | None = None, port: int | None = None) -> None:
    """Run these roles until SIGTERM, SIGINT or trouble in one of them. Raises ConfigurationError or Unavailable."""
    set_up_logging(settings)
    with stopping_on_signals() as stop:
        work(settings, roles, stop, host=host, port=port)


def work(
    settings: Settings, roles: set[Role], stop: Event, *, host: str | None = None, port: int | None = None
) -> None:
    """Run these roles until `stop` is set (by anybody) or one of them fails."""
    engine = ready_engine(settings)
    if Role.COLLECT in roles:
        calm_collection()
    metrics = make_metrics()
    collector = make_collector(settings, engine, metrics) if Role.COLLECT in roles else None
    evaluator = make_evaluator(settings, engine, metrics) if Role.EVALUATE in roles else None
    crew = _Crew(stop)
    for server in _servers(settings, roles, engine, metrics, collector, evaluator, host, port):  # fmt: skip
        crew.start("web", server.run)
    if collector is not None:
        crew.start("collector", collector.run)
    if evaluator is not None:
        crew.start("evaluator", evaluator.run)
    while not stop.wait(0.5):
        pass
    crew.finish()
    engine.dispose()


def calm_collection() -> None:
    """Look for reference cycles seldom: a poll makes ten thousand short-lived messages, and none of them has one.

    Measured: the default thresholds cost 0.7 us an event, a sixth of a collector's work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def _servers(  # noqa: PLR0913, PLR0917 - everything a server may show
    settings: Settings, roles: set[Role], engine: Engine, metrics: PipelineMetrics, collector: Collector | None,
    evaluator: Evaluator | None, host: str | None, port: int | None,
) -> Iterator[WebServer]:  # fmt: skip
    def alive() -> str | None:
        return why_not_alive(collector, evaluator)

    def ready() -> str | None:
        return why_not_ready(collector, evaluator)

    address = host or settings.web.host
    if Role.SERVE in roles:
        dependencies = WebDependencies(
            engine, now_ms, settings.web.max_series, metrics.registry, ready, alive
        )
        yield WebServer(create_app(dependencies), address, port or settings.web.port)
    elif settings.web.metrics_port is not None:
        yield WebServer(
            create_process_app(metrics.registry, alive=alive, ready=ready), address, settings.web.metrics_port
        )


@contextmanager
def stopping_on_signals() -> Iterator[Event]:
    """An event that SIGTERM and SIGINT set; the second signal ends the process at once."""
    stop = Event()

    def on_signal(number: int, _: object) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    before = {s: signal.signal(s, on_signal) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


class _TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in super().format(record))


def set_up_logging(settings: Settings) -> None:
    """Log to standard error, one record a line, without raw control characters of anybody's names."""
    handler = logging.StreamHandler(sys.stderr)
    text = _TextLines("%(asctime)s %(levelname)-8s %(name)s: %(message)s")
    handler.setFormatter(_JsonLines() if settings.log.format is LogFormat.JSON else text)
    logging.basicConfig(level=settings.log.level.value.upper(), handlers=[handler], force=True)
    for noisy in ("kafka", "httpx", "alembic", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))
