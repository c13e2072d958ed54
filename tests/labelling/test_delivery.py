"""Records go into the feedback topic at least once, in order, and a topic that is away holds nobody up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from service.errors import ConfigurationError, DriftbellError, TooLarge, Unavailable
from service.labelling.delivery import AlertsAndFeedback, FeedbackDelivery, Unsent

MINUTE_MS = 60_000


@dataclass
class Rows:
    """A queue in memory."""

    left: list[Unsent] = field(default_factory=list)
    aside: list[Unsent] = field(default_factory=list)

    def unsent(self, most: int) -> Sequence[Unsent]:
        return self.left[:most]

    def sent(self, rows: Sequence[Unsent]) -> None:
        self.left = [one for one in self.left if one not in rows]

    def refused(self, rows: Sequence[Unsent]) -> None:
        self.aside += rows
        self.sent(rows)


@dataclass
class Topic:
    """A topic that may be away, or have records of some size and so many at a time only."""

    trouble: Exception | None = None
    records: list[tuple[bytes, bytes]] = field(default_factory=list)
    asked: int = 0
    largest: int = 10**9
    most: int = 10**9

    def write(self, records: Sequence[tuple[bytes, bytes]]) -> list[DriftbellError | None]:
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return [self.take(at, one) for at, one in enumerate(records)]

    def take(self, at: int, record: tuple[bytes, bytes]) -> DriftbellError | None:
        if at >= self.most:
            return Unavailable("no time left")
        if len(record[1]) > self.largest:
            return TooLarge("no record of that size")
        self.records.append(record)
        return None

    @property
    def ids(self) -> list[str]:
        return [json.loads(value)["inference_id"] for _, value in self.records]


@dataclass
class NoAlerts:
    """An outbox that somebody looks into."""

    looked: list[int] = field(default_factory=list)

    def waiting(self, most: int = 100) -> list[Unsent]:
        self.looked.append(most)
        return []

    def hold_what_is_silent(self) -> list[Unsent]:
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


def test_what_was_confirmed_is_not_sent_again_and_the_rest_is(caplog: pytest.LogCaptureFixture) -> None:
    now = [0]
    topic, rows = Topic(most=2), Rows([row(number) for number in range(5)])
    delivery = FeedbackDelivery(rows, topic, lambda: now[0])
    for _ in range(3):
        delivery.deliver()
        now[0] += MINUTE_MS
    assert topic.ids == [f"p-{number}" for number in range(5)]
    assert rows.left == []
    assert caplog.text.count("no time left; trying again in a minute") == 2


def test_wide_rows_are_sent_a_few_at_a_time() -> None:
    topic, rows = Topic(), Rows([row(number, features={"word": "x" * 1_500_000}) for number in range(5)])
    rows.left.append(row(5, features={"word": "x" * 5_000_000}))
    delivery = FeedbackDelivery(rows, topic, lambda: 0)
    sent = []
    while rows.left:
        delivery.deliver()
        sent.append(len(topic.records))
    assert sent == [2, 4, 5, 6]


def test_a_record_that_is_too_large_for_the_topic_goes_without_its_features_and_holds_nothing_up() -> None:
    wide = {"features": {"word": "größer" * 100}}
    topic, rows = Topic(largest=200), Rows([row(1), row(2, **wide), row(3, features={"word": "größer"})])
    FeedbackDelivery(rows, topic, lambda: 0).deliver()
    assert (topic.ids, rows.left, rows.aside) == (["p-1", "p-3", "p-2"], [], [])
    _, small, large = (json.loads(value) for _, value in topic.records)
    assert small["features"] == {"word": "größer"}
    assert large == {"type": "feedback", "inference_id": "p-2", "features": {}, "features_left_out": True}


def test_a_record_that_is_too_large_even_so_is_set_aside_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    topic, rows = Topic(largest=200), Rows([row(1, answer={"label": "x" * 300}, features={"a": 1.0}), row(2)])
    delivery = FeedbackDelivery(rows, topic, lambda: 0)
    for _ in range(2):
        delivery.deliver()
    assert (topic.ids, rows.left, [one.id for one in rows.aside]) == (["p-2"], [], [1])
    assert caplog.text.count("the feedback topic will not have feedback 1 of modèle: it is too large") == 1


def test_alerts_go_first_with_a_topic_and_without() -> None:
    outbox, rows, topic = NoAlerts(), Rows([row(1)]), Topic()
    AlertsAndFeedback(outbox).deliver()
    assert (len(outbox.looked), topic.asked) == (1, 0)
    AlertsAndFeedback(outbox, feedback=FeedbackDelivery(rows, topic, lambda: 0)).deliver()
    assert (len(outbox.looked), len(topic.records)) == (2, 1)
