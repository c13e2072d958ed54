"""Looks at everything that a deployment rests on, each part for a few seconds at most, and has it judged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from service.alerting.alertmanager import Alertmanager
from service.doctor.broker import Wanted, broker_checks
from service.doctor.check import Check, failure, not_checked
from service.doctor.collectors import PartitionSeen, collector_checks
from service.doctor.configured import settings_checks
from service.doctor.database import PARTS, database_checks
from service.doctor.delivery import alertmanager_checks, outbox_check, webhook_check
from service.doctor.evaluators import evaluator_checks
from service.doctor.events import dead_letter_check, producer_clock_check
from service.doctor.monitors import MonitorSeen, monitor_checks, monitor_of
from service.errors import ConfigurationError, DriftbellError
from service.monitor import HOUR_MS, Monitor, Task
from service.store.server import database_seen
from service.store.standing import (
    alertmanagers_seen,
    dead_letters_seen,
    evaluations_seen,
    monitors_seen,
    outbox_seen,
    partitions_seen,
)
from service.store.watermarks import load_progress

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.intake.topic_survey import BrokerSeen
    from service.settings import Reading

PATIENCE_SECONDS = 5.0
_THERE = "see that it runs there, and that the network lets us through"
_FOLLOWS = "the database cannot be asked"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ways:
    """How to reach what is looked at; `open_database` and `ask_broker` raise what `errors` has."""

    open_database: Callable[[], Engine]
    ask_broker: Callable[[Sequence[str]], BrokerSeen]
    clock_ms: Callable[[], int]
    patience_seconds: float = PATIENCE_SECONDS


@dataclass(slots=True)
class _Stored:
    """What the database has told so far."""

    now_ms: int = 0
    monitors: Sequence[MonitorSeen] = ()
    partitions: Sequence[PartitionSeen] = ()
    dead: dict[str, int] = field(default_factory=dict)

    def readable(self) -> list[Monitor]:
        """The monitors that can be parsed."""
        return [found for one in self.monitors if isinstance(found := monitor_of(one), Monitor)]


@dataclass
class Examination:
    """One look at everything; nothing is changed, and no trouble with one part stops the others."""

    reading: Reading
    ways: Ways
    _stored: _Stored = field(default_factory=_Stored)

    def run(self) -> list[Check]:
        """Every check, in the order from what all rests on to what rests on all."""
        reading, settings = self.reading, self.reading.settings
        checks = settings_checks(reading.given, reading.mistakes, settings.tolerated)
        with ExitStack() as opened:
            engine, found = self._database(opened)
            checks += [*found, *self._rest(engine)]
        return [*checks, webhook_check(webhook=settings.evaluator.alert_webhook_url is not None)]

    def _rest(self, engine: Engine | None) -> Iterator[Check]:
        about_monitors = self._of_stored(engine, "monitors", self._monitors)  # read first: others go by them
        broker, found = self._broker()
        yield from found
        yield from self._of_stored(engine, "collectors", lambda e: self._collectors(e, broker))
        yield from self._of_stored(engine, "evaluators", self._evaluators)
        yield from about_monitors
        yield from self._of_stored(engine, "dead letters", self._dead_letters)
        yield from self._of_stored(engine, "producers' clocks", self._clocks)
        yield from self._of_stored(engine, "outbox", lambda e: [outbox_check(outbox_seen(e))])
        yield from self._of_stored(engine, "alertmanager", self._alertmanagers)

    # ------------------------------------------------------------ the database
    def _database(self, opened: ExitStack) -> tuple[Engine | None, list[Check]]:
        """The engine if its tables can be asked."""
        if self.reading.database_dangers:
            return None, [not_checked("database", "nothing is sent to it in the clear (see settings)")]
        try:
            engine = self.ways.open_database()
            opened.callback(engine.dispose)
            seen = self._within(lambda: database_seen(engine, self.ways.clock_ms))
        except DriftbellError as why:
            return None, [failure("database", *_parted(why, _THERE)), *_unknown()]
        return (engine if seen.is_current else None), database_checks(seen)

    def _of_stored(
        self, engine: Engine | None, name: str, look: Callable[[Engine], list[Check]]
    ) -> list[Check]:
        if engine is None:
            return [not_checked(name, f"{_FOLLOWS}, or its tables are not of this version")]
        try:
            return self._within(lambda: look(engine))
        except DriftbellError as why:
            return [not_checked(name, *_parted(why, "ask again; if it stays so, see what the database does"))]

    def _monitors(self, engine: Engine) -> list[Check]:
        self._stored.now_ms, self._stored.monitors = monitors_seen(engine)
        return monitor_checks(self._stored.monitors, self._stored.now_ms)

    def _collectors(self, engine: Engine, broker: BrokerSeen | None) -> list[Check]:
        self._stored.now_ms, self._stored.partitions = partitions_seen(engine)
        topics = self.reading.settings.kafka.topics
        return collector_checks(self._stored.partitions, topics, broker, self._stored.now_ms)

    def _evaluators(self, engine: Engine) -> list[Check]:
        return evaluator_checks(evaluations_seen(engine, self._stored.readable(), load_progress(engine)))

    def _dead_letters(self, engine: Engine) -> list[Check]:
        self._stored.dead, accepted = dead_letters_seen(engine, HOUR_MS)
        return [dead_letter_check(self._stored.dead, accepted)]

    def _clocks(self, engine: Engine) -> list[Check]:  # noqa: ARG002 - by what was read before
        return [producer_clock_check(self._stored.partitions, self._stored.dead, self._stored.now_ms)]

    def _alertmanagers(self, engine: Engine) -> list[Check]:
        now_ms, seen = alertmanagers_seen(engine)
        urls = self.reading.settings.evaluator.alertmanager_urls or ()
        names = [Alertmanager(url).name for url in urls]
        return alertmanager_checks(names, seen, now_ms)

    # ------------------------------------------------------------ the broker
    def _broker(self) -> tuple[BrokerSeen | None, list[Check]]:
        kafka = self.reading.settings.kafka
        if not kafka.bootstrap_servers:
            return None, [not_checked("broker", "none is named here; only collectors need one")]
        if self.reading.kafka_dangers:
            return None, [not_checked("broker", "nothing is sent to it in the clear (see settings)")]
        wanted = self._wanted()
        try:
            seen = self._within(lambda: self.ways.ask_broker([*wanted.read, *wanted.written]))
        except DriftbellError as why:
            return None, [failure("broker", *_parted(why, _THERE))]
        return seen, broker_checks(seen, wanted)

    def _wanted(self) -> Wanted:
        kafka, monitors = self.reading.settings.kafka, self._stored.readable()
        written = [topic for topic in (kafka.dead_letter_topic, kafka.feedback_topic) if topic is not None]
        waits = [one.labels.wait_ms for one in monitors if one.task is not Task.NONE]
        return Wanted(
            kafka.security.protocol.value, kafka.group, kafka.topics, written,
            max((one.allowed_lateness_ms for one in monitors), default=None), max(waits, default=None),
        )  # fmt: skip

    def _within(self, look: Callable[[], T]) -> T:
        return within(self.ways.patience_seconds, look)


class NoAnswer(DriftbellError):
    """It took too long, or went wrong in a way that nobody foresaw."""


def within(seconds: float, look: Callable[[], T]) -> T:
    """What `look` finds. Raises its DriftbellErrors, and NoAnswer for others or when it is left behind unfinished."""
    found: list[T] = []
    trouble: list[Exception] = []

    def run() -> None:
        try:
            found.append(look())
        except Exception as error:  # noqa: BLE001 - raised again by who waits
            trouble.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if trouble:
        raise (
            trouble[0] if isinstance(trouble[0], DriftbellError) else NoAnswer(_told(trouble[0]))
        ) from trouble[0]
    if not found:
        message = f"no answer within {seconds:g} s"
        raise NoAnswer(message)
    return found[0]


def _told(error: Exception) -> str:
    first_line = str(error).partition("\n")[0][:200]
    return f"what it answers is not understood ({type(error).__name__}: {first_line})"


def _unknown() -> Iterator[Check]:
    return (not_checked(part, _FOLLOWS) for part in PARTS)


def _parted(why: DriftbellError, advice: str) -> tuple[str, str]:
    """What is wrong, and what an error's sentence says to do; else the advice."""
    sentence = why.problems[0] if isinstance(why, ConfigurationError) else str(why)
    wrong, _, said = sentence.partition("; ")
    return wrong, said or advice
