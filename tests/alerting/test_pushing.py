"""Whoever is away is tried again, less and less often, and holds no other up."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.alerting.incident_alerts import OpenIncident
from service.alerting.pushing import RESENT_MS, Pushing, Sent, Situation, Told
from service.alerting.shared_silences import Before, Link, TheirSilence, Wanted
from service.alerting.words import Said, Word
from tests.web.seeding import NOW_MS

AT = datetime.fromtimestamp(NOW_MS / 1000, UTC)
ONE = OpenIncident("i-1", "churn", "missing", "page", "", "weight", "", "weight is null", NOW_MS)


@dataclass
class Book:
    """A register in memory."""

    incidents: list[OpenIncident] = field(default_factory=lambda: [ONE])
    sent: dict[str, Sequence[Sent]] = field(default_factory=dict)
    troubles: list[tuple[str, str]] = field(default_factory=list)
    silences: Mapping[Wanted, Said] = field(default_factory=dict)
    links: Sequence[Link] | None = ()

    def news(self) -> object:
        return [one.id for one in self.incidents]

    def situation(self, now: datetime) -> Situation:  # noqa: ARG002 - nothing here has a time
        return Situation(list(self.incidents), ["churn"], self.silences)

    def before(self, alertmanager: str) -> tuple[Sequence[Sent], Before]:
        return self.sent.get(alertmanager, ()), Before(self.links or (), {})

    def told(self, alertmanager: str, told: Told, now: datetime) -> None:  # noqa: ARG002
        self.sent[alertmanager] = told.sent
        self.links = told.links

    def failed(self, alertmanager: str, trouble: str) -> None:
        self.troubles.append((alertmanager, trouble))


@dataclass
class There:
    """An Alertmanager that may be away."""

    name: str
    away: bool = False
    alerts: list[Mapping[str, Any]] = field(default_factory=list)

    def push(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        if self.away:
            raise OSError("connection refused")
        self.alerts += [one for one in alerts if one["labels"]["alertname"] == "DriftbellIncident"]

    def silences(self) -> Mapping[str, TheirSilence | None]:
        if self.away:
            raise OSError("connection refused")
        return {}

    def silent_by(self) -> Mapping[str, Sequence[str]]:
        return {}

    def make_silence(self, silence: Mapping[str, Any]) -> str:
        raise AssertionError(silence)

    def end_silence(self, silence: str) -> None:
        raise AssertionError(silence)


def test_one_that_is_away_is_tried_less_and_less_often_and_holds_no_other_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now, book, away, well = [NOW_MS], Book(), There("away", away=True), There("well")
    pushing = Pushing(book, [away, well], lambda: now[0])
    tried = []
    for _ in range(300):
        before = len(book.troubles)
        pushing.deliver()
        tried += [(now[0] - NOW_MS) // 1000] * (len(book.troubles) - before)
        now[0] += 1_000
    assert tried[:7] == [0, 2, 6, 14, 30, 62, 122]
    assert len(well.alerts) == 5
    assert len(caplog.records) == 1
    away.away = False
    now[0] += RESENT_MS
    pushing.deliver()
    assert len(away.alerts) == 1
    assert [r.getMessage() for r in caplog.records] == [
        "the Alertmanager away does not take incidents: connection refused; trying again",
        "the Alertmanager away takes incidents again",
    ]


def test_what_is_over_is_told_as_over_until_it_was_taken() -> None:
    now, book, there = [NOW_MS], Book(), There("am")
    pushing = Pushing(book, [there], lambda: now[0])
    pushing.deliver()
    book.incidents.clear()
    there.away = True
    pushing.deliver()
    there.away = False
    now[0] += 600_000
    pushing.deliver()
    first, over = there.alerts
    assert (first["endsAt"], over["endsAt"]) == ("2026-11-22T00:05:00Z", "2026-11-22T00:10:00Z")
    assert first["labels"] == over["labels"]
    assert book.sent == {"am": []}


def test_an_answer_that_makes_no_sense_is_a_trouble_and_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(There):
        def silences(self) -> Mapping[str, TheirSilence | None]:
            raise KeyError("matchers")

    book, odd = Book(), Odd("odd")
    with caplog.at_level(logging.WARNING):
        Pushing(book, [odd], lambda: NOW_MS).deliver()
    assert book.troubles == [("odd", "its silences: 'matchers'")]
    assert [one["labels"]["incident"] for one in odd.alerts] == ["i-1"]
    assert [one.incident for one in book.sent["odd"]] == ["i-1"]


def test_a_silence_that_is_not_understood_is_left_alone_and_said() -> None:
    class Odd(There):
        def silences(self) -> Mapping[str, TheirSilence | None]:
            return {"s-1": None, "s-2": TheirSilence("s-2", "active", AT, "bert", "mine")}

        def silent_by(self) -> Mapping[str, Sequence[str]]:
            return {"i-1": ["s-1", "s-2"]}

    ours = Link("s-1", "i-1", 7, "anna", "so (driftbell silence 7)", AT)
    word = Said(7, "i-1", "churn", Word.SILENCED, "anna", "so", AT, AT + timedelta(hours=1))
    book = Book(silences={Wanted(7, "i-1"): word}, links=[ours])
    Pushing(book, [Odd("odd")], lambda: NOW_MS).deliver()
    assert book.troubles == [("odd", "1 of its silences are not understood")]
    assert [(one.id, one.word) for one in book.links or ()] == [("s-1", 7), ("s-2", None)]


def test_what_cannot_be_read_of_the_incidents_is_a_trouble_and_no_crash() -> None:
    class Torn(Book):
        def situation(self, now: datetime) -> Situation:  # noqa: ARG002
            raise IndexError("no alerts")

    book = Torn()
    Pushing(book, [There("one"), There("two")], lambda: NOW_MS).deliver()
    assert book.troubles == [("one", "no alerts"), ("two", "no alerts")]


def test_nobody_else_is_told_when_it_is_no_longer_ours_to_tell() -> None:
    class Lost(Exception):
        pass

    kept = iter([None])

    def keep() -> None:
        if next(kept, Lost) is Lost:
            raise Lost

    book, one, two = Book(), There("one"), There("two")
    with pytest.raises(Lost):
        Pushing(book, [one, two], lambda: NOW_MS).deliver(keep)
    assert (len(one.alerts), len(two.alerts)) == (1, 0)
