"""A log that can be read more than once, in the order of its times."""

from __future__ import annotations

import json

from service.injection.log import NO_TIME_MS, ReaderLog
from tests.fakes.log_reader import FakeLogReader
from tests.fakes.source import FakeLog
from tests.injection.logs import MINUTE, START_MS, row


def written(*minutes: int) -> list[bytes | None]:
    """Events of these minutes."""
    return [json.dumps(row(minute)).encode() for minute in minutes]


def reading(log: FakeLog, until_ms: int | None = None) -> ReaderLog:
    """The log as faults read it."""
    return ReaderLog(lambda: FakeLogReader(log), "events", until_ms)


# partition 0   0   2 3       7
# partition 1     1     5 4       (4 came after 5 and stays there)
def test_partitions_are_read_in_the_order_of_their_times_and_each_keeps_its_own() -> None:
    log = FakeLog(partitions=2)
    log.append(written(0, 2, 3, 7), [-1] * 4, 0)
    log.append(written(1, 5, 4), [-1] * 3, 1)
    assert [(r.ts_ms - START_MS) // MINUTE for r in reading(log)()] == [0, 1, 2, 3, 5, 4, 7]


def test_a_topic_that_grows_ends_at_a_time_of_its_own_and_then_where_it_ended() -> None:
    log = FakeLog()
    log.append(written(0, 1, 2, 3), [100, 200, 300, 100])
    topic = reading(log, until_ms=250)
    assert len(list(topic())) == 2
    topic.until_ms = 1_000
    assert len(list(topic())) == 2


def test_a_pass_that_was_not_finished_says_nothing_of_the_end() -> None:
    log = FakeLog()
    log.append(written(0, 1), [100, 200])
    topic = reading(log, until_ms=1_000)
    next(topic())
    log.append(written(2), [300])
    assert len(list(topic())) == 3


def test_what_retention_took_is_not_waited_for() -> None:
    log = FakeLog()
    log.append(written(0, 1, 2), [-1] * 3)
    log.expire(2)
    assert len(list(reading(log)())) == 1


def test_an_event_without_a_time_has_that_of_the_log_and_what_is_no_event_has_none() -> None:
    log = FakeLog()
    log.append([b'{"type":"label","model":"m"}', b"no json", None], [START_MS, START_MS, START_MS])
    label, junk = reading(log)()
    assert label.ts_ms == START_MS
    assert (junk.ts_ms, junk.head.model, junk.value) == (NO_TIME_MS, "", b"no json")


def test_every_reader_is_closed() -> None:
    log, made = FakeLog(partitions=2), []
    log.append(written(0), [-1])

    def reader() -> FakeLogReader:
        made.append(FakeLogReader(log))
        return made[-1]

    list(ReaderLog(reader, "events")())
    assert len(made) == 3
    assert all(one.closed for one in made)
