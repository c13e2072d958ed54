"""The pipeline over the API: every number is one that a table holds, and the sentence says the worst of them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, insert, text

from service.monitor import HOUR_MS, MINUTE_MS
from service.store.tables import evaluation, gap, join_inbox, join_share, outbox, source_partition
from tests.web.conftest import Add
from tests.web.seeding import HOSTILE_NAMES, add_dead_letter, add_model, add_pane, add_partition
from tests.web.serving import Site

pytestmark = pytest.mark.postgres

NOW_MS = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS
ALIVE: dict[str, Any] = {"owner": "host-1:7", "highest_ms": NOW_MS}


def ago(seconds: int) -> Any:
    """A time by the database's clock."""
    return func.now() - text(f"interval '{seconds} seconds'")


def pipeline(site: Site, **asked: Any) -> dict[str, Any]:
    answer = site.get("/api/v1/pipeline", **asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_empty_database_says_how_to_begin(site: Site) -> None:
    shown = pipeline(site)
    assert shown["sentence"].startswith("No partition has ever been read")
    assert (shown["partitions"], shown["models"], shown["troubles"]) == ([], [], [])


def test_a_partition_is_shown_with_all_that_is_stored_of_it(site: Site, add: Add) -> None:
    add(add_partition, "events", 3, **ALIVE, accepted=80, duplicate=7, late=5, dead=4, tombstone=3, holes=1, lost=9,
        truncated=2, lag=11, next_offset=100)  # fmt: skip
    shown = pipeline(site)
    (one,) = shown["partitions"]
    counts = (
        "accepted",
        "duplicate",
        "late",
        "dead",
        "tombstone",
        "holes",
        "lost",
        "truncated",
        "lag",
        "next_offset",
    )
    assert [one[name] for name in counts] == [80, 7, 5, 4, 3, 1, 9, 2, 11, 100]
    assert (one["state"], one["owner"]) == ("read", "host-1:7")
    assert one["watermark_ms"] == NOW_MS - 5_000
    assert 0 <= one["watermark_age_ms"] - (shown["now_ms"] - NOW_MS) <= 5_000
    assert [shown["totals"][name] for name in counts[:9]] == [80, 7, 5, 4, 3, 1, 9, 2, 11]
    assert shown["condition"] == "ok"


def test_the_worst_partition_stands_first_and_in_the_sentence(site: Site, add: Add) -> None:
    add(add_partition, "events", 0, **ALIVE)
    add(add_partition, "events", 1, **ALIVE | {"owner": None}, lag=12_000, updated_at=ago(300))
    add(add_partition, "events", 2, **ALIVE, halted="its topic was made anew")
    shown = pipeline(site)
    assert [(one["partition"], one["state"]) for one in shown["partitions"]] == [
        (2, "halted"), (1, "abandoned"), (0, "read"),
    ]  # fmt: skip
    assert shown["sentence"].startswith("1 of 3 partitions is halted, 1 of 3 partitions is read by nobody")
    assert [one["sentence"] for one in shown["troubles"]] == [
        "partition 2 of events is halted: its topic was made anew",
        "partition 1 of events is 12,000 records behind, and nobody has owned it for 5 min",
    ]
    assert (shown["condition"], shown["totals"]["not_read"]) == ("failure", 2)


def test_what_a_dead_owner_said_of_idleness_does_not_hold(site: Site, add: Add) -> None:
    add(add_partition, "events", 0, **ALIVE, idle_since=ago(60))
    add(add_partition, "events", 1, **ALIVE, idle_since=ago(60), updated_at=ago(40))
    states = {one["partition"]: one["state"] for one in pipeline(site)["partitions"]}
    assert states == {0: "idle", 1: "read"}


def test_a_partition_that_was_reset_is_not_shown(site: Site, add: Add) -> None:
    add(add_partition, "events", 0, **ALIVE, next_offset=-1)
    assert pipeline(site)["partitions"] == []


def test_partitions_are_listed_by_topic_state_and_number_and_the_rest_is_counted(
    site: Site, add: Add
) -> None:
    for number in range(5):
        add(add_partition, "events", number, **ALIVE, halted="why" if number == 4 else None)
    add(add_partition, "other", 0, **ALIVE)
    assert [one["topic"] for one in pipeline(site, topic="other")["partitions"]] == ["other"]
    assert [one["partition"] for one in pipeline(site, state="halted")["partitions"]] == [4]
    shown = pipeline(site, limit=2)
    assert ([one["partition"] for one in shown["partitions"]], shown["more_partitions"]) == ([4, 0], 4)
    assert shown["totals"]["partitions"] == 6


def test_a_topic_that_nobody_reads_is_not_found(site: Site, add: Add) -> None:
    add(add_partition, "events", 0, **ALIVE)
    answer = site.get("/api/v1/pipeline", topic="event")
    assert (answer.status_code, answer.json()["detail"]) == (
        404, "no partition of a topic of this name was ever read; did you mean events?",
    )  # fmt: skip


def test_collectors_are_told_by_what_they_own_the_silent_ones_first(site: Site, add: Add) -> None:
    add(add_partition, "events", 0, **ALIVE, lag=1)
    add(add_partition, "events", 1, **ALIVE, lag=2)
    add(add_partition, "events", 2, **ALIVE | {"owner": "host-2:9"}, lag=4, updated_at=ago(300))
    silent, alive = pipeline(site)["collectors"]
    assert (silent["owner"], silent["alive"], silent["partitions"], silent["lag"]) == (
        "host-2:9",
        False,
        1,
        4,
    )
    assert (alive["owner"], alive["alive"], alive["partitions"], alive["lag"]) == ("host-1:7", True, 2, 3)
    assert alive["silent_ms"] < 60_000 < silent["silent_ms"]


def test_a_model_is_shown_with_its_evaluation_lease_and_join(site: Site, add: Add) -> None:
    add(add_model, "churn", since_ms=NOW_MS - HOUR_MS)
    add(add_partition, "events", 0, **ALIVE)
    add(add_pane, "churn", NOW_MS - HOUR_MS)
    add(add_pane, "churn", NOW_MS - 2 * MINUTE_MS)

    def hold(connection: Connection) -> None:
        lease = {
            "model": "churn",
            "position_ms": NOW_MS - HOUR_MS,
            "token": func.gen_random_uuid(),
            "owner": "e-1",
        }
        connection.execute(insert(evaluation).values(lease | {"expires_at": ago(60)}))
        waits = {
            "topic": "events",
            "partition": 0,
            "next_offset": 1,
            "place": 0,
            "model": "churn",
            "rows": 70,
        }
        connection.execute(insert(join_inbox).values(waits | {"columns": b""}))
        connection.execute(insert(join_share).values(model="churn", halvings=2, waiting=900, forgotten_ms=0))

    add(hold)
    shown = pipeline(site)
    (churn,) = shown["models"]
    assert (churn["model"], churn["evaluated_to_ms"], churn["owner"]) == ("churn", NOW_MS - HOUR_MS, "e-1")
    assert (churn["inbox"], churn["waiting"], churn["joined_share"]) == (70, 900, 0.25)
    assert churn["behind_ms"] == HOUR_MS - MINUTE_MS
    assert 59_000 < churn["lease_expired_ms"] < 120_000
    assert (shown["totals"]["waiting_to_join"], shown["totals"]["watermark_ms"]) == (70, NOW_MS - 5_000)
    assert {one["name"] for one in shown["troubles"]} == {"windows of churn", "lease of churn"}


def test_deliveries_that_wait_are_told_with_their_age(site: Site, add: Add) -> None:
    add(add_partition, "events", 0, **ALIVE)

    def wait(connection: Connection) -> None:
        row = {"alert_id": "a", "state": "firing", "message": {}, "attempts": 2, "created_at": ago(300)}
        connection.execute(insert(outbox).values(row))

    add(wait)
    shown = pipeline(site)
    assert (shown["deliveries"]["waiting"], shown["deliveries"]["tried"]) == (1, 1)
    assert 299_000 < shown["deliveries"]["oldest_ms"] < 400_000
    assert "outbox: 1 alert not delivered" in shown["sentence"]


def test_dead_letters_are_told_by_reason_in_words_with_their_share(site: Site, add: Add) -> None:
    add(add_partition, "events", 0, **ALIVE)
    for offset, reason in enumerate(["bad_json", "bad_json", "bad_json", "too_large"]):
        add(add_dead_letter, offset, reason=reason, seen_at=ago(7_200 if offset == 0 else 5))
    dead = pipeline(site)["dead_letters"]
    assert (dead["stored"], dead["last_hour"]) == (4, 3)
    first, second = dead["by_reason"]
    assert (first["reason"], first["count"], first["share"], first["last_hour"]) == ("bad_json", 3, 0.75, 2)
    assert first["words"] == "the bytes are no JSON"
    assert "DRIFTBELL_MAX_EVENT_BYTES" in second["helps"]


def test_gaps_are_told_the_latest_first(site: Site, add: Add) -> None:
    def lose(connection: Connection) -> None:
        usual = {"topic": "events", "partition": 0, "kind": "lost", "records": 10}
        rows = [usual | {"offset": n, "noted_at": ago(100 - n)} for n in (1, 2)]
        connection.execute(insert(gap).values(rows))

    add(lose)
    gaps = pipeline(site)["gaps"]
    assert (gaps["count"], gaps["records"], [one["offset"] for one in gaps["latest"]]) == (2, 20, [2, 1])


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_arrive_as_data(site: Site, add: Add, name: str) -> None:
    add(add_partition, name, 0, **ALIVE | {"owner": name}, halted=name)
    shown = pipeline(site, topic=name)
    assert [one["halted"] for one in shown["partitions"]] == [name]


def test_a_thousand_partitions_are_one_answer_of_few_questions(site: Site, add: Add) -> None:
    """Ten thousand milliseconds would do as well here: what must not grow is the number of statements."""
    rows = [
        {"topic": f"t{n % 4}", "partition": n, "next_offset": 1, "first_offset": 0, "owner": "h"}
        for n in range(1_000)
    ]
    add(lambda connection: connection.execute(insert(source_partition).values(rows)))
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(site.engine, "before_cursor_execute", note)
    try:
        shown = pipeline(site)
    finally:
        event.remove(site.engine, "before_cursor_execute", note)
    assert (len(shown["partitions"]), shown["totals"]["topics"]) == (1_000, 4)
    assert len(asked) < 40
