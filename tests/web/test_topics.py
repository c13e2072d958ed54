"""Topics over the API: only those of the settings, told without a group, and drafts that can be saved as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from service.intake.log_writer import NewRecord
from service.messages import Partition
from service.monitor_file import parse_monitors
from service.web.api.topics import Topics
from tests.fakes.appending import AppendedLog
from tests.web.seeding import NOW_MS
from tests.web.serving import Site, site_of

pytestmark = pytest.mark.postgres

TOPIC = "inference-log"
HOSTILE = "<script>alert(1)</script>"


def put(log: AppendedLog, *events: Any, partition: int = 0) -> None:
    place = Partition(TOPIC, partition)
    for event in events:
        value = event if isinstance(event, bytes) else json.dumps(event).encode()
        offset = log.bounds(place).end
        log.put(offset, NewRecord(place, None, value, NOW_MS + 1_000 * offset))


def prediction(n: int, **features: Any) -> dict[str, Any]:
    return {
        "type": "prediction", "model": "churn", "id": f"p{n}", "ts": NOW_MS + 1_000 * n, "version": "7",
        "features": {"amount": n + 0.5, "country": "DE" if n % 2 else "FR", "customer_id": f"c{n}"} | features,
        "prediction": {"label": "yes", "score": 0.5},
    }  # fmt: skip


@pytest.fixture
def log() -> AppendedLog:
    return AppendedLog()


@pytest.fixture
def reading(engine: Engine, log: AppendedLog) -> Iterator[Site]:
    with site_of(engine, topics=Topics((TOPIC, "empty-log"), log.open)) as site:
        yield site


def sniff(site: Site, topic: str = TOPIC, **more: Any) -> Any:
    return site.client.post("/api/v1/topics/sniff", json={"topic": topic} | more)


def draft(site: Site, found: Any, **choices: Any) -> Any:
    order = {"topic": TOPIC, "found": found, "choices": choices}
    return site.client.post("/api/v1/monitors/draft", json=order)


# ---------------------------------------------------------------- looking
def test_the_topics_of_the_settings_are_listed(reading: Site, site: Site) -> None:
    assert reading.get("/api/v1/topics").json() == {
        "items": [{"topic": TOPIC}, {"topic": "empty-log"}], "sentence": None,
    }  # fmt: skip
    assert "DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS" in site.get("/api/v1/topics").json()["sentence"]


def test_what_a_topic_holds_is_told(reading: Site, log: AppendedLog) -> None:
    put(log, *(prediction(n) for n in range(60)), b"{", b"not json")
    found = sniff(reading).json()
    (one,) = found["models"]
    assert (found["records"], found["events"], found["partitions"]) == (62, 60, 1)
    assert (one["found"]["model"], one["found"]["task"], one["found"]["versions"]) == (
        "churn",
        "binary",
        ["7"],
    )
    kinds = {feature["name"]: feature["kind"] for feature in one["found"]["features"]}
    assert kinds == {"amount": "number", "country": "category", "customer_id": "id"}
    assert (one["segments"], one["ids"]) == (["country"], ["customer_id"])
    assert [(r["reason"], r["records"]) for r in found["rejected"]] == [("bad_json", 2)]


def test_the_reader_is_let_go_of_each_time(reading: Site, log: AppendedLog) -> None:
    put(log, prediction(1))
    sniff(reading)
    sniff(reading, "empty-log")
    assert (log.opened, log.closed) == (2, 2)


def test_hostile_values_are_shown_as_text_on_one_line(reading: Site, log: AppendedLog) -> None:
    put(log, *(prediction(n, **{HOSTILE: "\x1b[31m\u202e"}) for n in range(9)), b"\x1b[2J\xff")
    found = sniff(reading).json()
    features = {one["name"]: one for one in found["models"][0]["found"]["features"]}
    assert features[HOSTILE]["examples"] == ["\\x1b[31m\\u202e"]
    assert found["rejected"][0]["example"] == "\\x1b[2J\\xff"


@pytest.mark.parametrize(
    "topic", ["other", "__consumer_offsets", "../x", "a b", "", "x" * 250, "{a}", "inference-log\n"]
)
def test_no_other_topic_can_be_looked_into(reading: Site, log: AppendedLog, topic: str) -> None:
    answer = sniff(reading, topic)
    assert answer.status_code == 422
    assert "topic" in answer.json()["detail"]
    assert log.opened == 0


def test_a_process_without_kafka_says_which_settings_it_needs(site: Site) -> None:
    answer = sniff(site)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    for word in ("DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS", "DRIFTBELL_KAFKA_TOPICS", "driftbell sniff"):
        assert word in answer.json()["detail"]


def test_how_many_records_is_bounded(reading: Site) -> None:
    assert sniff(reading, records=20_001).status_code == 422
    assert sniff(reading, records=0).status_code == 422


# ---------------------------------------------------------------- drafting
def test_a_draft_can_be_saved_as_it_is(reading: Site, log: AppendedLog) -> None:
    put(log, *(prediction(n) for n in range(60)))
    (one,) = sniff(reading).json()["models"]
    made = draft(reading, one["found"]).json()
    assert made["mistakes"] == []
    (monitor,) = parse_monitors(made["yaml"], "draft")
    assert (monitor.segments, monitor.features["customer_id"].ignore) == (("country",), True)
    saved = reading.client.post("/api/v1/monitors", json={"yaml": made["yaml"], "number": 0}).json()
    assert [(s["model"], s["action"], s["number"]) for s in saved["items"]] == [("churn", "created", 1)]


def test_choices_stand_in_the_draft_and_wrong_ones_are_mistakes_of_it(
    reading: Site, log: AppendedLog
) -> None:
    put(log, *(prediction(n) for n in range(60)))
    found = sniff(reading).json()["models"][0]["found"]
    right = draft(
        reading, found, pane="2s", windows=["4s"], false_pages=3, segments=[], allowed_lateness="4s"
    )
    (monitor,) = parse_monitors(right.json()["yaml"], "draft")
    assert (monitor.pane_ms, monitor.windows[0].length_ms, monitor.budget.false_pages) == (2_000, 4_000, 3)
    assert (monitor.segments, monitor.allowed_lateness_ms) == ((), 4_000)
    (mistake,) = draft(reading, found, pane="3s", windows=["4s"]).json()["mistakes"]
    assert "not made of whole panes" in mistake["sentence"]
    assert draft(reading, found, pane="soon").status_code == 422


def test_a_hostile_model_name_drafts_a_monitor_of_that_name(reading: Site, log: AppendedLog) -> None:
    put(log, *(prediction(n) | {"model": HOSTILE + "\n# x: y"} for n in range(9)))
    found = sniff(reading).json()["models"][0]["found"]
    (monitor,) = parse_monitors(draft(reading, found).json()["yaml"], "draft")
    assert monitor.model == found["model"] == HOSTILE + "# x: y"
