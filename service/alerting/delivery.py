"""Sends alerts out: always into the log, and to a webhook when one is configured. At least once, in order."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Protocol

log = logging.getLogger("driftbell.alerts")

_TIMEOUT_SECONDS = 5.0


class Message(Protocol):
    """A message that waits in the outbox."""

    @property
    def message(self) -> Mapping[str, Any]:
        """The alert's document."""


class Waiting(Protocol):
    """Where messages wait."""

    def waiting(self, most: int = 100) -> Sequence[Any]:
        """The oldest messages."""

    def hold_what_is_silent(self) -> Sequence[Any]:
        """Keep back what is silent now; what is kept back from now on."""

    def delivered(self, message: Any) -> None:
        """Take it out."""

    def failed(self, message: Any) -> None:
        """Count the attempt."""


Send = Callable[[Mapping[str, Any]], None]
Keep = Callable[[], None]


@dataclass
class Delivery:
    """Empties the outbox. A webhook that fails is tried again at the next turn; later messages wait behind it.

    What people have silenced is kept back, and said in the log only.
    """

    outbox: Waiting
    send: Send | None = None
    count: Callable[[str], None] = lambda _: None
    _failing: bool = False

    def deliver(self, keep: Keep = lambda: None) -> None:
        """Send what waits; `keep` is called before each message, and raises when it is not ours to send any more."""
        for held in self.outbox.hold_what_is_silent():
            say(held.message, "silenced, not sent: ")
            self.count("held")
        for waiting in self.outbox.waiting():
            keep()
            if self.send is not None:
                try:
                    self.send(waiting.message)
                except (OSError, HTTPException) as why:
                    self._fail(waiting, why)
                    return
            self._failing = False
            say(waiting.message)
            self.outbox.delivered(waiting)
            self.count("delivered")

    def _fail(self, waiting: Any, why: Exception) -> None:
        if not self._failing:
            log.warning("the alert webhook does not take alerts: %s; trying again", why)
        self._failing = True
        self.outbox.failed(waiting)
        self.count("failed")


def say(message: Mapping[str, Any], how: str = "") -> None:
    """The alert as one line of the log."""
    level = logging.WARNING if message["state"] == "firing" and not how else logging.INFO
    log.log(
        level,
        "%s%s %s %s: %s",
        how,
        message["state"].upper(),
        message["severity"],
        message["cause"],
        message["summary"],
    )


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """An answer that points elsewhere is a failure: alerts go where the setting says and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def webhook(url: str) -> Send:
    """Sends a message as JSON to this address; an answer other than 2xx is an OSError."""
    opener = urllib.request.build_opener(NoRedirects)

    def send(message: Mapping[str, Any]) -> None:
        body = json.dumps(message).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - settings allow http(s) only
        with opener.open(request, timeout=_TIMEOUT_SECONDS):
            pass

    return send
