"""Log lines on standard error: nobody's name can forge or break one, and no secret stands in any.

Kafka clients, drivers and servers log what they were configured with; what they say goes through here, too.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from types import TracebackType
from urllib.parse import urlsplit

from service.settings import LogFormat, Settings
from service.transport import passwords_in
from service.variables import secrets_in

log = logging.getLogger(__name__)

HIDDEN = "***"
_SHORTEST_HIDDEN = 4  # a shorter secret would hide half of every line, and is none
_CHATTY = (
    "kafka",
    "httpx",
    "alembic",
    "sqlalchemy",
    "uvicorn.access",
)  # at `debug` they show payloads and SQL


def set_up_logging(settings: Settings) -> None:
    """Log to standard error, one record a line; say first what is insecure and allowed."""
    handler = logging.StreamHandler(sys.stderr)
    lines = JsonLines if settings.log.format is LogFormat.JSON else TextLines
    handler.setFormatter(lines(hidden_texts(settings)))
    logging.basicConfig(level=settings.log.level.value.upper(), handlers=[handler], force=True)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
    sys.excepthook = _log_uncaught
    for sentence in settings.tolerated:
        log.error("INSECURE, and allowed by DRIFTBELL_ALLOW_INSECURE: %s", sentence)


def hidden_texts(settings: Settings) -> list[str]:
    """What no line may show, the longest first: secrets, and the parts of them that libraries say alone."""
    secrets = set(secrets_in(settings))
    urls = [secret for secret in secrets if "://" in secret]
    passwords = {password for url in urls for password in passwords_in(url)}
    paths = {urlsplit(url)._replace(scheme="", netloc="").geturl() for url in urls if url.startswith("http")}
    found = secrets | passwords | {path for path in paths if len(path) > _SHORTEST_HIDDEN}
    return sorted((text for text in found if len(text) >= _SHORTEST_HIDDEN), key=len, reverse=True)


class _CleanLines(logging.Formatter):
    def __init__(self, hidden: Iterable[str] = ()) -> None:
        super().__init__()
        self._hidden = tuple(hidden)

    def message_of(self, record: logging.LogRecord) -> str:
        """The message in one line."""
        return self._shown(record.getMessage())

    def trace_of(self, record: logging.LogRecord) -> list[str]:
        """The lines of the traceback and the stack that belong to the message."""
        traces = [self.formatException(record.exc_info)] if record.exc_info else []
        traces += [record.stack_info] if record.stack_info else []
        return [self._shown(line) for trace in traces for line in trace.split("\n")]

    def _shown(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, HIDDEN)
        if text.isprintable():
            return text
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class JsonLines(_CleanLines):
    """One JSON object a record, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message_of(record),
        }
        trace = self.trace_of(record)
        return json.dumps(line | ({"traceback": "\n".join(trace)} if trace else {}))


class TextLines(_CleanLines):
    """One line a record, for people; a traceback follows it, indented, so that no part of it looks like a record."""

    def format(self, record: logging.LogRecord) -> str:
        head = f"{self.formatTime(record)} {record.levelname:<8} {record.name}: {self.message_of(record)}"
        return "\n    ".join([head, *self.trace_of(record)])


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    log.critical("driftbell ends with an error that nobody foresaw", exc_info=(kind, error, trace))
