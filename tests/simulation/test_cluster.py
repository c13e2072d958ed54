"""What a simulated log and group do to their readers; the rest of it is in the sources' contract suite."""

from __future__ import annotations

from random import Random
from uuid import UUID

import pytest

from service.errors import Unavailable
from service.intake.source import Gap
from service.messages import Partition
from tests.simulation.cluster import Cluster, Record
from tests.simulation.group import Group
from tests.simulation.source import Killed, SimulatedSource

PLACE = Partition("events", 0)


class Installation:
    """A topic of some partitions with ten records each, and readers of it."""

    def __init__(self, partitions: int = 1, *, eager: bool = False) -> None:
        self.now_ms = 0
        self.cluster = Cluster()
        self.cluster.create("events", partitions)
        self.group = Group(self.cluster.partitions, Random(1), eager)
        for number in range(partitions):
            self.write(10, number)

    def write(self, count: int, number: int = 0) -> None:
        log = self.cluster.topics["events"].logs[number]
        log.append(*(Record(0, b"%d" % n) for n in range(log.end, log.end + count)))

    def reader(self, name: str = "one") -> SimulatedSource:
        source = SimulatedSource(self.cluster, self.group, name, Random(1), lambda: self.now_ms, ("events",))
        source.start()
        return source


def read(source: SimulatedSource, at_once: int = 100) -> list[int]:
    """The offsets of one poll."""
    return [offset for records in source.poll(0, at_once).records for offset in records.offsets.tolist()]


def begun(installation: Installation, offset: int = 0) -> SimulatedSource:
    """A reader of the first partition, from there on."""
    source = installation.reader()
    source.poll(0, 0)
    source.changes()
    source.begin(PLACE, offset)
    return source


def owned(*sources: SimulatedSource, polls: int = 3) -> list[set[int]]:
    """Which partitions each has after some polls of all."""
    for _ in range(polls):
        for source in sources:
            source.poll(0, 0)
    members = [source.member for source in sources]
    return [{p.number for p in member.owned} for member in members if member is not None]


def test_retention_shows_as_a_gap_of_exactly_what_it_took() -> None:
    installation = Installation()
    source = begun(installation, offset=2)
    installation.cluster.log(PLACE).expire(7)
    assert source.poll(0, 100).gaps == [Gap(PLACE, wanted=2, log_start=7, log_end=10)]
    assert read(source) == []
    source.begin(PLACE, 7)
    assert read(source) == [7, 8, 9]


def test_an_election_that_took_records_back_shows_where_the_logs_part_though_the_log_has_grown_again() -> (
    None
):
    # old leader 0 1 2 3 4 5 6 7 8 9|        new leader 0 1 2 3 4 5|6' ... 15'|
    installation = Installation()
    source = begun(installation)
    assert read(source) == list(range(10))
    installation.cluster.log(PLACE).truncate(6)
    installation.write(10)
    assert source.poll(0, 100).gaps == [Gap(PLACE, wanted=10, log_start=0, log_end=6)]
    source.begin(PLACE, 6)
    assert read(source) == list(range(6, 16))


def test_a_reader_that_has_only_sought_does_not_know_of_an_election() -> None:
    """As in Kafka, where a position without a leader epoch cannot be checked."""
    installation = Installation()
    source = begun(installation, offset=10)
    installation.cluster.log(PLACE).truncate(6)
    installation.write(10)
    assert read(source) == [10, 11, 12, 13, 14, 15]


def test_a_topic_made_anew_has_another_identity_and_other_records() -> None:
    installation = Installation()
    source = begun(installation)
    assert source.topic_id("events") == UUID(int=1)
    installation.cluster.create("events", 1)
    assert source.topic_id("events") == UUID(int=2)
    assert source.bounds(PLACE).end == 0


def test_holes_are_skipped_and_the_bounds_know_nothing_of_them() -> None:
    installation = Installation()
    log = installation.cluster.log(PLACE)
    log.leave_holes(3)
    installation.write(1)
    log.leave_holes(2)
    log.compact(4)
    assert read(begun(installation)) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 13]
    assert (log.read_to_end_at, log.end) == (14, 16)


def test_a_stalled_partition_brings_nothing_for_so_long() -> None:
    installation = Installation()
    source = begun(installation)
    installation.cluster.log(PLACE).stalled_until_ms = 5_000
    assert read(source) == []
    installation.now_ms = 5_000
    assert read(source) == list(range(10))


def test_a_slow_fetch_brings_few_records_at_once_and_all_of_them_in_the_end() -> None:
    source = begun(Installation())
    source.most_at_once = 3
    polls = [read(source) for _ in range(40)]
    assert max(map(len, polls)) == 3
    assert [offset for poll in polls for offset in poll] == list(range(10))


def test_a_log_that_is_away_answers_nothing_and_a_shy_one_hands_over_only() -> None:
    installation = Installation()
    source = begun(installation)
    installation.cluster.shy = True
    with pytest.raises(Unavailable):
        source.bounds(PLACE)
    assert read(source, at_once=4) == [0, 1, 2, 3]
    installation.cluster.away = True
    with pytest.raises(Unavailable):
        source.poll(0, 100)


def test_a_killer_kills_who_polls_it_and_nobody_before() -> None:
    installation = Installation()
    installation.cluster.log(PLACE).append(Record(0, b"", kills=True))
    source = begun(installation)
    assert read(source, at_once=10) == list(range(10))
    with pytest.raises(Killed):
        source.poll(0, 1)


def test_a_cooperative_group_takes_away_only_what_moves() -> None:
    installation = Installation(partitions=4)
    first = installation.reader("first")
    assert owned(first) == [{0, 1, 2, 3}]
    first.changes()
    second = installation.reader("second")
    mine, yours = owned(first, second)
    assert mine | yours == {0, 1, 2, 3}
    assert len(mine) == len(yours) == 2
    assert {p.number for p in first.changes().revoked} == yours


def test_an_eager_group_gives_nothing_out_before_all_have_let_go() -> None:
    installation = Installation(partitions=2, eager=True)
    first = installation.reader("first")
    owned(first)
    first.changes()
    second = installation.reader("second")
    second.poll(0, 0)
    assert not second.changes()
    owned(first, second)
    gone = first.changes()
    assert {p.number for p in gone.revoked} == {0, 1}
    assert len(gone.assigned) == len(second.changes().assigned) == 1


def test_a_new_partition_is_given_to_somebody() -> None:
    installation = Installation()
    source = begun(installation)
    installation.cluster.grow("events")
    assert owned(source) == [{0, 1}]


def test_a_zombie_goes_on_with_what_was_its_own_until_it_hears_that_it_lost_it() -> None:
    installation = Installation()
    zombie = begun(installation)
    assert zombie.member is not None
    zombie.member.deaf = True
    installation.group.leave(zombie.member)
    heir = installation.reader("heir")
    assert owned(heir) == [{0}]
    assert read(zombie, at_once=5) == [0, 1, 2, 3, 4]
    zombie.member.deaf = False
    assert read(zombie) == []
    assert zombie.changes().lost == {PLACE}


def test_who_died_keeps_its_partitions_until_its_session_ends() -> None:
    installation = Installation()
    dead = begun(installation)
    heir = installation.reader("heir")
    assert owned(heir) == [set()]
    assert dead.member is not None
    installation.group.leave(dead.member)
    assert owned(heir) == [{0}]
