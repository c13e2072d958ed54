"""Dead letters are judged by today's monitors, and what decodes is appended to its own partition, once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import Engine

from service.dead_letters import replaying as module
from service.dead_letters.replaying import Choice, Replaying, Tried
from service.dead_letters.telling import Tally, prospects_of
from service.errors import Unavailable
from service.intake.limits import Limits
from service.intake.log_writer import NewRecord
from service.intake.source import Cut
from service.messages import Outcome, Partition, Reason, UnknownModels
from service.monitor import HOUR_MS, MINUTE_MS, Monitor
from service.store.configuration import apply_monitors
from service.store.dead_letters import DeadLetterFilter, list_dead_letters
from service.store.engine import transaction
from service.store.paging import Paging
from tests.fakes.appending import AppendedLog
from tests.web.seeding import NOW_MS, add_dead_letter, add_partition

pytestmark = pytest.mark.postgres

HERE = Partition("events", 0)
ALL = Choice(DeadLetterFilter())
LIMITS = Limits()


def event(number: int = 1, ts_ms: int | None = NOW_MS, model: str = "churn", **more: Any) -> bytes:
    body = {"type": "features", "model": model, "id": f"e{number}", "features": {"amount": number}} | more
    return json.dumps(body | ({} if ts_ms is None else {"ts": ts_ms})).encode()


@dataclass
class Desk:
    """A database with letters, a log, and the hands of a person over both."""

    engine: Engine
    log: AppendedLog = field(default_factory=AppendedLog)
    limits: Limits = LIMITS
    unknown_models: UnknownModels = UnknownModels.QUARANTINE

    def letter(self, offset: int, value: bytes, **changes: Any) -> None:
        """A letter as the collector writes it: 4 KiB of the value."""
        with transaction(self.engine) as connection:
            add_dead_letter(connection, offset, **{"value": value[:4_096], "size": len(value)} | changes)

    def read_so_far(self, highest_ms: int, number: int = 0) -> None:
        with transaction(self.engine) as connection:
            add_partition(connection, "events", number, highest_ms=highest_ms)

    @property
    def replaying(self) -> Replaying:
        return Replaying(self.engine, self.unknown_models, self.limits, self.log.open, self.log.open)

    def outcomes(self, choice: Choice = ALL) -> list[Outcome | None]:
        return [one.prospect.outcome if one.prospect else None for one in self.replaying.look(choice)]

    def write(self, choice: Choice = ALL) -> list[Tried]:
        return list(self.replaying.write(choice))

    def marked(self) -> list[int]:
        with transaction(self.engine) as connection:
            rows = list_dead_letters(connection, DeadLetterFilter(replayed=True), Paging(1_000)).rows
        return sorted(row.offset for row in rows)

    def values(self) -> list[bytes | None]:
        return [one.value for one in self.log.appended(HERE)]


@pytest.fixture
def desk(engine: Engine) -> Desk:
    apply_monitors(engine, [Monitor("churn", pane_ms=MINUTE_MS, allowed_lateness_ms=10 * MINUTE_MS)], [], 0)
    return Desk(engine)


# ---------------------------------------------------------------- what would become of them
def test_a_letter_of_a_model_that_has_a_monitor_now_would_be_accepted(desk: Desk) -> None:
    desk.letter(1, event(), reason="unknown_model")
    assert desk.outcomes() == [Outcome.ACCEPTED]


def test_one_that_is_still_bad_says_why(desk: Desk) -> None:
    desk.letter(1, b'{"type":')
    desk.letter(2, event(model="fraud"))
    first, second = (one.prospect for one in desk.replaying.look(ALL))
    assert first is not None
    assert second is not None
    assert (first.outcome, first.reason) == (Outcome.DEAD, Reason.BAD_JSON)
    assert (second.outcome, second.reason) == (Outcome.DEAD, Reason.UNKNOWN_MODEL)


def test_one_whose_window_is_closed_would_be_late(desk: Desk) -> None:
    #  pane |--1m--|<-- 10m lateness -->|     highest
    #  ------x--------------------------|--------o------> event time
    desk.read_so_far(NOW_MS)
    desk.letter(1, event(1, NOW_MS - 20 * MINUTE_MS))
    desk.letter(2, event(2, NOW_MS - 5 * MINUTE_MS))
    assert desk.outcomes() == [Outcome.LATE, Outcome.ACCEPTED]


def test_each_partition_has_its_own_time(desk: Desk) -> None:
    desk.read_so_far(NOW_MS, number=0)
    desk.read_so_far(NOW_MS - HOUR_MS, number=1)
    for number in (0, 1):
        desk.letter(1, event(1, NOW_MS - HOUR_MS), partition=number)
    assert desk.outcomes() == [Outcome.LATE, Outcome.ACCEPTED]


def test_two_of_the_same_id_are_one_and_a_duplicate(desk: Desk) -> None:
    for offset in (1, 2):
        desk.letter(offset, event(7))
    assert desk.outcomes() == [Outcome.ACCEPTED, Outcome.DUPLICATE]


def test_an_event_without_a_time_of_its_own_has_its_record_s(desk: Desk) -> None:
    desk.read_so_far(NOW_MS)
    desk.letter(1, event(1, None), timestamp_ms=NOW_MS - HOUR_MS)
    desk.letter(2, event(2, None), timestamp_ms=NOW_MS)
    assert desk.outcomes() == [Outcome.LATE, Outcome.ACCEPTED]


def test_models_that_are_ignored_are_still_no_events(desk: Desk) -> None:
    desk.unknown_models = UnknownModels.IGNORE
    desk.letter(1, event(model="fraud"))
    assert desk.outcomes() == [Outcome.DEAD]


def test_models_that_would_be_learned_are_accepted(desk: Desk) -> None:
    desk.unknown_models = UnknownModels.LEARN
    desk.letter(1, event(model="fraud"))
    assert desk.outcomes() == [Outcome.ACCEPTED]


def test_looking_writes_and_marks_nothing(desk: Desk) -> None:
    desk.letter(1, event())
    desk.outcomes()
    assert (desk.values(), desk.marked()) == ([], [])


# ---------------------------------------------------------------- writing
def test_what_decodes_is_appended_with_its_key_time_and_origin_and_marked(desk: Desk) -> None:
    desk.letter(5, event(), key=b"k", partition=3, timestamp_ms=NOW_MS - 5, reason="unknown_model")
    desk.letter(6, b"{", partition=3)
    tried = desk.write()
    (record,) = desk.log.appended(Partition("events", 3))
    assert record == NewRecord(
        Partition("events", 3), b"k", event(), NOW_MS - 5,
        (("__driftbell.replayed.topic", b"events"), ("__driftbell.replayed.partition", b"3"),
         ("__driftbell.replayed.offset", b"5"), ("__driftbell.replayed.reason", b"unknown_model")),
    )  # fmt: skip
    assert [one.written for one in tried] == [True, False]
    assert desk.marked() == [5]
    assert desk.log.opened == desk.log.closed == 1


def test_a_second_replay_writes_nothing_unless_told_so(desk: Desk) -> None:
    desk.letter(1, event())
    for _ in range(2):
        desk.write()
    assert desk.values() == [event()]
    desk.write(Choice(DeadLetterFilter(), again=True))
    assert desk.values() == [event()] * 2


def test_what_is_still_bad_is_written_only_when_all_is(desk: Desk) -> None:
    desk.letter(1, b"{")
    desk.write()
    assert desk.values() == []
    desk.write(Choice(DeadLetterFilter(), broken=True))
    assert (desk.values(), desk.marked()) == ([b"{"], [1])


def test_what_the_log_does_not_take_is_not_marked_and_stays_for_the_next_replay(desk: Desk) -> None:
    for offset in (1, 2):
        desk.letter(offset, event(offset))
    desk.log.refused = {event(1)}
    first, second = desk.write()
    assert (first.written, first.trouble, second.written) == (False, "the log does not take it", True)
    assert desk.marked() == [2]
    desk.log.refused = set()
    desk.write()
    assert (desk.values(), desk.marked()) == ([event(2), event(1)], [1, 2])


def test_a_log_that_is_away_leaves_everything_as_it_was(desk: Desk) -> None:
    desk.letter(1, event())
    desk.log.away = True
    with pytest.raises(Unavailable):
        desk.write()
    assert desk.marked() == []
    assert desk.log.opened == desk.log.closed
    desk.log.away = False
    assert [one.written for one in desk.write()] == [True]


def test_a_crash_between_writing_and_marking_repeats_the_record_and_loses_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.letter(1, event())
    with monkeypatch.context() as broken:
        broken.setattr(module, "mark_replayed", _crash)
        with pytest.raises(SystemExit):
            desk.write()
    desk.write()
    assert (desk.values(), desk.marked()) == ([event()] * 2, [1])


def _crash(*_: object) -> None:
    raise SystemExit(9)


def test_many_are_written_in_pieces_in_the_order_they_were_seen(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", 4)
    monkeypatch.setattr(module, "_PAGE_BYTES", 3 * len(event(0)))
    for offset in range(10):
        desk.letter(offset, event(offset))
    sizes: list[int] = []
    write = desk.log.write

    def counted(records: Sequence[NewRecord]) -> Sequence[str | None]:
        sizes.append(len(records))
        return write(records)

    monkeypatch.setattr(desk.log, "write", counted)
    desk.write()
    assert desk.values() == [event(offset) for offset in range(10)]
    assert (max(sizes), sum(sizes)) == (3, 10)


def test_letters_that_come_in_meanwhile_are_left_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 1)
    for offset in range(3):
        desk.letter(offset, b"{")
    writing = desk.replaying.write(Choice(DeadLetterFilter(), broken=True))
    for offset, _ in enumerate(islice(writing, 10)):
        desk.letter(100 + offset, b"{")  # as a collector that reads what was written does
    writing.close()
    assert len(desk.values()) == 3


def test_filters_and_a_limit_choose(desk: Desk) -> None:
    for offset in range(4):
        desk.letter(offset, event(offset), reason="bad_json" if offset else "bad_name")
    desk.write(Choice(DeadLetterFilter(reason="bad_json"), most=2))
    assert desk.marked() == [1, 2]
    desk.write(Choice(DeadLetterFilter(topic="events", partition=0, offset=3)))
    assert desk.marked() == [1, 2, 3]


def test_what_has_killed_processes_is_touched_only_when_just_that_is_asked_for(desk: Desk) -> None:
    desk.letter(1, b"", reason="kills_process", timestamp_ms=-1)  # only its place is known
    desk.log.put(1, NewRecord(HERE, b"k", event(), NOW_MS))
    assert desk.outcomes(Choice(DeadLetterFilter(), broken=True)) == []
    desk.write(Choice(DeadLetterFilter(reason="kills_process")))
    (written,) = desk.log.appended(HERE, 2)
    assert (written.key, written.value, written.timestamp_ms) == (b"k", event(), NOW_MS)


# ---------------------------------------------------------------- whole bytes
LARGE = event(1, tags={"note": "x" * 10_000})


def test_a_large_one_is_read_again_from_the_log(desk: Desk) -> None:
    desk.letter(7, LARGE, key=b"k" * 1_024)
    desk.log.put(7, NewRecord(HERE, b"k" * 2_000, LARGE, NOW_MS))
    assert [one.written for one in desk.write()] == [True]
    written = desk.log.appended(HERE, 8)[0]
    assert (written.value, written.key) == (LARGE, b"k" * 2_000)


def test_a_large_one_that_retention_took_says_so(desk: Desk) -> None:
    desk.letter(7, LARGE)
    (tried,) = desk.write(Choice(DeadLetterFilter(), broken=True))
    assert tried.trouble == (
        "offset 7 of events 0 is not in the log any more: retention took it, and only the first 4,096 of its "
        f"{len(LARGE):,} bytes are kept"
    )
    assert (desk.values(), desk.marked()) == ([], [])


@pytest.mark.parametrize(
    "other",
    [
        NewRecord(HERE, None, LARGE, NOW_MS + 1),
        NewRecord(HERE, None, LARGE + b" ", NOW_MS),
        NewRecord(HERE, None, b"y" + LARGE[1:], NOW_MS),
        NewRecord(HERE, None, None, NOW_MS),
    ],
)
def test_another_record_at_its_place_is_not_taken_for_it(desk: Desk, other: NewRecord) -> None:
    desk.letter(7, LARGE)
    desk.log.put(7, other)
    (tried,) = desk.write()
    assert tried.trouble == "offset 7 of events 0 is another record now: the topic was made anew"
    assert len(desk.values()) == 1


def test_one_that_inflates_beyond_all_bounds_is_not_taken_for_another(desk: Desk) -> None:
    desk.letter(7, b"x" * 4_096, size=2**30, reason="too_large")
    desk.log.put(7, NewRecord(HERE, None, Cut(b"x" * 4_096, 2**30), NOW_MS))
    (tried,) = desk.write(Choice(DeadLetterFilter(), broken=True))
    assert (
        tried.trouble
        == "offset 7 of events 0 is 1,073,741,824 bytes once inflated, too large to be read whole"
    )
    assert not tried.written


def test_one_that_was_too_large_is_accepted_once_the_limit_is_raised(desk: Desk) -> None:
    desk.letter(7, LARGE, reason="too_large")
    desk.log.put(7, NewRecord(HERE, None, LARGE, NOW_MS))
    desk.limits = Limits(event_bytes=9_000)
    assert desk.outcomes() == [Outcome.DEAD]
    desk.limits = Limits()
    assert desk.outcomes() == [Outcome.ACCEPTED]


# ---------------------------------------------------------------- telling
def test_one_sentence_says_what_would_become_of_all(desk: Desk) -> None:
    desk.read_so_far(NOW_MS)
    values = [
        event(1),
        event(2),
        event(2),
        event(3, NOW_MS - HOUR_MS),
        b"{",
        b"[",
        event(4, model="fraud"),
        LARGE,
    ]
    for offset, value in enumerate(values):
        desk.letter(offset, value)
    tally = Tally()
    for one in desk.replaying.look(ALL):
        tally.add(one)
    assert prospects_of(tally) == (
        "8 dead letters: 2 would be accepted, 1 is a duplicate, 1 would be late (its window is closed), "
        "2 are still bad_json, 1 is still unknown_model, 1 cannot be had whole"
    )
    assert prospects_of(Tally()) == "no dead letters"
