"""What was chosen waits for the topic, oldest first, until the topic has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from service.labelling.delivery import encoded
from service.store.engine import connect, transaction
from service.store.feedback import FeedbackFilter, FeedbackQueue, list_feedback
from service.store.migrate import migrate
from service.store.paging import Paging
from service.store.tables import feedback, retraining

pytestmark = pytest.mark.postgres

END_MS = 1_795_305_600_000


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = connect(database)
    migrate(made)
    yield made
    made.dispose()


def chosen(engine: Engine, inference_id: str, **changes: Any) -> None:
    row = {
        "model": "churn", "version": "7", "window": "1h", "end_ms": END_MS, "kind": "uncertain",
        "inference_id": inference_id, "ts_ms": END_MS - 1_000, "features": {"amount": 2.5, "note": None},
        "answer": {"label": "yes", "score": 0.5}, "value": 0.75, "why": "its score is 0.5, where 0.4 decides",
    }  # fmt: skip
    with transaction(engine) as connection:
        connection.execute(insert(feedback).values(row | changes))


def advised(engine: Engine) -> None:
    row = {
        "model": "churn", "version": "7", "alert_id": "a-1", "incident": "i-1", "cause": "concept_drift",
        "since_ms": END_MS - 10, "at_ms": END_MS, "summary": "train", "labels": 3,
        "spans": [{"from_ms": 1, "until_ms": 2, "labels": 3}],
    }  # fmt: skip
    with transaction(engine) as connection:
        connection.execute(insert(retraining).values(row))


def test_rows_and_advice_wait_until_they_are_sent(engine: Engine) -> None:
    for name in ("p-1", "p-2", "p-3"):
        chosen(engine, name)
    advised(engine)
    queue = FeedbackQueue(engine)
    first = queue.unsent(2)
    assert [one.document["inference_id"] for one in first] == ["p-1", "p-2"]
    queue.sent(first)
    rest = queue.unsent(10)
    assert [(one.kind, one.document["type"]) for one in rest] == [
        ("feedback", "feedback"),
        ("retraining", "retraining"),
    ]
    queue.sent(rest)
    assert queue.unsent(10) == []
    with transaction(engine) as connection:
        assert all(row.sent_at for row in list_feedback(connection, FeedbackFilter(), Paging()).rows)


def test_what_the_topic_refuses_waits_no_more_and_says_so(engine: Engine) -> None:
    chosen(engine, "p-1")
    chosen(engine, "p-2")
    advised(engine)
    queue = FeedbackQueue(engine)
    first, _, advice = queue.unsent(10)
    queue.refused([first, advice])
    assert [one.document["inference_id"] for one in queue.unsent(10)] == ["p-2"]
    with transaction(engine) as connection:
        second, refused = list_feedback(connection, FeedbackFilter(), Paging()).rows
    assert (second.refused_at, refused.sent_at) == (None, None)
    assert refused.refused_at


def test_a_record_says_what_to_label_and_why(engine: Engine) -> None:
    chosen(engine, "p-1")
    advised(engine)
    row, advice = FeedbackQueue(engine).unsent(10)
    assert row.document == {
        "type": "feedback", "id": row.id, "model": "churn", "version": "7", "window": "1h", "end_ms": END_MS,
        "kind": "uncertain", "inference_id": "p-1", "ts_ms": END_MS - 1_000, "features": {"amount": 2.5, "note": None},
        "features_left_out": False, "answer": {"label": "yes", "score": 0.5}, "value": 0.75,
        "why": "its score is 0.5, where 0.4 decides", "ts": "2026-11-21T23:59:59Z", "end": "2026-11-22T00:00:00Z",
    }  # fmt: skip
    assert (advice.document["spans"], advice.document["at"]) == (
        [{"from_ms": 1, "until_ms": 2, "labels": 3}],
        "2026-11-22T00:00:00Z",
    )
    assert encoded(row.document)
    assert encoded(advice.document)


def test_a_prediction_is_asked_for_once(engine: Engine) -> None:
    chosen(engine, "p-1")
    with pytest.raises(Exception, match="feedback_once"):
        chosen(engine, "p-1")
    chosen(engine, "p-1", model="fraud")
