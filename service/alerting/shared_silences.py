"""Silences on both sides: what is to be made, ended and taken over, of what people said here and at an Alertmanager.

Ours are made there once for each incident that they cover, and found again by the words in their comment, so that a
lost reply, a second of us or a cluster that shares them makes no more of them. Who ends one there has ended it here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from service.alerting.incident_alerts import ALERT_NAME
from service.alerting.words import Said

EXPIRED = "expired"
_SLACK = timedelta(seconds=30)
"""Clocks may differ so far; what ends earlier than said was ended by somebody."""


class Wanted(NamedTuple):
    """A silence of ours over an incident."""

    word: int
    incident: str


@dataclass(frozen=True, slots=True)
class TheirSilence:
    """A silence as an Alertmanager tells it; `state` is pending, active or expired."""

    id: str
    state: str
    until_at: datetime
    who: str
    why: str
    incident: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is not over."""
        return self.state != EXPIRED


@dataclass(frozen=True, slots=True)
class Link:
    """A silence at an Alertmanager that an incident of ours is silent by; `word` is ours that it was made for."""

    id: str
    incident: str
    word: int | None
    who: str
    why: str
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Before:
    """What was made there before, and until when each of our words is to hold (None: until somebody ends it)."""

    links: Sequence[Link]
    until: Mapping[int, datetime | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Silences to make, ids of those to end there, words of ours that were ended there, links that stay."""

    make: tuple[tuple[Wanted, Said], ...]
    end: tuple[str, ...]
    ended_there: frozenset[int]
    keep: tuple[Link, ...]


def plan(
    wanted: Mapping[Wanted, Said],
    before: Before,
    seen: Mapping[str, TheirSilence],
    now: datetime,
) -> Plan:
    """`seen` are all silences there by their ids. What is over here by its time ends there by theirs."""
    keep: dict[Wanted, Link] = {}
    end: list[str] = []
    ended_there: set[int] = set()
    for link in before.links:
        if link.word is None:
            continue
        at, there = Wanted(link.word, link.incident), seen.get(link.id)
        if at not in wanted:
            until = before.until.get(link.word)
            is_early = until is None or until > now
            end += [link.id] if there is not None and there.holds and is_early else []
        elif there is not None and there.holds:
            keep[at] = _linked(there, at)
        elif there is not None and there.until_at < link.until_at - _SLACK:
            ended_there.add(link.word)
    for at in wanted.keys() - keep.keys():
        found = next((one for one in seen.values() if one.holds and is_of(one, at)), None)
        if found is not None and at.word not in ended_there:
            keep[at] = _linked(found, at)
    make = tuple(
        (at, said)
        for at, said in sorted(wanted.items())
        if at not in keep
        and at.word not in ended_there
        and (said.until_at is None or said.until_at > now + _SLACK)
    )
    return Plan(make, tuple(end), frozenset(ended_there), tuple(keep.values()))


def _linked(there: TheirSilence, at: Wanted) -> Link:
    return Link(there.id, at.incident, at.word, there.who, there.why, there.until_at)


def is_of(there: TheirSilence, at: Wanted) -> bool:
    """Whether it was made for this one of ours."""
    return there.incident == at.incident and there.why.endswith(_tag(at.word))


def _tag(word: int) -> str:
    return f"(driftbell silence {word})"


def silence_of(at: Wanted, said: Said, now: datetime) -> dict[str, Any]:
    """The silence as Alertmanager takes it."""
    return {
        "matchers": [
            {"name": name, "value": value, "isRegex": False, "isEqual": True}
            for name, value in (("alertname", ALERT_NAME), ("incident", at.incident))
        ],
        "startsAt": now.isoformat(),
        "endsAt": (said.until_at or now + timedelta(days=365)).isoformat(),
        "createdBy": said.who,
        "comment": f"{said.why} {_tag(at.word)}",
    }


def link_of(made: str, at: Wanted, said: Said, now: datetime) -> Link:
    """What is remembered of one that was just made."""
    until = said.until_at or now + timedelta(days=365)
    return Link(made, at.incident, at.word, said.who, f"{said.why} {_tag(at.word)}", until)


def theirs(
    seen: Mapping[str, TheirSilence], silent_by: Mapping[str, Sequence[str]], ours: Sequence[Link]
) -> list[Link]:
    """What incidents are silent by that was not made for a silence of ours; `silent_by` are ids by incident."""
    known = {(one.id, one.incident) for one in ours}
    return [
        Link(one.id, incident, None, one.who, one.why, one.until_at)
        for incident, ids in sorted(silent_by.items())
        for silence in ids
        if (one := seen.get(silence)) is not None and (one.id, incident) not in known
    ]
