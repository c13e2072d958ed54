"""The parts that both Kafka sources share: ownership, the stall watch, settings, and the fast decoder."""

from __future__ import annotations

import pytest
from kafka.record import MemoryRecords
from kafka.record.memory_records import MemoryRecordsBuilder

from service.errors import ConfigurationError, Unavailable
from service.intake import confluent
from service.intake.kafka_batch import decode_rows
from service.intake.kafka_problems import check_topics
from service.intake.kafka_settings import KafkaSettings
from service.intake.ownership import Ownership
from service.intake.source import Assignment
from service.intake.stall import StallWatch
from service.messages import Partition

A, B = Partition("t", 0), Partition("t", 1)


def test_a_partition_that_came_and_went_between_two_looks_was_never_there() -> None:
    """The collector hears only what it must act on."""
    ownership = Ownership()
    ownership.assign([A, B])
    ownership.revoke([A])
    assert ownership.take() == Assignment(assigned=frozenset({B}))
    assert not ownership.take()


def test_a_partition_taken_away_and_given_again_is_in_both_sets() -> None:
    """Its place in the log must come from the database again."""
    ownership = Ownership()
    ownership.assign([A])
    ownership.take()
    ownership.begin(A, 5)
    ownership.revoke([A])
    ownership.assign([A])
    assert ownership.take() == Assignment(assigned=frozenset({A}), revoked=frozenset({A}))
    assert ownership.next_offset(A) is None


def test_lost_partitions_are_told_apart_from_revoked_ones() -> None:
    """Lost ones are somebody else's already."""
    ownership = Ownership()
    ownership.assign([A, B])
    ownership.take()
    ownership.revoke([A])
    ownership.lose_all()
    assert ownership.take() == Assignment(revoked=frozenset({A}), lost=frozenset({B}))
    assert not ownership.begin(B, 0)


def test_records_from_before_a_seek_do_not_move_the_new_place() -> None:
    """The seek wins."""
    ownership = Ownership()
    ownership.assign([A])
    ownership.begin(A, 100)
    ownership.advance(A, expected=7, offset=9)
    assert ownership.next_offset(A) == 100


def test_a_partition_whose_topic_is_gone_stays_until_it_is_ended() -> None:
    """Else nobody would be left to say what has happened to it."""
    ownership = Ownership()
    ownership.assign([A, B])
    ownership.take()
    ownership.begin(A, 5)
    ownership.orphan([A, B])
    assert ownership.take() == Assignment(
        revoked=frozenset({B})
    )  # nobody had begun it: there is nothing to say
    assert ownership.orphaned_at(A) == 5
    assert not ownership.begin(A, 0)
    assert ownership.begun() == {}
    ownership.end(A)
    assert ownership.take() == Assignment(revoked=frozenset({A}))
    assert ownership.orphaned_at(A) is None


def test_a_topic_that_comes_back_goes_to_whom_the_group_gives_it() -> None:
    """Given to us again it is claimed anew; given to somebody else it is theirs."""
    for given in ([A], []):
        ownership = Ownership()
        ownership.assign([A])
        ownership.take()
        ownership.begin(A, 5)
        ownership.orphan([A])
        ownership.assign(given)
        ownership.free(A.topic)
        assert ownership.take() == Assignment(assigned=frozenset(given), revoked=frozenset({A}))
        assert ownership.orphaned_at(A) is None


def test_a_membership_that_is_lost_takes_orphans_with_it() -> None:
    """A client that is made anew begins with nothing."""
    ownership = Ownership()
    ownership.assign([A])
    ownership.take()
    ownership.begin(A, 5)
    ownership.orphan([A])
    ownership.lose_all()
    assert ownership.take() == Assignment(lost=frozenset({A}))
    assert ownership.orphaned_at(A) is None


def test_only_a_lag_without_progress_is_a_stall() -> None:
    """Seconds:  0        50            61             130
    position    5 of 9   6 of 9        6 of 9         6 of 9
                         ^ progress    (11 s: fine)   ^ stalled for 80 s
    """
    watch = StallWatch(limit_seconds=60)
    assert not watch.is_stalled(0, {A: (5, 9)})
    assert not watch.is_stalled(50, {A: (6, 9)})
    assert not watch.is_stalled(61, {A: (6, 9)})
    assert watch.is_stalled(130, {A: (6, 9)})


def test_a_partition_at_its_end_never_stalls() -> None:
    """Silence is not a stall."""
    watch = StallWatch(limit_seconds=60)
    assert not any(watch.is_stalled(now, {A: (9, 9)}) for now in (0, 100, 1000))


def test_fruitless_restarts_become_rarer() -> None:
    """An open transaction holds a reader back for long without any fault."""
    watch = StallWatch(limit_seconds=60)
    watch.is_stalled(0, {A: (5, 9)})
    assert watch.is_stalled(61, {A: (5, 9)})
    watch.restart()
    watch.is_stalled(62, {A: (5, 9)})
    assert not watch.is_stalled(130, {A: (5, 9)})
    assert watch.is_stalled(190, {A: (5, 9)})


def test_all_mistakes_in_the_settings_are_told_at_once() -> None:
    """Nobody likes to be told one a day."""
    with pytest.raises(ConfigurationError) as caught:
        KafkaSettings(" ", topics=(), group_id="", security={"sasl.pasword": "x"})
    assert len(caught.value.problems) == 4


def test_security_options_are_translated_and_kept_out_of_sight() -> None:
    """One vocabulary for both clients."""
    security = {"sasl.password": "secret", "ssl.ca.location": "ca.pem"}
    settings = KafkaSettings("h:1", topics=("t",), group_id="g", security=security)
    assert settings.kafka_python_security() == {"sasl_plain_password": "secret", "ssl_cafile": "ca.pem"}
    assert "secret" not in repr(settings)


def test_no_option_turns_the_check_of_host_names_off() -> None:
    """A certificate for another host is as good as none."""
    with pytest.raises(ConfigurationError, match=r"Unknown Kafka security options ssl\.endpoint"):
        KafkaSettings("h:1", ("t",), "g", security={"ssl.endpoint.identification.algorithm": "none"})


def test_each_bad_topic_has_its_sentence() -> None:
    """What a person must do, all at once; a broker that is not ready is no mistake."""
    with pytest.raises(ConfigurationError, match=r"no topic 'a'.*\n.*legal.*\n.*grant"):
        check_topics({"a": 3, "b": 17, "c": 29, "d": 0})
    with pytest.raises(Unavailable):
        check_topics({"a": 5})


def test_the_fast_client_names_its_extra_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default needs no extra."""
    monkeypatch.setattr(confluent, "INSTALLED", False)
    with pytest.raises(ConfigurationError, match=r"pip install 'driftbell\[fast\]'"):
        confluent.ConfluentSource(KafkaSettings("h:1", topics=("t",), group_id="g"))


@pytest.mark.parametrize("compression", range(5))
def test_the_fast_decoder_agrees_with_the_clients_own(compression: int) -> None:
    """Numbers of every length, nothing and emptiness, headers, holes."""
    builder = MemoryRecordsBuilder(2, compression, 1 << 24, offset=3)
    sizes = [0, 1, 63, 64, 127, 128, 8191, 8192, 70_000]
    for at, size in enumerate(sizes):
        key = b"k" * size if at % 2 else None
        builder.append(1_795_305_072_000 + (-5) ** at, key, b"v" * size, [("h", b"x" * size)])
        builder.skip(size)
    builder.append(0, b"key", None)
    builder.append(1 << 62, None, b"")
    builder.close()
    mine = decode_rows(MemoryRecords(builder.buffer()).next_batch())
    theirs = [(r.offset, r.timestamp, r.key, r.value) for r in MemoryRecords(builder.buffer()).next_batch()]
    assert mine == theirs
    assert len(mine) == len(sizes) + 2
