"""Plays the demo: servers, roles, traffic, and the story of it in one terminal."""

from __future__ import annotations

import logging
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from tempfile import mkdtemp
from threading import Event
from typing import TYPE_CHECKING

from service.demo.crew import Hand, close_log, log_to, start_roles, wait_for_partitions
from service.demo.models import WINDOW_MS, DemoModel, fit_models
from service.demo.pacing import Feed
from service.demo.references import set_up
from service.demo.script import SCRIPT
from service.demo.stream import Traffic
from service.demo.telling import Line, Telling
from service.embedded import EmbeddedBroker, EmbeddedPostgres
from service.embedded.broker import free_port
from service.errors import DriftbellError, Unavailable
from service.intake.kafka_writer import KafkaWriter, create_topic
from service.messages import State
from service.moments import time_at
from service.opening import make_engine, now_ms
from service.settings import Settings, load_settings
from service.store.engine import transaction
from service.store.migrate import migrate
from service.store.paging import Paging
from service.store.partition_rows import reset_partitions
from service.store.queries import list_models, list_partitions
from service.store.result_queries import AlertFilter, AlertRow, list_alerts
from service.variables import PREFIX
from service.wiring import kafka_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.demo.terminal import Terminal

log = logging.getLogger(__name__)

TOPIC = "inference"
PARTITIONS = 2
_NEWEST_ALERTS = Paging(limit=1_000)
_LOOK_SECONDS = 0.5
_RED, _YELLOW, _GREEN = "bold red", "yellow", "green"


@dataclass(frozen=True, slots=True)
class Wishes:
    """How to play. Without `minutes` it goes on until stopped, without `folder` it leaves nothing behind."""

    speed: float = 1.0
    minutes: float | None = None
    port: int = 8765
    folder: Path | None = None


def play(wishes: Wishes, stop: Event, terminal: Terminal) -> None:
    """Run the demo to its end or until `stop` is set. Raises DriftbellError."""
    folder = wishes.folder or Path(mkdtemp(prefix="driftbell-"))
    folder.mkdir(parents=True, exist_ok=True)
    log_file = folder / "driftbell.log"
    handlers = log_to(log_file, lambda text: terminal.say(text, _RED))
    try:
        _play(wishes, folder, stop, terminal)
    except DriftbellError:
        raise
    except Exception as why:
        log.exception("the demo failed")
        sentence = f"a part of the demo failed: {type(why).__name__}: {why}; the whole story is in {log_file}"
        raise DriftbellError(sentence) from why
    finally:
        terminal.close()
        close_log(handlers)
    if wishes.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    kept = f"; the database stays in {wishes.folder}" if wishes.folder else ""
    terminal.say(f"stopped, nothing runs any more{kept}")


def _play(wishes: Wishes, folder: Path, stop: Event, terminal: Terminal) -> None:
    with _stage(wishes, folder, stop, terminal) as stage:
        if not stop.is_set():
            _Play(stage, wishes, stop, terminal).run()
        terminal.say("stopping collector, evaluator, web and servers ...")


# ---------------------------------------------------------------- what is started before the traffic
@dataclass(frozen=True)
class _Stage:
    """All that runs before the traffic begins."""

    settings: Settings
    engine: Engine
    models: tuple[DemoModel, ...]
    roles: Hand


@contextmanager
def _stage(wishes: Wishes, folder: Path, stop: Event, terminal: Terminal) -> Iterator[_Stage]:
    """Start everything with a tick each, and end it in the opposite order."""
    terminal.say("driftbell demo: a real stream that goes wrong by a script (all times are UTC)", "bold")
    port = _free(wishes.port, terminal)
    postgres, broker = EmbeddedPostgres(folder), EmbeddedBroker(folder)
    with ExitStack() as stack:
        with terminal.step("starting PostgreSQL", "PostgreSQL runs"):
            stack.enter_context(postgres)
        with terminal.step("starting a Kafka-protocol broker", "a Kafka-protocol broker runs"):
            stack.enter_context(broker)
        settings = _settings(postgres.url, broker.bootstrap_servers)
        engine = make_engine(settings)
        stack.callback(engine.dispose)
        with terminal.step("making tables and a topic", f"the tables and the topic {TOPIC!r} are made"):
            migrate(engine)
            reset_partitions(engine, TOPIC)  # the broker forgets between two demos in one folder
            create_topic(kafka_settings(settings), TOPIC, PARTITIONS)
        with terminal.step(
            "fitting two models", "two models are fitted, their references built, their monitors applied"
        ):
            models = fit_models()
            set_up(engine, models, now_ms())
        roles = start_roles(settings, port)
        stack.callback(roles.finish)
        with terminal.step("joining the consumer group", "collector, evaluator and web run"):
            wait_for_partitions(engine, TOPIC, PARTITIONS, roles, stop)
        _say_where(terminal, port, settings)
        yield _Stage(settings, engine, models, roles)


def _settings(database_url: str, bootstrap_servers: str) -> Settings:
    return load_settings({
        "DRIFTBELL_DATABASE_URL": database_url,
        "DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "DRIFTBELL_KAFKA_TOPICS": TOPIC,
        "DRIFTBELL_KAFKA_SESSION_TIMEOUT": "6s",  # the embedded broker lets a group wait for half of it
        "DRIFTBELL_COMMIT_INTERVAL": "500ms",
        "DRIFTBELL_EVALUATE_INTERVAL": "500ms",
    })  # fmt: skip


def _free(port: int, terminal: Terminal) -> int:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            other = free_port()
            terminal.say(f"  port {port} is taken: the pages are on port {other} instead", _YELLOW)
            return other
    return port


def _say_where(terminal: Terminal, port: int, settings: Settings) -> None:
    address = f"http://127.0.0.1:{port}"
    terminal.say()
    terminal.say(f"  Pages    {address}/", "bold")
    terminal.say(f"  Metrics  {address}/metrics")
    terminal.say(f"  Alerts   {address}/api/v1/alerts")
    terminal.say("  Ctrl-C ends it.")
    terminal.say()
    terminal.say("  To ask it from a second terminal, by `driftbell top` or `driftbell incidents list`:")
    for line in _exports(settings):
        terminal.say(line)
    terminal.say()


def _exports(settings: Settings) -> list[str]:
    """What a shell is told so that other commands ask the demo."""
    kafka = settings.kafka
    told = {
        "DATABASE_URL": settings.database.url or "",
        "KAFKA_BOOTSTRAP_SERVERS": ",".join(kafka.bootstrap_servers),
        "KAFKA_TOPICS": ",".join(kafka.topics),
    }
    return [f"export {PREFIX}{name}={quote(value)}" for name, value in told.items()]


# ---------------------------------------------------------------- the play itself
@dataclass
class _Play:
    """The main loop: looks at the store twice a second and tells what is new."""

    stage: _Stage
    wishes: Wishes
    stop: Event
    terminal: Terminal
    _telling: Telling = field(init=False)
    _start_ms: int = field(init=False)
    _told_until: float = -1.0
    _step: str = ""

    def run(self) -> None:
        """Feed the topic and tell the story."""
        self._telling = Telling(self._alerts())
        self._start_ms = (
            now_ms() // WINDOW_MS + 1
        ) * WINDOW_MS  # a window's border, so that the first one is whole
        traffic = Traffic(self.stage.models, self._start_ms, speed=self.wishes.speed)
        writer = KafkaWriter(kafka_settings(self.stage.settings))
        feed = Feed(traffic, writer, TOPIC)
        hand = Hand("traffic", lambda stop: feed.run(stop, self._second))
        try:
            while not self._ended():
                self._look(feed, hand)
                self.stop.wait(_LOOK_SECONDS)
        finally:
            self.terminal.close()
            hand.finish()
            writer.close()
        self._summary(feed.sent)

    def _second(self) -> float:
        """The script's time."""
        return (now_ms() - self._start_ms) / 1000 * self.wishes.speed

    def _ended(self) -> bool:
        minutes = self.wishes.minutes
        return self.stop.is_set() or (minutes is not None and now_ms() - self._start_ms >= minutes * 60_000)

    def _look(self, feed: Feed, hand: Hand) -> None:
        hand.check()
        self.stage.roles.check()
        self._tell_script()
        with suppress(Unavailable):
            self._tell_alerts()
            self.terminal.status(self._status(feed.sent))

    def _tell_script(self) -> None:
        second = self._second()
        for step, at_seconds in SCRIPT.begun(self._told_until, second):
            at_ms = self._start_ms + int(1000 * at_seconds / self.wishes.speed)
            self._telling.begun(step, at_ms)
            self._step = step.sentence
            self.terminal.say(f"{_clock(at_ms)}  the script: {step.sentence}", "cyan")
        self._told_until = second

    def _tell_alerts(self) -> None:
        now = now_ms()
        for line in self._telling.take(self._alerts(), now):
            self.terminal.say(f"{_clock(now)}  {_headed(line)}", _style(line))

    def _alerts(self) -> tuple[AlertRow, ...]:
        with transaction(self.stage.engine) as connection:
            return list_alerts(connection, AlertFilter(), _NEWEST_ALERTS).rows

    def _status(self, sent: int) -> str:
        with transaction(self.stage.engine) as connection:
            partitions = list_partitions(connection, Paging(), TOPIC).rows
            ends = [m.last_window_end_ms for m in list_models(connection, now_ms(), Paging()).rows]
        window = max((end for end in ends if end is not None), default=None)
        last = "no window yet" if window is None else f"last window to {_clock(window)}"
        counted, dead = sum(p.accepted for p in partitions), sum(p.dead for p in partitions)
        events = f"{sent:,} sent, {counted:,} counted, {dead} dead letters"
        return f"{events} | {last} | {self._telling.firing} alerts fire | {self._step}"

    def _summary(self, sent: int) -> None:
        """What happened, and which steps of the script were noticed."""
        seconds = (now_ms() - self._start_ms) / 1000
        self.terminal.say()
        self.terminal.say(f"{sent:,} events in {max(seconds, 0):.0f} s, {self._telling.fired} alerts:")
        for one in self._telling.noticed:
            seen = (
                "not noticed yet" if one.after_seconds is None else f"noticed after {one.after_seconds:.0f} s"
            )
            self.terminal.say(
                f"  {seen:18s} {one.step.sentence}", _YELLOW if one.after_seconds is None else _GREEN
            )


def _headed(line: Line) -> str:
    return f"ALERT ({line.severity}) {line.text}" if line.state is State.FIRING else f"resolved: {line.text}"


def _style(line: Line) -> str:
    if line.state is not State.FIRING:
        return _GREEN
    return _RED if line.severity == "page" else _YELLOW


def _clock(ms: int) -> str:
    return time_at(ms).strftime("%H:%M:%S")
