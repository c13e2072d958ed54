"""However many dead letters there are, a page of them is read through an index."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from service.store.dead_letters import DeadLetterFilter, list_dead_letters
from service.store.engine import transaction
from service.store.paging import Paging

pytestmark = pytest.mark.postgres

MANY = 100_000

# Three topics of eight partitions; the rare reason stands at every ten-thousandth.
FILL = """
    INSERT INTO dead_letter (topic, partition, "offset", timestamp_ms, key, value, size, reason, detail, seen_at)
    SELECT 'topic-' || n % 3, n % 8, n, n, '', '{', 1,
        CASE WHEN n % 10000 = 0 THEN 'too_wide' ELSE 'bad_json' END, '', now() - (:many - n) * interval '1 second'
    FROM generate_series(1, :many) AS n
"""


@pytest.fixture(scope="module")
def many(migrated: Engine) -> Engine:
    with transaction(migrated) as connection:
        connection.execute(text(FILL), {"many": MANY})
        connection.execute(text("ANALYZE dead_letter"))
    return migrated


HOUR_AGO = {"since_ms": "an hour ago"}
PAGES: dict[str, dict[str, Any]] = {
    "all": {},
    "a topic": {"topic": "topic-1"},
    "a partition": {"topic": "topic-1", "partition": 1},
    "a topic that is none": {"topic": "none"},
    "a common reason": {"reason": "bad_json"},
    "a rare reason": {"reason": "too_wide"},
    "a rare reason of a topic": {"topic": "topic-1", "reason": "too_wide"},
    "the last hour": HOUR_AGO,
    "one": {"topic": "topic-1", "partition": 1, "offset": 1},
    "not replayed": {"replayed": False},
}


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_very_many_is_read_through_an_index(many: Engine, page: str, oldest_first: bool) -> None:
    wanted = PAGES[page]
    if wanted is HOUR_AGO:
        wanted = {"since_ms": round(datetime.now(UTC).timestamp() * 1000) - 3_600_000}
    statements: list[tuple[str, Any]] = []

    def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    event.listen(many, "before_cursor_execute", remember)
    try:
        with transaction(many) as connection:
            list_dead_letters(
                connection, DeadLetterFilter(**wanted), Paging(100, (MANY // 2,)), oldest_first=oldest_first
            )
            statement, parameters = statements[-1]
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())
    finally:
        event.remove(many, "before_cursor_execute", remember)
    assert "Seq Scan" not in plan, plan
    assert "Index" in plan


def test_all_pages_together_are_all_of_them_once(many: Engine) -> None:
    wanted, found, paging = DeadLetterFilter(topic="topic-1", partition=1), [], Paging(1_000)
    with transaction(many) as connection:
        while True:
            chunk = list_dead_letters(connection, wanted, paging)
            found += [r.offset for r in chunk.rows]
            if chunk.next is None:
                break
            paging = Paging(1_000, chunk.next)
    expected = [n for n in range(MANY, 0, -1) if n % 3 == 1 and n % 8 == 1]
    assert found == expected
