"""Records go into the feedback topic at least once, in order, and a topic that is away holds nobody up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from service.errors import ConfigurationError, Unavailable
from service.labelling.delivery import AlertsAndFeedback, FeedbackDelivery, Unsent, encoded

MINUTE_MS = 60_000


@dataclass
class Rows:
    """A queue in memory."""

    left: list[Unsent] = field(default_factory=list)

    def unsent(self, most: int) -> Sequence[Unsent]:
        return self.left[:most]

    def sent(self, rows: Sequence[Unsent]) -> None:
        self.left = [one for one in self.left if one not in rows]


@dataclass
class Topic:
    """A topic that may be away."""

    trouble: Exception | None = None
    records: list[tuple[bytes, bytes]] = field(default_factory=list)
    asked: int = 0

    def write(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        self.records += records


@dataclass
class NoAlerts:
    """An outbox that somebody looks into."""

    looked: list[int] = field(default_factory=list)

    def waiting(self, most: int = 100) -> list[Unsent]:
        self.looked.append(most)
        return []

    def delivered(self, message: object) -> None: ...

    def failed(self, message: object) -> None: ...


def row(number: int, **document: object) -> Unsent:
    return Unsent(
        "feedback", number, "modèle", {"type": "feedback", "inference_id": f"p-{number}"} | document
    )


def test_records_are_json_keyed_by_their_model_in_their_order_and_go_once() -> None:
    topic, rows = Topic(), Rows([row(1), row(2)])
    delivery = FeedbackDelivery(rows, topic, lambda: 0)
    delivery.deliver()
    delivery.deliver()
    assert [key.decode() for key, _ in topic.records] == ["modèle", "modèle"]
    assert [json.loads(value)["inference_id"] for _, value in topic.records] == ["p-1", "p-2"]
    assert (rows.left, topic.asked) == ([], 1)


@pytest.mark.parametrize("trouble", [Unavailable("no broker"), ConfigurationError("no such topic")])
def test_a_topic_that_is_away_is_asked_again_after_a_minute_and_gets_the_same(
    trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0]
    topic, rows = Topic(trouble), Rows([row(1)])
    delivery = FeedbackDelivery(rows, topic, lambda: now[0])
    for _ in range(3):
        delivery.deliver()
    assert (topic.asked, len(rows.left)) == (1, 1)
    assert caplog.text.count("does not take records") == 1
    now[0], topic.trouble = MINUTE_MS, None
    delivery.deliver()
    assert (len(topic.records), rows.left) == (1, [])


def test_a_record_that_is_too_large_for_a_topic_goes_without_its_features() -> None:
    data = encoded({"inference_id": "p-1", "features": {f"f{i}": "x" * 200 for i in range(6_000)}})
    assert json.loads(data) == {"inference_id": "p-1", "features": {}, "features_left_out": True}
    small = {"inference_id": "p-1", "features": {"word": "größer"}}
    assert json.loads(encoded(small)) == small


def test_alerts_go_first_with_a_topic_and_without() -> None:
    outbox, rows, topic = NoAlerts(), Rows([row(1)]), Topic()
    AlertsAndFeedback(outbox).deliver()
    assert (len(outbox.looked), topic.asked) == (1, 0)
    AlertsAndFeedback(outbox, feedback=FeedbackDelivery(rows, topic, lambda: 0)).deliver()
    assert (len(outbox.looked), len(topic.records)) == (2, 1)
