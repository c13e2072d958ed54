"""A stretch of time accepted from an incident: it becomes the reference, or nothing happens and it is said why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from service.errors import Unavailable
from service.messages import iso
from service.reference.profile import profile_to_bytes
from service.store.acceptance import acceptances_of
from service.store.configuration import StoredReference, apply_monitors, load_configuration
from service.store.engine import transaction
from service.store.marks import AlarmVerdict, add_mark
from service.store.statements import Statement
from service.web.limits import Turns
from tests.cli.test_acceptance_command import END_MS, put_traffic
from tests.replaying import MINUTE, MONITOR, START_MS, reference_of
from tests.web.conftest import Add
from tests.web.seeding import NOW_MS, add_alert, add_partition, add_window
from tests.web.serving import Site, site_of

pytestmark = pytest.mark.postgres


@pytest.fixture
def live(engine: Engine, site: Site, add: Add, tmp_path: Path) -> Iterator[Site]:
    """A model with its reference, ten minutes of traffic that has moved, and an incident about it that pages."""
    profile = reference_of(tmp_path)
    stored = StoredReference(profile.name, "churn", profile.grid, profile.rows, profile_to_bytes(profile))
    with transaction(engine) as connection:
        connection.exec_driver_sql("DELETE FROM grid")
    apply_monitors(engine, [MONITOR], [stored], 0)
    put_traffic(engine, profile, range(10))
    add(add_partition, "events", 0, highest_ms=END_MS)
    add(add_alert, "a", "churn", incident="i-1", since_ms=START_MS, at_ms=END_MS)
    return site


def accept(site: Site, since_ms: int = START_MS, to_ms: int = END_MS - MINUTE) -> httpx.Response:
    order = {"from": iso(since_ms), "to": iso(to_ms), "why": "new supplier", "who": "anna"}
    return site.client.post("/api/v1/incidents/i-1/accept", json=order)


def accepted(engine: Engine) -> list[Any]:
    with transaction(engine) as connection:
        return list(acceptances_of(connection, "churn"))


def test_the_stretch_becomes_the_reference_although_its_incident_pages(live: Site, engine: Engine) -> None:
    made = accept(live)
    assert made.status_code == 200, made.text
    shown = made.json()
    latest = load_configuration(engine).latest("churn")
    assert latest is not None
    assert (latest.reference_name, latest.number) == (shown["name"], 2)
    assert (shown["from_ms"], shown["to_ms"], shown["rows"]) == (START_MS, END_MS - MINUTE, 270)
    (one,) = accepted(engine)
    assert (one.who, one.why, one.replaces) == ("anna", "new supplier", shown["replaces"])
    words = live.get("/api/v1/incidents/i-1").json()["standing"]["words"]
    assert [(word["word"], word["why"]) for word in words] == [
        ("accepted", f"new supplier (reference {shown['name']})")
    ]


@pytest.mark.parametrize(
    ("since_ms", "to_ms", "said"),
    [
        (START_MS, END_MS + MINUTE, "lies ahead: all events have come until"),
        (END_MS - MINUTE, START_MS, "there is no whole pane"),
        (START_MS, START_MS + MINUTE, "a reference needs at least 100"),
    ],
)
def test_what_is_no_good_stretch_changes_nothing(
    live: Site, engine: Engine, since_ms: int, to_ms: int, said: str
) -> None:
    answer = accept(live, since_ms, to_ms)
    assert (answer.status_code, said in answer.json()["detail"]) == (409, True), answer.text
    assert accepted(engine) == []


def test_nothing_is_accepted_while_another_incident_pages_or_records_are_missing(
    live: Site, engine: Engine, add: Add
) -> None:
    add(add_alert, "b", "churn", incident="i-2", summary="weight is in pounds")
    add(add_window, "churn", NOW_MS)
    answer = accept(live).json()["detail"]
    assert (
        answer
        == "incident i-2 is open and pages, too (weight is in pounds): mend that first, or mark it as a false alarm"
    )
    assert accepted(engine) == []


@pytest.mark.parametrize("verdict", ["false_alarm", "expected"])
def test_a_page_of_which_people_said_that_nothing_was_broken_is_no_objection(
    live: Site, engine: Engine, add: Add, verdict: str
) -> None:
    add(add_alert, "b", "churn", incident="i-2", summary="weight is in pounds")
    add_mark(engine, "i-2", AlarmVerdict(verdict), Statement("anna", "planned"))
    assert accept(live).status_code == 200
    assert len(accepted(engine)) == 1


def test_what_was_accepted_is_answered_although_its_word_was_not_kept(
    live: Site, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise Unavailable("the database is away")

    monkeypatch.setattr("service.web.api.words.say", fail)
    assert accept(live).status_code == 200
    assert len(accepted(engine)) == 1
    assert "incident i-1 does not show that it was accepted" in caplog.text


@pytest.mark.usefixtures("live")
def test_accepting_takes_its_turn(engine: Engine) -> None:
    turns = Turns(1)
    with turns.one(), site_of(engine, large_answers=turns) as site:
        assert accept(site).status_code == 503
    assert accepted(engine) == []
