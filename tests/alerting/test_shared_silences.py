"""Silences of both sides agree, whoever made or ended them, and whatever got lost between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from service.alerting.shared_silences import (
    Before,
    Link,
    TheirSilence,
    Wanted,
    is_of,
    link_of,
    plan,
    silence_of,
    theirs,
)
from service.alerting.words import Said, Word

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
AT = Wanted(12, "i-1")
SAID = Said(12, "i-1", "churn", Word.SILENCED, "anna", "known", NOW, NOW + HOUR)
LINK = link_of("s-1", AT, SAID, NOW)
THERE = TheirSilence("s-1", "active", NOW + HOUR, "anna", "known (driftbell silence 12)", "i-1")


def before(*links: Link, until: datetime | None = NOW + HOUR) -> Before:
    return Before(links, {12: until})


def test_what_is_not_there_yet_is_made_there() -> None:
    found = plan({AT: SAID}, before(), {}, NOW)
    assert (found.make, found.end, found.keep) == (((AT, SAID),), (), ())


def test_what_is_there_is_kept_and_made_no_second_time() -> None:
    found = plan({AT: SAID}, before(LINK), {"s-1": THERE}, NOW)
    assert (found.make, found.keep) == ((), (LINK,))


def test_one_whose_making_was_not_heard_of_is_found_again() -> None:
    found = plan({AT: SAID}, before(), {"s-1": THERE, "s-2": replace(THERE, id="s-2", state="expired")}, NOW)
    assert (found.make, found.keep) == ((), (LINK,))


def test_another_s_words_are_not_taken_for_ours() -> None:
    assert not is_of(replace(THERE, incident="i-2"), AT)
    assert not is_of(replace(THERE, why="known (driftbell silence 112)"), AT)
    assert not is_of(replace(THERE, why="known"), AT)


def test_what_is_ended_here_is_ended_there() -> None:
    found = plan({}, before(LINK), {"s-1": THERE}, NOW)
    assert (found.end, found.keep, found.ended_there) == (("s-1",), (), frozenset())


def test_what_was_made_longer_there_outlives_its_time_here() -> None:
    longer = replace(THERE, until_at=NOW + 9 * HOUR)
    kept = plan({AT: SAID}, before(LINK), {"s-1": longer}, NOW).keep
    found = plan({}, before(*kept), {"s-1": longer}, NOW + HOUR)
    assert (kept[0].until_at, found.end) == (NOW + 9 * HOUR, ())


def test_what_is_ended_there_is_ended_here() -> None:
    expired = replace(THERE, state="expired", until_at=NOW)
    found = plan({AT: SAID}, before(LINK), {"s-1": expired}, NOW + timedelta(minutes=1))
    assert (found.ended_there, found.make, found.keep) == ({12}, (), ())


def test_what_ended_there_by_its_time_was_ended_by_nobody() -> None:
    over = replace(THERE, state="expired")
    found = plan({AT: SAID}, before(LINK), {"s-1": over}, NOW + HOUR)
    assert (found.ended_there, found.make) == (frozenset(), ())


def test_what_was_forgotten_there_is_made_again() -> None:
    found = plan({AT: SAID}, before(LINK), {}, NOW)
    assert (found.make, found.ended_there) == (((AT, SAID),), frozenset())


def test_one_without_an_end_is_made_for_a_year() -> None:
    made = silence_of(AT, replace(SAID, until_at=None), NOW)
    assert made["endsAt"] == "2027-11-22T00:00:00+00:00"
    assert [(m["name"], m["value"]) for m in made["matchers"]] == [
        ("alertname", "DriftbellIncident"), ("incident", "i-1"),
    ]  # fmt: skip


def test_those_made_there_are_told_beside_ours() -> None:
    seen = {"s-1": THERE, "s-2": replace(THERE, id="s-2", who="bert", why="mine")}
    (found,) = theirs(seen, {"i-1": ["s-1", "s-2", "gone"]}, [LINK])
    assert (found.id, found.incident, found.word, found.who) == ("s-2", "i-1", None, "bert")
