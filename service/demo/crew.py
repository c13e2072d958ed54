"""The demo's threads: the roles of driftbell, and the traffic that they watch."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from service.errors import Unavailable
from service.runner import Role, work
from service.store.engine import transaction
from service.store.paging import Paging
from service.store.queries import list_partitions

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.settings import Settings

_JOIN_SECONDS = 40.0
_JOINING_SECONDS = 60.0


class Hand:
    """One thread that works until it is told to stop; `trouble` is what ended it before."""

    def __init__(self, name: str, work: Callable[[Event], None]) -> None:
        self.stop = Event()
        self.trouble: BaseException | None = None
        self._work = work
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work(self.stop)
        except BaseException as why:  # noqa: BLE001 - `check` raises it in the main thread
            self.trouble = why
        finally:
            self.stop.set()

    def check(self) -> None:
        """Raise what went wrong."""
        if self.trouble is not None:
            raise self.trouble

    def finish(self) -> None:
        """Tell it to stop, and wait."""
        self.stop.set()
        self._thread.join(_JOIN_SECONDS)


def start_roles(settings: Settings, port: int) -> Hand:
    """Collector, evaluator and web in this process."""
    return Hand("roles", lambda stop: work(settings, set(Role), stop, port=port))


def wait_for_partitions(engine: Engine, topic: str, count: int, roles: Hand, stop: Event) -> None:
    """Wait until the collector has all partitions of the topic. Raises Unavailable."""
    for _ in range(int(_JOINING_SECONDS / 0.1)):
        roles.check()
        with suppress(Unavailable), transaction(engine) as connection:
            rows = list_partitions(connection, Paging(), topic).rows
            if sum(row.owner is not None for row in rows) >= count:
                return
        if stop.wait(0.1):
            return
    raise Unavailable(
        f"the collector got no partitions of the embedded broker within {_JOINING_SECONDS:.0f} s"
    )


class LogLines(logging.Handler):
    """Hands driftbell's own errors on as sentences; the rest is in the log file."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("service.") and not record.exc_info:
            self._say(f"{record.levelname.lower()}: {record.getMessage()}")


def log_to(file: Path, say: Callable[[str], None]) -> list[logging.Handler]:
    """Write the log into a file, since the terminal tells the story. Gives the handlers, to take away."""
    lines = logging.FileHandler(file, encoding="utf-8")
    lines.setFormatter(logging.Formatter("%(asctime)s %(levelname)-8s %(name)s: %(message)s"))
    handlers = [lines, LogLines(say)]
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    for noisy in ("kafka", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return handlers


def close_log(handlers: list[logging.Handler]) -> None:
    """Take the handlers away again."""
    for handler in handlers:
        logging.getLogger().removeHandler(handler)
        handler.close()
