"""Rows to label and advice to train again, into the feedback topic: at least once, in order, keyed by the model.

A record that is too large for the topic goes again without its features, after those it was sent with; one that is too
large even so is set aside.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from service.alerting.delivery import Delivery, Keep
from service.alerting.pushing import Pushing
from service.errors import ConfigurationError, DriftbellError, TooLarge, Unavailable

log = logging.getLogger(__name__)

AT_ONCE = 500
_TRY_AGAIN_MS = 60_000
_MOST_BYTES = 4_000_000
"""So many are sent together at most, so that a broker has them in some seconds."""


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

    def refused(self, rows: Sequence[Unsent]) -> None:
        """The topic will never have them."""


class TopicWriter(Protocol):
    """The topic. Called from one thread."""

    def write(self, records: Sequence[tuple[bytes, bytes]]) -> Sequence[DriftbellError | None]:
        """Append keys and values and wait, for some seconds at most; of each why the topic may not have it.

        Raises Unavailable or ConfigurationError when it may have none of them.
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
        too_large = self._send(_together(self.queue.unsent(AT_ONCE)))
        refused = self._send([(one, encoded(_without_features(one.document))) for one in too_large])
        for one in refused:
            log.warning(
                "the feedback topic will not have %s %d of %s: it is too large", one.kind, one.id, one.model
            )
        if refused:
            self.queue.refused(refused)

    def _send(self, rows: Sequence[tuple[Unsent, bytes]]) -> list[Unsent]:
        """Mark what the topic has, in order, up to the first trouble; returns what is too large for it."""
        if not rows:
            return []
        try:
            outcomes = self.topic.write([(one.model.encode(), data) for one, data in rows])
        except (Unavailable, ConfigurationError) as why:
            outcomes = [why]
        sent: list[Unsent] = []
        too_large: list[Unsent] = []
        for (one, _), outcome in zip(rows, outcomes, strict=False):
            if outcome is not None and not isinstance(outcome, TooLarge):
                self._wait(outcome)
                break
            (sent if outcome is None else too_large).append(one)
        if sent:
            self.queue.sent(sent)
        return too_large

    def _wait(self, why: DriftbellError) -> None:
        self._again_at_ms = self.clock_ms() + _TRY_AGAIN_MS
        log.warning("the feedback topic does not take records: %s; trying again in a minute", why)


@dataclass
class AlertsAndFeedback(Delivery):
    """The outbox, then Alertmanagers and the feedback topic where there are any: one evaluator at a time."""

    feedback: FeedbackDelivery | None = None
    pushing: Pushing | None = None

    def deliver(self, keep: Keep = lambda: None) -> None:
        super().deliver(keep)
        if self.pushing is not None:
            self.pushing.deliver(keep)
        if self.feedback is not None:
            keep()
            self.feedback.deliver()


def encoded(document: Mapping[str, Any]) -> bytes:
    """JSON as the topic has it."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def _together(rows: Sequence[Unsent]) -> list[tuple[Unsent, bytes]]:
    """The first of them, with their bytes, that may be sent together: at least one."""
    taken: list[tuple[Unsent, bytes]] = []
    total = 0
    for one in rows:
        data = encoded(one.document)
        total += len(data)
        if taken and total > _MOST_BYTES:
            break
        taken.append((one, data))
    return taken


def _without_features(document: Mapping[str, Any]) -> Mapping[str, Any]:
    if not document.get("features"):
        return document
    return {**document, "features": {}, "features_left_out": True}
