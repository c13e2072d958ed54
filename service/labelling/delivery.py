"""Rows to label and advice to train again, into the feedback topic: at least once, in order, keyed by the model."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from service.alerting.delivery import Delivery
from service.errors import ConfigurationError, Unavailable

log = logging.getLogger(__name__)

AT_ONCE = 500
_TRY_AGAIN_MS = 60_000
_MOST_BYTES = 900_000


@dataclass(frozen=True, slots=True)
class Unsent:
    """A record that the topic does not have yet; `kind` and `id` name its row."""

    kind: str
    id: int
    model: str
    document: Mapping[str, Any]


class Queue(Protocol):
    """Where records wait."""

    def unsent(self, most: int) -> Sequence[Unsent]:
        """The oldest."""

    def sent(self, rows: Sequence[Unsent]) -> None:
        """The topic has them."""


class TopicWriter(Protocol):
    """The topic. Called from one thread."""

    def write(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Append keys and values and wait, for some seconds at most.

        Raises Unavailable or ConfigurationError when the topic may not have all of them.
        """


@dataclass
class FeedbackDelivery:
    """Empties the queue. A topic that does not take records is tried again after a minute."""

    queue: Queue
    topic: TopicWriter
    clock_ms: Callable[[], int]
    _again_at_ms: int = 0

    def deliver(self) -> None:
        """Send what waits, some hundreds at a time. What fails in the topic is said, and never raised."""
        if self.clock_ms() < self._again_at_ms:
            return
        rows = self.queue.unsent(AT_ONCE)
        if not rows:
            return
        try:
            self.topic.write([(one.model.encode(), encoded(one.document)) for one in rows])
        except (Unavailable, ConfigurationError) as why:
            self._again_at_ms = self.clock_ms() + _TRY_AGAIN_MS
            log.warning("the feedback topic does not take records: %s; trying again in a minute", why)
            return
        self.queue.sent(rows)


@dataclass
class AlertsAndFeedback(Delivery):
    """The outbox, and then the feedback topic where there is one: one evaluator at a time empties both."""

    feedback: FeedbackDelivery | None = None

    def deliver(self) -> None:
        super().deliver()
        if self.feedback is not None:
            self.feedback.deliver()


def encoded(document: Mapping[str, Any]) -> bytes:
    """JSON as the topic has it; features that make a record too large for a usual topic are left out."""
    data = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    if len(data) <= _MOST_BYTES:
        return data
    return json.dumps({**document, "features": {}, "features_left_out": True}, allow_nan=False).encode()
