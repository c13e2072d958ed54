"""What waits to be sent, until it was."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, insert, text

from service.store.engine import transaction
from service.store.outbox import Outbox
from service.store.tables import outbox

pytestmark = pytest.mark.postgres


@pytest.fixture
def waiting(engine: Engine) -> Outbox:
    with transaction(engine) as connection:
        for number in range(25):
            connection.execute(
                insert(outbox).values(alert_id=f"a-{number}", state="firing", message={"n": number})
            )
    return Outbox(engine)


def test_the_oldest_come_first_and_few_at_a_time(waiting: Outbox) -> None:
    assert [one.message["n"] for one in waiting.waiting()] == list(range(10))
    assert len(waiting.waiting(100)) == 25


def test_what_was_delivered_waits_no_more(waiting: Outbox) -> None:
    for one in waiting.waiting(20):
        waiting.delivered(one)
    assert [one.message["n"] for one in waiting.waiting()] == [20, 21, 22, 23, 24]


def test_what_failed_stays_first_and_counts_its_attempts(waiting: Outbox) -> None:
    for _ in range(3):
        waiting.failed(waiting.waiting()[0])
    assert (waiting.waiting()[0].message["n"], waiting.waiting()[0].attempts) == (0, 3)


def test_a_delivered_message_says_when(engine: Engine, waiting: Outbox) -> None:
    waiting.delivered(waiting.waiting()[0])
    with transaction(engine) as connection:
        assert (
            connection.execute(
                text("SELECT count(*) FROM outbox WHERE delivered_at <= now() AND attempts = 1")
            ).scalar_one()
            == 1
        )
