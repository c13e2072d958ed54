"""Asks Kafka about topics and our rights on them through kafka-python's admin client; it changes nothing."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, OffsetSpec
from kafka.errors import AuthorizationError, KafkaError

from service.errors import DriftbellError
from service.intake.kafka_problems import NO_ERROR, check_topics
from service.intake.kafka_python_client import make_client, sorted_errors
from service.intake.topic_survey import BrokerSeen, TopicSeen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.intake.kafka_settings import KafkaSettings

_RETENTION, _CLEANUP = "retention.ms", "cleanup.policy"


def survey_topics(settings: KafkaSettings, topics: Sequence[str], within_ms: int) -> BrokerSeen:
    """What the broker says of these topics and the group. Raises Unavailable, or ConfigurationError for a person."""
    with sorted_errors("connecting to it"):
        admin = make_client(
            KafkaAdminClient,
            bootstrap_servers=settings.bootstrap_servers.split(","),
            client_id=f"{settings.client_id}-doctor",
            request_timeout_ms=within_ms,
            bootstrap_timeout_ms=within_ms,
            **settings.kafka_python_security(),
        )
    with closing(admin), sorted_errors("asking for its topics", admin):
        described = admin.describe_topics(list(topics))
        group_trouble = _group_trouble(admin, settings.group_id)
        found = [_topic(admin, one) for one in described]
        kept = _configurations(admin, [one["name"] for one in described if one["error_code"] == NO_ERROR])
    return BrokerSeen(tuple(_with_retention(one, kept.get(one.topic, {})) for one in found), group_trouble)


def _topic(admin: Any, described: Mapping[str, Any]) -> TopicSeen:
    topic, partitions = described["name"], described["partitions"]
    try:
        check_topics({topic: described["error_code"]})
    except DriftbellError as why:
        return TopicSeen(topic, str(why))
    operations = described.get("authorized_operations")
    rights = None if operations is None else frozenset(str(getattr(o, "name", o)).upper() for o in operations)
    leaderless = tuple(one["partition_index"] for one in partitions if one["error_code"] != NO_ERROR)
    places = [TopicPartition(topic, one["partition_index"]) for one in partitions]
    there = [place for place in places if place.partition not in leaderless]
    try:
        starts, ends = (_offsets(admin, there, spec) for spec in (OffsetSpec.EARLIEST, OffsetSpec.LATEST))
    except KafkaError as why:
        return TopicSeen(
            topic, f"its offsets cannot be asked for: {why}", leaderless=leaderless, rights=rights
        )
    return TopicSeen(topic, "", starts, ends, leaderless, rights)


def _offsets(admin: Any, places: Sequence[Any], spec: Any) -> dict[int, int]:
    found = admin.list_partition_offsets(dict.fromkeys(places, spec)) if places else {}
    return {place.partition: one.offset for place, one in found.items()}


def _group_trouble(admin: Any, group: str) -> str:
    """Only what a person must act upon: a new broker has no coordinator before the first member comes."""
    try:
        admin.list_group_offsets([group])
    except AuthorizationError as why:
        return str(why)
    except KafkaError:
        pass
    return ""


def _configurations(admin: Any, topics: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By topic; nothing where the broker does not tell: it may hang up on who asks."""
    wanted = [ConfigResource("TOPIC", topic, [_RETENTION, _CLEANUP]) for topic in topics]
    try:
        found: dict[str, dict[str, Any]] = admin.describe_configs(wanted, config_filter="all").get(
            "topic", {}
        )
    except KafkaError:
        return {}
    return found


def _with_retention(seen: TopicSeen, told: Mapping[str, Any]) -> TopicSeen:
    values = {name: str(one.get("value")) for name, one in told.items() if isinstance(one, dict)}
    policy, retention = values.get(_CLEANUP, ""), values.get(_RETENTION, "")
    retention_ms = int(retention) if retention.lstrip("-").isdecimal() else None
    return TopicSeen(
        seen.topic, seen.trouble, seen.starts, seen.ends, seen.leaderless, seen.rights,
        None if policy and "delete" not in policy else retention_ms, "compact" in policy,
    )  # fmt: skip
