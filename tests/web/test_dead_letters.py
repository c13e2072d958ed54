"""Dead letters over the API: hostile bytes as base64 and safe text, counts, and replays that look before they write."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from service.dead_letters.replaying import Replaying
from service.intake.limits import Limits
from service.messages import Partition, UnknownModels
from service.monitor import Monitor
from service.store.configuration import apply_monitors
from service.store.dead_letters import only_one_replay
from tests.fakes.appending import AppendedLog
from tests.web.conftest import Add
from tests.web.seeding import HOSTILE_NAMES, NOW_MS, add_dead_letter
from tests.web.serving import Site, site_of

pytestmark = pytest.mark.postgres

GOOD = b'{"type":"features","model":"churn","features":{"amount":1}}'
BAD = b'{"type":"features",'


@pytest.fixture
def log() -> AppendedLog:
    return AppendedLog()


@pytest.fixture
def writing_site(engine: Engine, log: AppendedLog) -> Iterator[Site]:
    """A site that knows a log to write to."""
    apply_monitors(engine, [Monitor("churn")], [], 0)
    replaying = Replaying(engine, UnknownModels.QUARANTINE, Limits(), log.open, log.open)
    with site_of(engine, replaying=replaying) as site:
        yield site


def replay(site: Site, **order: Any) -> httpx.Response:
    return site.client.post("/api/v1/dead-letters/replay", json=order)


# ---------------------------------------------------------------- reading
def test_a_listing_shows_the_start_of_their_bytes(site: Site, add: Add) -> None:
    add(add_dead_letter, 1, value=b"\xff\x00" * 1_000, size=2_000)
    add(add_dead_letter, 2, reason="too_large")
    (shown,) = site.items("dead-letters", reason="bad_json")
    assert b64decode(shown["value_base64"]) == b"\xff\x00" * 512
    assert shown["value_text"] == r"\xff\x00" * 512
    assert (shown["size"], shown["offset"], shown["kept_whole"]) == (2_000, 1, True)


def test_one_is_shown_with_all_bytes_that_are_kept(site: Site, add: Add) -> None:
    add(add_dead_letter, 7, partition=3, key=b"k\x1b", value=b"v" * 4_096, size=5_000)
    shown = site.get("/api/v1/dead-letters/events/3/7").json()
    assert b64decode(shown["value_base64"]) == b"v" * 4_096
    assert (shown["key_text"], shown["kept_whole"], shown["replayed_at"]) == (r"k\x1b", False, None)


@pytest.mark.parametrize("path", ["events/3/8", "events/4/7", "other/3/7"])
def test_one_that_is_not_there_is_not_found(site: Site, add: Add, path: str) -> None:
    add(add_dead_letter, 7, partition=3)
    answer = site.get(f"/api/v1/dead-letters/{path}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is no dead letter of this record"


@pytest.mark.parametrize(
    "path", ["events/-1/8", "events/x/7", "events/3/99999999999999999999", "events/3/-1"]
)
def test_a_place_that_is_none_is_a_mistake(site: Site, path: str) -> None:
    assert site.get(f"/api/v1/dead-letters/{path}").status_code == 422


@pytest.mark.parametrize(
    "name", [*HOSTILE_NAMES, "\x1b[31m", "\r\nSet-Cookie: a=b", "\u202e", "'; DROP TABLE x"]
)
def test_hostile_text_arrives_as_data_and_never_as_markup(site: Site, add: Add, name: str) -> None:
    add(add_dead_letter, 1, topic=name, key=name.encode(), value=name.encode(), detail=name)
    answer = site.get("/api/v1/dead-letters", topic=name)
    (shown,) = answer.json()["items"]
    assert answer.headers["content-type"] == "application/json"
    assert "set-cookie" not in answer.headers
    assert (shown["topic"], shown["detail"]) == (name, name)
    assert shown["value_text"].isprintable()
    assert shown["key_text"].isprintable()


def test_they_are_counted_by_reason_topic_and_hour(site: Site, add: Add) -> None:
    for offset, reason in enumerate(["bad_json", "too_large", "bad_json"]):
        add(add_dead_letter, offset, reason=reason, topic="a" if offset else "b")
    counts = {by: site.get(f"/api/v1/dead-letters/by-{by}").json() for by in ("reason", "topic", "hour")}
    assert [(one["name"], one["count"]) for one in counts["reason"]] == [("bad_json", 2), ("too_large", 1)]
    assert [(one["name"], one["count"]) for one in counts["topic"]] == [("a", 2), ("b", 1)]
    assert sum(one["count"] for one in counts["hour"]) == 3
    assert site.get("/api/v1/dead-letters/by-colour").status_code == 422


# ---------------------------------------------------------------- replaying
def test_a_replay_says_what_would_become_of_them_and_writes_nothing(
    writing_site: Site, add: Add, log: AppendedLog
) -> None:
    add(add_dead_letter, 1, value=GOOD, size=len(GOOD), reason="unknown_model")
    add(add_dead_letter, 2, value=BAD, size=len(BAD))
    answer = replay(writing_site).json()
    assert answer["written"] == 0
    assert answer["outcomes"] == {"accepted": 1, "dead": 1}
    assert [(one["offset"], one["outcome"], one["reason_now"]) for one in answer["items"]] == [
        (1, "accepted", None), (2, "dead", "bad_json"),
    ]  # fmt: skip
    assert log.records == {}


def test_a_replay_that_is_told_to_writes_what_decodes_once(
    writing_site: Site, add: Add, log: AppendedLog
) -> None:
    add(add_dead_letter, 1, value=GOOD, size=len(GOOD), key=b"k")
    add(add_dead_letter, 2, value=BAD, size=len(BAD))
    first, second = (replay(writing_site, topic="events", write=True).json() for _ in range(2))
    (written,) = log.appended(Partition("events", 0))
    assert (first["written"], second["written"]) == (1, 0)
    assert (written.key, written.value, written.timestamp_ms) == (b"k", GOOD, NOW_MS)
    assert writing_site.get("/api/v1/dead-letters/events/0/1").json()["replayed_at"] is not None
    assert [one["offset"] for one in second["items"]] == [2]


def test_a_replay_takes_no_more_than_its_limit_the_oldest_first(
    writing_site: Site, add: Add, log: AppendedLog
) -> None:
    for offset in range(5):
        add(add_dead_letter, offset, value=GOOD, size=len(GOOD))
    answer = replay(writing_site, write=True, limit=2).json()
    assert [one["offset"] for one in answer["items"]] == [0, 1]
    assert len(log.appended(Partition("events", 0))) == 2


def test_a_site_that_knows_no_kafka_says_what_to_set(site: Site) -> None:
    answer = replay(site, write=True)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS" in answer.json()["detail"]


def test_what_has_killed_processes_is_not_touched_by_this_one(
    writing_site: Site, add: Add, log: AppendedLog
) -> None:
    add(add_dead_letter, 1, value=b"", size=0, reason="kills_process")
    assert replay(writing_site, reason="kills_process", write=True).status_code == 409
    assert replay(writing_site, broken=True, write=True).json()["items"] == []
    assert log.records == {}


def test_a_second_replay_at_the_same_time_is_told_to_wait(
    writing_site: Site, engine: Engine, add: Add
) -> None:
    add(add_dead_letter, 1, value=GOOD, size=len(GOOD))
    with only_one_replay(engine):
        answer = replay(writing_site, write=True)
    assert answer.status_code == 503
    assert "being replayed by somebody else" in answer.json()["detail"]
    assert answer.headers["retry-after"]


MISTAKES: list[dict[str, Any]] = [
    {"limit": 1_001}, {"limit": 0}, {"reason": "none"}, {"dry_run": False}, {"topic": "a\x00"}, {"offset": -1},
]  # fmt: skip


@pytest.mark.parametrize("order", MISTAKES)
def test_an_order_with_a_mistake_writes_nothing(
    writing_site: Site, add: Add, log: AppendedLog, order: dict[str, Any]
) -> None:
    add(add_dead_letter, 1, value=GOOD, size=len(GOOD))
    answer = replay(writing_site, write=True, **order)
    assert answer.status_code == 422
    assert next(iter(order)) in answer.json()["detail"]
    assert log.records == {}
