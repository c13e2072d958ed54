"""The pipeline's pages as text: the worst first, hostile names as text, and nothing that the API does not say."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from markupsafe import escape
from sqlalchemy import Engine

from service.dead_letters.replaying import Replaying
from service.intake.limits import Limits
from service.messages import UnknownModels, iso
from service.moments import time_at
from service.monitor import DAY_MS, Monitor
from service.settings import Auth
from service.store.configuration import apply_monitors
from service.store.keys import Scope
from service.web.api.pipeline_answer import Totals
from service.web.pages.dead_letters import replay_command
from service.web.pages.pipeline import outcome_views
from tests.fakes.appending import AppendedLog
from tests.web import pipeline_window
from tests.web.conftest import Add
from tests.web.seeding import HOSTILE_NAMES, NOW_MS, add_dead_letter, add_model, add_partition
from tests.web.serving import Site, site_of
from tests.web.visitors import bearer, new_key

pytestmark = pytest.mark.postgres

GOOD = b'{"type":"features","model":"churn","features":{"amount":1}}'
REPLAYING = object()
"""Stands for a log to write to, which no page here does."""


def text_of(page: str) -> str:
    """What a person reads."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def test_the_page_says_what_the_api_says(site: Site, add: Add) -> None:
    pipeline_window.fill(add)
    said = site.get("/api/v1/pipeline").json()
    page = text_of(site.get("/pipeline").text)
    assert "1 of 11 partitions is halted, 1 of 11 partitions is read by nobody" in said["sentence"]
    assert "1 of 11 partitions is halted, 1 of 11 partitions is read by nobody" in page
    for fact in ("12,000", "48,210", "410,007", "3,200,294", "96.8 %", "retention took them", "30 min"):
        assert fact in page, fact


def test_partitions_stand_the_worst_first(site: Site, add: Add) -> None:
    pipeline_window.fill(add)
    rows = re.findall(
        r'<tr class="tone ([a-z]+)">\s*<th scope="row"><bdi>.*?</bdi> (\d+)', site.get("/pipeline").text
    )
    assert rows[:4] == [("page", "8"), ("page", "9"), ("ticket", "10"), ("well", "7")]


def test_the_form_chooses_topic_and_state(site: Site, add: Add) -> None:
    pipeline_window.fill(add)
    halted = site.get("/pipeline", topic="", state="halted").text
    assert "inference-log</bdi> 8" in halted
    assert "inference-log</bdi> 7" not in halted
    assert "No partition is in this state now" in site.get("/pipeline", state="idle").text
    assert site.get("/pipeline", topic="inference-logs").status_code == 404


def test_an_empty_pipeline_says_how_to_begin(site: Site) -> None:
    page = site.get("/pipeline").text
    assert "driftbell collect" in page
    assert "No collector owns a partition" in page


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_text_on_every_page(site: Site, add: Add, name: str) -> None:
    add(add_partition, name, 0, owner=name, halted=f"because of {name}")
    add(add_model, name)
    add(
        add_dead_letter,
        3,
        topic=name,
        detail=name,
        key=name.encode(),
        value=name.encode(),
        size=len(name.encode()),
    )
    pages = [site.get(path) for path in ("/pipeline", "/pipeline/dead-letters")]
    if "\n" not in name:  # no topic has a line break, and no route takes one
        pages.append(site.get(f"/pipeline/dead-letters/{quote(name, safe='')}/0/3"))
    for page in pages:
        assert page.status_code == 200
        assert escape(name) in page.text
        assert "<script>alert" not in page.text


def test_every_link_of_the_pages_leads_somewhere(site: Site, add: Add) -> None:
    pipeline_window.fill(add)
    letter = f"/pipeline/dead-letters/{quote(HOSTILE_NAMES[5], safe='')}/3/100"
    paths = ("/pipeline", "/pipeline/dead-letters", "/pipeline/dead-letters?reason=bad_json&limit=3", letter)
    links = [
        (path.partition("?")[0], unescape(link))
        for path in paths
        for link in re.findall(r'(?:href|src)="([^#].*?)"', site.get(path).text)
    ]
    assert len(links) > 40
    assert [
        pair for pair in links if site.client.get("/".join([pair[0], "..", pair[1]])).status_code != 200
    ] == []


def test_older_letters_are_reached_page_by_page(site: Site, add: Add) -> None:
    pipeline_window.fill(add)
    first = site.get("/pipeline/dead-letters", reason="bad_json", limit=20).text
    older = re.search(r'href="\.\./(pipeline/dead-letters\?[^"]+)">Older', first)
    assert older is not None
    second = site.get(f"/{unescape(older[1])}").text
    assert first.count("bytes</span>") == 20
    assert second.count("bytes</span>") == 10
    assert "the bytes are no JSON" in second


def test_the_form_of_the_letters_may_choose_all(site: Site, add: Add) -> None:
    pipeline_window.fill(add)
    page = site.get("/pipeline/dead-letters", reason="").text
    assert page.count("bytes</span>") == 31
    assert site.get("/pipeline/dead-letters", reason="none").status_code == 422


def test_who_chooses_a_reason_stays_with_the_same_letters(site: Site, add: Add) -> None:
    for partition in (0, 1):
        add(add_dead_letter, partition, partition=partition)
    page = site.get("/pipeline/dead-letters", topic="events", partition=1, since=0).text
    kept = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    assert kept == {"topic": "events", "partition": "1", "since": "0"}
    assert site.get("/pipeline/dead-letters", reason="", **kept).text.count("bytes</span>") == 1
    assert '"hidden"' not in site.get("/pipeline/dead-letters").text


def test_a_letter_that_is_not_there_is_not_found(site: Site) -> None:
    assert site.get("/pipeline/dead-letters/events/0/9").status_code == 404


# ---------------------------------------------------------------- who may replay
@pytest.mark.parametrize(("scope", "may"), [(Scope.READ, False), (Scope.WRITE, True)])
def test_only_who_may_write_is_offered_a_replay(engine: Engine, add: Add, scope: Scope, may: bool) -> None:
    add(add_dead_letter, 1)
    key = bearer(new_key(engine, scope))
    with site_of(engine, auth=Auth.KEYS, replaying=REPLAYING) as site:
        for path in ("/pipeline/dead-letters", "/pipeline/dead-letters/events/0/1"):
            assert ("data-look" in site.client.get(path, headers=key).text) is may


def test_what_kills_processes_is_not_offered(engine: Engine, add: Add) -> None:
    add(add_dead_letter, 1, reason="kills_process")
    with site_of(engine, replaying=REPLAYING) as site:
        assert "data-look" not in site.get("/pipeline/dead-letters/events/0/1").text


def ordered(page: str) -> dict[str, Any]:
    """What the page asks a replay for."""
    order = re.search('data-order="([^"]+)"', page)
    assert order is not None
    found: dict[str, Any] = json.loads(unescape(order[1]))
    return found


def test_what_is_replayed_is_what_is_shown(engine: Engine, add: Add) -> None:
    """Not the letters of another partition or time, and none that came in since the page was made."""
    apply_monitors(engine, [Monitor("churn")], [], 0)
    for offset, changes in enumerate(
        [
            {},
            {"partition": 1},
            {"topic": "other"},
            {"reason": "too_large"},
            {"seen_at": time_at(NOW_MS - DAY_MS)},
        ]
    ):
        add(
            add_dead_letter,
            offset,
            **{"seen_at": time_at(NOW_MS), "value": GOOD, "size": len(GOOD)} | changes,
        )
    chosen = {"topic": "events", "partition": 0, "reason": "bad_json", "since": "2026-11-21T00:00:00Z"}
    log = AppendedLog()
    replaying = Replaying(engine, UnknownModels.QUARANTINE, Limits(), log.open, log.open)
    with site_of(engine, replaying=replaying) as site:
        page = site.get("/pipeline/dead-letters", **chosen, until=NOW_MS).text
        add(add_dead_letter, 9, seen_at=time_at(NOW_MS), value=GOOD, size=len(GOOD))
        answers = [
            site.client.post("/api/v1/dead-letters/replay", json=ordered(page) | {"write": write}).json()
            for write in (False, True)
        ]
    assert [[one["offset"] for one in answer["items"]] for answer in answers] == [[0], [0]]
    assert answers[1]["written"] == 1
    assert (
        "--topic events --partition 0 --reason bad_json --since 2026-11-21T00:00:00Z "
        f"--until {iso(NOW_MS)} --dry-run" in page
    )


@pytest.mark.parametrize("topic", ["a b", "$(reboot)", "`reboot`", "; reboot", "it's", "\u202eab", "\x1b[2J"])
def test_the_command_beside_it_can_be_pasted_into_a_shell(topic: str) -> None:
    command = replay_command(topic=topic, partition=3, offset=None)
    assert command.startswith("driftbell dead-letters replay --topic '")
    assert command.endswith(" --partition 3")
    assert command.isprintable()


def test_a_share_that_is_tiny_is_not_told_as_none() -> None:
    counts = dict.fromkeys(Totals.model_fields, 0) | {"accepted": 10**9, "late": 1}
    said = {one.word: one.said for one in outcome_views(Totals(**counts))}
    assert said == {
        "accepted": "100.00 %", "duplicate": "0.00 %", "late": "< 0.01 %", "dead": "0.00 %", "tombstone": "0.00 %",
    }  # fmt: skip
