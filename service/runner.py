"""Runs roles in one process until a signal: a thread each, and an orderly end.

The first SIGTERM or SIGINT stops fetching, writes what was counted and leaves the group.
The second ends at once, which is safe too: what was not written is read again.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event, Thread
from typing import TYPE_CHECKING

from service.log_lines import set_up_logging
from service.moments import time_at
from service.opening import now_ms, ready_engine
from service.settings import Settings
from service.stopping import stopping_on_signals
from service.store.keys import any_key_opens
from service.web.app import create_app
from service.web.dependencies import WebDependencies
from service.web.exposure import auth_for, hosts_for
from service.web.process_app import create_process_app
from service.web.server import WebServer
from service.wiring import (
    ALIVE_SECONDS,
    make_backtesting,
    make_collector,
    make_evaluator,
    make_metrics,
    make_replaying,
    make_topics,
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
_STANDARD_ERROR = 2


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


@dataclass
class Watch:
    """Says once, when a loop stands still, where every thread is: a restart would leave no trace of why.

    When nobody looks for `patience_seconds`, because some thread lets no other run, that is said too.
    """

    complaint: Callable[[], str | None]
    patience_seconds: float = ALIVE_SECONDS
    _has_told: bool = False

    def look(self) -> None:
        """To be called every second or so, until `end`."""
        faulthandler.dump_traceback_later(self.patience_seconds, file=_STANDARD_ERROR)
        why = self.complaint()
        if why is not None and not self._has_told:
            log.critical("%s; its process does this:\n%s", why, _stacks())
        self._has_told = why is not None

    def end(self) -> None:
        """Nobody will look any more."""
        faulthandler.cancel_dump_traceback_later()


def _stacks() -> str:
    frames = sys._current_frames()  # noqa: SLF001 - public but for its name
    return "\n".join(
        f"thread {thread.name}:\n{''.join(traceback.format_stack(frames[thread.ident]))}"
        for thread in threading.enumerate()
        if thread.ident in frames
    )


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
    metrics = make_metrics()
    collector = make_collector(settings, engine, metrics) if Role.COLLECT in roles else None
    evaluator = make_evaluator(settings, engine, metrics) if Role.EVALUATE in roles else None
    servers = list(_servers(settings, roles, engine, metrics, collector, evaluator, host, port))
    calm_collection()
    crew = _Crew(stop)
    for server in servers:
        crew.start("web", server.run)
    if collector is not None:
        crew.start("collector", collector.run)
    if evaluator is not None:
        crew.start("evaluator", evaluator.run)
    watch = Watch(lambda: why_not_alive(collector, evaluator))
    while not stop.wait(0.5):
        watch.look()
    watch.end()
    crew.finish()
    engine.dispose()


def calm_collection() -> None:
    """Look for reference cycles seldom, and never in what is there from the start.

    A poll makes ten thousand short-lived messages, and none of them has one: the default thresholds cost 0.7 us an
    event, a sixth of a collector's work. One look through all of a server's modules holds an answer up by 90 ms.
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

    web = settings.web
    address = host or web.host
    if Role.SERVE in roles:
        dependencies = WebDependencies(
            engine, now_ms, web.max_series, metrics.registry, ready, alive,
            allowed_hosts=hosts_for(address, web.allowed_hosts),
            auth=auth_for(web.auth, address, lambda: any_key_opens(engine, time_at(now_ms()))),
            metrics_token=web.metrics_token, requests_per_minute=web.requests_per_minute,
            replaying=make_replaying(settings, engine) if settings.kafka.bootstrap_servers else None,
            webhook=settings.evaluator.alert_webhook_url is not None,
            results_kept_ms=settings.retention.results_ms,
            topics=make_topics(settings), backtesting=make_backtesting(engine),
        )  # fmt: skip
        yield WebServer(create_app(dependencies), address, port or web.port, web.trusted_proxies)
    elif web.metrics_port is not None:
        app = create_process_app(
            metrics.registry, alive=alive, ready=ready, metrics_token=web.metrics_token,
            allowed_hosts=hosts_for(address, ()),  # of a pod only its address is known
        )  # fmt: skip
        yield WebServer(app, address, web.metrics_port)
