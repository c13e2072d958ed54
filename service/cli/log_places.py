"""Options that name a log, a file or folder or `topic:NAME`, and the logs they open."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from service.errors import ConfigurationError
from service.injection.log import ReaderLog
from service.intake.file_log import lines_in
from service.opening import now_ms
from service.settings import load_from_environment
from service.wiring import kafka_settings, make_log_reader

if TYPE_CHECKING:
    from rich.progress import Progress

TOPIC = "topic:"


def topic_in(place: str) -> str | None:
    """The topic's name; None of a file."""
    return place.removeprefix(TOPIC) if place.startswith(TOPIC) else None


def open_log(place: str, ts_unit: str = "auto") -> ReaderLog:
    """The log to read. Raises ConfigurationError when there is none."""
    settings = load_from_environment()
    topic = topic_in(place)
    if topic is not None:
        from service.intake.kafka_python_log_reader import KafkaPythonLogReader

        described = kafka_settings(settings, (topic,))
        return ReaderLog(lambda: KafkaPythonLogReader(described), topic, now_ms(), ts_unit)
    path = Path(place)
    if not path.exists():
        raise ConfigurationError(
            f"there is no file or folder {place}; --events names the log (topic:NAME is in Kafka)"
        )
    reader = partial(make_log_reader, settings, path)
    return ReaderLog(reader, path.resolve().name, ts_unit=ts_unit)


def require_apart(out: str, events: str) -> None:
    """Raises ConfigurationError when the one would be written over the other."""
    if topic_in(out) is not None or topic_in(events) is not None:
        clash = out == events
    else:
        written, read = Path(out).resolve(), Path(events).resolve()
        clash = written == read or read in written.parents
    if clash:
        raise ConfigurationError(
            f"--out {out} would be written over the events or among them; name another place"
        )


def records_in(place: str, progress: Progress) -> int | None:
    """How many records a file log holds, where a bar is shown; a topic is not asked."""
    return None if progress.disable or topic_in(place) is not None else lines_in(Path(place))


def share_in(text: str, option: str) -> float:
    """A share as a person writes it: 50% or 0.5. Raises ConfigurationError."""
    try:
        share = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ConfigurationError(f"{option} {text!r} is no share; write 50% or 0.5")
    return share
