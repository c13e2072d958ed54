"""Dead letters are listed, counted and found, thinned by number, and replayed by one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, insert, select, update

from service.errors import Unavailable
from service.messages import FilterKey, Partition, Stream
from service.monitor import DAY_MS
from service.store import retention as module
from service.store.dead_letters import (
    CountBy,
    DeadLetterFilter,
    count_dead_letters,
    counted_so_far,
    find_dead_letter,
    list_dead_letters,
    mark_replayed,
    newest_dead_letter,
    only_one_replay,
)
from service.store.engine import transaction
from service.store.paging import Paging
from service.store.retention import Retention, apply_retention
from service.store.tables import dead_letter, pane_ids
from tests.web.seeding import NOW_MS, add_dead_letter, add_partition

pytestmark = pytest.mark.postgres

ALL = Paging(1_000)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with transaction(engine) as connection:
        yield connection


def offsets(connection: Connection, **wanted: Any) -> list[int]:
    return [r.offset for r in list_dead_letters(connection, DeadLetterFilter(**wanted), ALL).rows]


def seen(connection: Connection, offset: int, at: datetime) -> None:
    connection.execute(update(dead_letter).where(dead_letter.c.offset == offset).values(seen_at=at))


# ---------------------------------------------------------------- reading
def test_filters_of_dead_letters_and_their_counts_agree(connection: Connection) -> None:
    for offset in range(6):
        reason = "too_large" if offset < 2 else "bad_json"
        add_dead_letter(connection, offset, partition=offset % 2, reason=reason)
    wanted = DeadLetterFilter(topic="events", partition=1)
    counts = count_dead_letters(connection, wanted)
    assert offsets(connection, topic="events", partition=1) == [5, 3, 1]
    assert [(one.name, one.count) for one in counts] == [("bad_json", 2), ("too_large", 1)]
    assert offsets(connection, reason="too_large") == [1, 0]
    assert offsets(connection, offset=4) == [4]
    assert offsets(connection, topic="none") == []


def test_they_are_counted_by_reason_topic_and_hour_with_the_last_of_each(connection: Connection) -> None:
    hours = [datetime(2026, 11, 22, hour, 30, tzinfo=UTC) for hour in (4, 4, 5, 6)]
    for offset, (at, topic) in enumerate(zip(hours, "abbb", strict=True)):
        add_dead_letter(connection, offset, topic=topic, reason="bad_name" if offset == 2 else "bad_json")
        seen(connection, offset, at)

    def counted(by: CountBy) -> list[tuple[str, int, int]]:
        found = count_dead_letters(connection, DeadLetterFilter(), by)
        return [(one.name, one.count, one.last_seen_at.astimezone(UTC).hour) for one in found]

    assert counted(CountBy.REASON) == [("bad_json", 3, 6), ("bad_name", 1, 5)]
    assert counted(CountBy.TOPIC) == [("b", 3, 6), ("a", 1, 4)]
    assert counted(CountBy.HOUR) == [
        ("2026-11-22T04:00Z", 2, 4), ("2026-11-22T05:00Z", 1, 5), ("2026-11-22T06:00Z", 1, 6),
    ]  # fmt: skip


def test_since_is_after_and_until_includes(connection: Connection) -> None:
    for offset in range(3):
        add_dead_letter(connection, offset)
        seen(connection, offset, datetime.fromtimestamp(NOW_MS / 1000 + offset, UTC))
    assert offsets(connection, since_ms=NOW_MS, until_ms=NOW_MS + 1_000) == [1]


def test_one_is_found_by_its_place(connection: Connection) -> None:
    add_dead_letter(connection, 7, partition=3, value=b"\x00\xff")
    found = find_dead_letter(connection, Partition("events", 3), 7)
    assert found is not None
    assert (found.value, found.replayed_at) == (b"\x00\xff", None)
    assert find_dead_letter(connection, Partition("events", 4), 7) is None


def test_the_oldest_come_first_where_that_is_asked_and_none_after_the_newest_known(
    connection: Connection,
) -> None:
    for offset in range(4):
        add_dead_letter(connection, offset)
    newest = newest_dead_letter(connection)
    add_dead_letter(connection, 9)
    chunk = list_dead_letters(connection, DeadLetterFilter(last_id=newest), Paging(3), oldest_first=True)
    rest = list_dead_letters(
        connection, DeadLetterFilter(last_id=newest), Paging(3, chunk.next), oldest_first=True
    )
    assert [r.offset for r in (*chunk.rows, *rest.rows)] == [0, 1, 2, 3]


def test_there_may_be_none_at_all(connection: Connection) -> None:
    assert newest_dead_letter(connection) == 0
    assert count_dead_letters(connection, DeadLetterFilter()) == ()
    assert count_dead_letters(connection, DeadLetterFilter(), CountBy.HOUR) == ()


# ---------------------------------------------------------------- retention
def forever(kept: int) -> Retention:
    return Retention(1_000 * DAY_MS, 1_000 * DAY_MS, 1_000 * DAY_MS, kept)


def left(engine: Engine) -> dict[str, list[int]]:
    with transaction(engine) as connection:
        rows = connection.execute(
            select(dead_letter.c.topic, dead_letter.c.offset).order_by(dead_letter.c.id)
        )
        found: dict[str, list[int]] = {}
        for topic, offset in rows:
            found.setdefault(topic, []).append(offset)
        return found


def test_of_each_topic_the_oldest_beyond_a_number_go_and_that_is_said(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction(engine) as connection:
        for offset in range(12):
            add_dead_letter(connection, offset, topic="poisoned", partition=offset % 3)
            add_dead_letter(connection, offset, topic="quiet" if offset < 2 else "full", partition=0)
    apply_retention(engine, forever(10), NOW_MS)
    assert left(engine) == {"poisoned": list(range(2, 12)), "quiet": [0, 1], "full": list(range(2, 12))}
    assert "topic poisoned has more than 10 dead letters" in caplog.text
    assert "dropped 2 of the oldest" in caplog.text
    assert "topic full" not in caplog.text


def test_a_flood_goes_over_several_turns_the_most_crowded_topic_first(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 5)
    monkeypatch.setattr(module, "_ROUNDS", 3)
    with transaction(engine) as connection:
        for offset in range(30):
            add_dead_letter(connection, offset, topic="a" if offset < 8 else "b")
    counts = []
    for _ in range(2):
        apply_retention(engine, forever(2), NOW_MS)
        counts.append({topic: len(kept) for topic, kept in left(engine).items()})
    assert counts == [{"a": 8, "b": 7}, {"a": 2, "b": 2}]


# ---------------------------------------------------------------- replaying
def test_what_was_replayed_is_marked_and_can_be_left_out(engine: Engine) -> None:
    with transaction(engine) as connection:
        for offset in range(3):
            add_dead_letter(connection, offset)
        ids = {r.offset: r.id for r in list_dead_letters(connection, DeadLetterFilter(), ALL).rows}
    mark_replayed(engine, [ids[0], ids[2]])
    with transaction(engine) as connection:
        assert offsets(connection, replayed=True) == [2, 0]
        assert offsets(connection, replayed=False) == [1]


def test_only_one_replays_at_a_time(engine: Engine) -> None:
    with only_one_replay(engine), pytest.raises(Unavailable, match="being replayed"), only_one_replay(engine):
        pass
    with only_one_replay(engine):  # the first one has left
        pass


def test_a_replay_that_fails_lets_the_next_one_in(engine: Engine) -> None:
    def fail() -> None:
        with only_one_replay(engine):
            raise RuntimeError("away")

    with pytest.raises(RuntimeError):
        fail()
    with only_one_replay(engine):
        pass


def test_what_a_partition_has_counted_is_its_highest_time_and_the_ids_of_panes_in_reach(
    engine: Engine,
) -> None:
    key = {"model": "churn", "stream": "inference"}
    with transaction(engine) as connection:
        add_partition(connection, "events", 0, highest_ms=NOW_MS)
        add_partition(connection, "events", 1, highest_ms=None)
        for start_ms, hashes in ((NOW_MS - 60_000, [7, 8]), (NOW_MS - 60_001, [9])):
            row = {"topic": "events", "partition": 0, **key, "start_ms": start_ms, "next_offset": 1}
            data = np.array(hashes, "<u8").tobytes()
            connection.execute(insert(pane_ids).values(**row, hashes=data))
        counted = counted_so_far(connection, Partition("events", 0), 60_000)
        unread = [counted_so_far(connection, Partition("events", number), 60_000) for number in (1, 2)]
    assert counted.highest_ms == NOW_MS
    assert [h.tolist() for h in counted.ids[FilterKey("churn", Stream.INFERENCE, NOW_MS - 60_000)]] == [
        [7, 8]
    ]
    assert len(counted.ids) == 1
    assert [(one.highest_ms, one.ids) for one in unread] == [(None, {}), (None, {})]
