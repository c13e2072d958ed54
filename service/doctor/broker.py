"""The broker, judged: topics that are there, may be read, and keep their records for long enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.doctor.check import Check, failure, not_checked, warning, well
from service.doctor.phrasing import lasting
from service.intake.topic_survey import FOR_EVER
from service.plurals import counted

if TYPE_CHECKING:
    from service.intake.topic_survey import BrokerSeen, TopicSeen


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the broker: topics to read, topics to write to, and the times that monitors wait.

    The times are None where the monitors are not known.
    """

    protocol: str
    group: str
    read: Sequence[str]
    written: Sequence[str] = ()
    lateness_ms: int | None = None
    labels_wait_ms: int | None = None


def broker_checks(seen: BrokerSeen, wanted: Wanted) -> list[Check]:
    """The broker and the group, then each topic."""
    checks = [well("broker", f"it answers over {wanted.protocol}"), _group(seen, wanted)]
    for topic in wanted.read:
        checks += _read_topic(topic, seen.topic(topic), wanted)
    return checks + [_written_topic(topic, seen.topic(topic)) for topic in wanted.written]


def _group(seen: BrokerSeen, wanted: Wanted) -> Check:
    if not seen.group_trouble:
        return well("consumer group", f"{wanted.group} may be used")
    said = f"{wanted.group} cannot be used: {seen.group_trouble}"
    return failure("consumer group", said, "grant this user READ and DESCRIBE on the group")


def _read_topic(topic: str, seen: TopicSeen | None, wanted: Wanted) -> list[Check]:
    name = f"topic {topic}"
    if seen is None or seen.trouble:
        return [_missing(name, seen)]
    if seen.leaderless:
        leaderless = counted(len(seen.leaderless), "partition")
        said = f"no broker leads {leaderless} of it: {_listed(seen.leaderless)}"
        return [failure(name, said, "bring the brokers back that hold them"), _retention(seen, wanted)]
    if seen.rights is not None and not seen.rights & {"READ", "ALL"}:
        return [failure(name, "it may not be read by this user", "grant this user READ on it")]
    said = f"{counted(len(seen.ends), 'partition')}, which may be read"
    return [well(name, said if seen.rights is not None else f"{counted(len(seen.ends), 'partition')}"),
            _retention(seen, wanted)]  # fmt: skip


def _missing(name: str, seen: TopicSeen | None) -> Check:
    why, _, advice = (seen.trouble if seen is not None else "the broker says nothing of it").partition(": ")
    return failure(name, why, advice or "create it, or correct the name")


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")


def _retention(seen: TopicSeen, wanted: Wanted) -> Check:
    name = f"retention of {seen.topic}"
    if seen.compacted:
        said = "it is compacted: of events with the same key, all but the last may go before they are counted"
        return warning(name, said, "set cleanup.policy=delete for it")
    if seen.retention_ms is None:
        return not_checked(name, "the broker does not tell for how long it keeps records")
    if seen.retention_ms == FOR_EVER:
        return well(name, "records are kept for ever, or until the size is reached")
    kept = f"records are kept for {lasting(seen.retention_ms)}"
    if wanted.lateness_ms is not None and seen.retention_ms < wanted.lateness_ms:
        said = f"{kept}, which is less than the allowed lateness of {lasting(wanted.lateness_ms)}"
        return warning(name, said, "raise retention.ms: what is deleted while collectors are away is lost")
    if wanted.labels_wait_ms is not None and seen.retention_ms < wanted.labels_wait_ms:
        waits = lasting(wanted.labels_wait_ms)
        return well(
            name, f"{kept}; labels are waited for {waits}: older ones could not be joined from the log again"
        )
    return well(name, kept)


def _written_topic(topic: str, seen: TopicSeen | None) -> Check:
    name = f"topic {topic}"
    if seen is None or (seen.trouble and not seen.ends and seen.rights is None):
        return _missing(name, seen)
    if seen.rights is not None and not seen.rights & {"WRITE", "ALL"}:
        return failure(name, "it may not be written to by this user", "grant this user WRITE on it")
    return well(name, "it may be written to" if seen.rights is not None else "it is there")
