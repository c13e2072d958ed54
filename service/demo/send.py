"""Only the traffic of the demo, into the Kafka of the settings: for a driftbell that runs elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.demo.crew import Hand
from service.demo.models import WINDOW_MS, fit_models
from service.demo.pacing import Feed
from service.demo.references import set_up
from service.demo.script import SCRIPT
from service.demo.stream import Traffic
from service.errors import ConfigurationError
from service.intake.kafka_writer import KafkaWriter
from service.messages import iso
from service.opening import now_ms, ready_engine
from service.wiring import kafka_settings

if TYPE_CHECKING:
    from threading import Event

    from service.demo.terminal import Terminal
    from service.settings import Settings

_RELOAD_SECONDS = 10.0
_LOOK_SECONDS = 0.5
_LAST_SECONDS = 1e-3  # before the end, where the script would begin again


def send_traffic(settings: Settings, stop: Event, terminal: Terminal, *, speed: float, forever: bool) -> None:
    """Send until `stop` is set or, unless `forever`, the script has ended. Raises DriftbellError."""
    if not settings.kafka.bootstrap_servers or not settings.kafka.topics:
        raise ConfigurationError(
            "set DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS and DRIFTBELL_KAFKA_TOPICS to say where traffic goes"
        )
    models = fit_models()
    topic = settings.kafka.topics[0]
    writer = KafkaWriter(kafka_settings(settings))
    try:
        if settings.database.url is not None and set_up(ready_engine(settings), models, now_ms()):
            terminal.say(
                "stored the references and monitors of bike-rentals and power-price; collectors take them up"
            )
            stop.wait(_RELOAD_SECONDS)
        start_ms = (now_ms() // WINDOW_MS + 1) * WINDOW_MS
        feed = Feed(Traffic(models, start_ms, speed=speed), writer, topic)
        _feed(feed, start_ms, stop, terminal, speed=speed, forever=forever)
        terminal.close()
        terminal.say(f"{feed.sent:,} events sent to {topic}")
    finally:
        writer.close()


def _feed(feed: Feed, start_ms: int, stop: Event, terminal: Terminal, *, speed: float, forever: bool) -> None:
    def second() -> float:
        return (now_ms() - start_ms) / 1000 * speed

    hand = Hand("traffic", lambda stop: feed.run(stop, second))
    told = -1.0
    try:
        while not stop.wait(_LOOK_SECONDS) and (forever or second() < SCRIPT.length_seconds):
            hand.check()
            now = second() if forever else min(second(), SCRIPT.length_seconds - _LAST_SECONDS)
            for step, at_seconds in SCRIPT.begun(told, now):
                terminal.say(f"{iso(start_ms + int(1000 * at_seconds / speed))} the script: {step.sentence}")
            told = now
            terminal.status(f"{feed.sent:,} events sent")
    finally:
        hand.finish()
    hand.check()
