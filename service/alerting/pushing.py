"""Keeps Alertmanagers told of what is open: every minute, at once when something changes, and until it is over.

What they are told follows from what is stored, so that nothing is lost with a process, a reply or an Alertmanager.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from service.alerting.delivery import Keep
from service.alerting.incident_alerts import (
    OpenIncident,
    alert_of,
    ended,
    fingerprint_of,
    guards,
    in_batches,
    labels_of,
)
from service.alerting.shared_silences import (
    Before,
    Link,
    Plan,
    TheirSilence,
    Wanted,
    link_of,
    plan,
    silence_of,
    theirs,
)
from service.alerting.words import Said
from service.moments import time_at
from service.monitor import MINUTE_MS

log = logging.getLogger("driftbell.alerts")

RESENT_MS = MINUTE_MS
_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS = 2_000, MINUTE_MS
_TROUBLES = (OSError, LookupError, TypeError, ValueError)


class Sent(NamedTuple):
    """An alert that an Alertmanager was sent as firing, and not as over yet."""

    incident: str
    fingerprint: str
    labels: Mapping[str, str]
    since_ms: int


@dataclass(frozen=True, slots=True)
class Situation:
    """What Alertmanagers should know: incidents that ring, models whose incidents we push, and our silences."""

    incidents: Sequence[OpenIncident]
    models: Sequence[str]
    silences: Mapping[Wanted, Said]


@dataclass(frozen=True, slots=True)
class Told:
    """What one of them knows now, and which silences of ours were ended there.

    `trouble`: why not all of its silences are known; None for the links says that nothing new is known of them.
    """

    sent: Sequence[Sent]
    links: Sequence[Link] | None
    ended_there: frozenset[int]
    trouble: str | None = None


class Register(Protocol):
    """Where it is stored what there is to tell, and what each Alertmanager was told."""

    def news(self) -> object:
        """Something that differs from before when there may be something to tell."""

    def situation(self, now: datetime) -> Situation:
        """What they should know."""

    def before(self, alertmanager: str) -> tuple[Sequence[Sent], Before]:
        """What it was told, and what was made there."""

    def told(self, alertmanager: str, told: Told, now: datetime) -> None:
        """It has taken all of it, but for a trouble with its silences."""

    def failed(self, alertmanager: str, trouble: str) -> None:
        """It has not, or not all."""


class Receiver(Protocol):
    """An Alertmanager; raises OSError when it is away or will not have something."""

    name: str

    def push(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Tell it of alerts."""

    def silences(self) -> Mapping[str, TheirSilence | None]:
        """All that it knows, by their ids; None for one that is not understood."""

    def silent_by(self) -> Mapping[str, Sequence[str]]:
        """The ids of the silences that each of our incidents is silent by."""

    def make_silence(self, silence: Mapping[str, Any]) -> str:
        """Make a silence; its id."""

    def end_silence(self, silence: str) -> None:
        """End it now."""


@dataclass
class _Course:
    """When to tell one of them again, and how often in a row that failed."""

    again_at_ms: int = 0
    failures: int = 0
    news: object = None


@dataclass
class Pushing:
    """To be asked at every turn of the loop that delivers. One that is away is tried again, less and less often, and
    holds no other up.
    """

    register: Register
    receivers: Sequence[Receiver]
    clock_ms: Callable[[], int]
    public_url: str | None = None
    count: Callable[[str], None] = lambda _: None
    _courses: dict[str, _Course] = field(default_factory=dict)

    def deliver(self, keep: Keep = lambda: None) -> None:
        """Tell those whose turn it is. `keep` is called before each, and raises when it is no longer ours to tell."""
        now_ms, news = self.clock_ms(), self.register.news()
        due = [one for one in self.receivers if self._is_due(one, now_ms, news)]
        if not due:
            return
        now = time_at(now_ms)
        try:
            situation = self.register.situation(now)
        except _TROUBLES as why:
            for receiver in due:
                self._fail(receiver, str(why), now_ms)
            return
        for receiver in due:
            keep()
            try:
                told = self._tell(receiver, situation, now_ms, now)
                self.register.told(receiver.name, told, now)
            except _TROUBLES as why:
                self._fail(receiver, str(why), now_ms)
            else:
                if told.trouble is None:
                    self._succeed(receiver, _Course(now_ms + RESENT_MS, 0, news))
                else:
                    self._fail(receiver, told.trouble, now_ms)

    def _is_due(self, receiver: Receiver, now_ms: int, news: object) -> bool:
        course = self._courses.setdefault(receiver.name, _Course())
        return now_ms >= course.again_at_ms or (not course.failures and news != course.news)

    def _succeed(self, receiver: Receiver, course: _Course) -> None:
        if self._courses[receiver.name].failures:
            log.warning("the Alertmanager %s takes incidents again", receiver.name)
        self._courses[receiver.name] = course
        self.count("pushed")

    def _fail(self, receiver: Receiver, why: str, now_ms: int) -> None:
        course = self._courses[receiver.name]
        if not course.failures:
            log.warning("the Alertmanager %s does not take incidents: %s; trying again", receiver.name, why)
        pause_ms = min(_LONGEST_PAUSE_MS, _FIRST_PAUSE_MS * 2 ** min(course.failures, 10))
        self._courses[receiver.name] = _Course(now_ms + pause_ms, course.failures + 1)
        self.register.failed(receiver.name, why)
        self.count("push_failed")

    def _tell(self, receiver: Receiver, situation: Situation, now_ms: int, now: datetime) -> Told:
        """Silences first, so that nobody is woken by what is silent here; a trouble with them keeps no page back."""
        sent, before = self.register.before(receiver.name)
        shared, trouble = None, None
        try:
            shared = _share(receiver, situation.silences, before, now)
        except _TROUBLES as why:
            trouble = f"its silences: {why}"
        firing = [_sent_of(one) for one in situation.incidents]
        still = {one.fingerprint for one in firing}
        alerts = [
            *(alert_of(one, self.public_url, now_ms) for one in situation.incidents),
            *guards(situation.models, now_ms),
            *(ended(one.labels, one.since_ms, now_ms) for one in sent if one.fingerprint not in still),
        ]
        for batch in in_batches(alerts):
            receiver.push(batch)
        if shared is None:
            return Told(firing, None, frozenset(), trouble)
        links = [*shared.ours, *theirs(shared.seen, receiver.silent_by(), shared.ours)]
        return Told(firing, links, shared.ended_there, shared.trouble)


class _Shared(NamedTuple):
    """Silences of ours there, all that are understood there, those ended there, and what is wrong with the others."""

    ours: Sequence[Link]
    seen: Mapping[str, TheirSilence]
    ended_there: frozenset[int]
    trouble: str | None


def _share(receiver: Receiver, wanted: Mapping[Wanted, Said], before: Before, now: datetime) -> _Shared:
    """Make and end there what people said here. What is not understood there stays as it is."""
    found = receiver.silences()
    seen = {name: one for name, one in found.items() if one is not None}
    stay = [one for one in before.links if one.id in found.keys() - seen.keys()]
    at = {Wanted(one.word, one.incident) for one in stay if one.word is not None}
    planned = plan(
        {one: said for one, said in wanted.items() if one not in at},
        Before([one for one in before.links if one not in stay], before.until), seen, now,
    )  # fmt: skip
    ours = [*stay, *planned.keep, *_made(receiver, planned, now)]
    for silence in planned.end:
        receiver.end_silence(silence)
    unread = len(found) - len(seen)
    trouble = f"{unread} of its silences are not understood" if unread else None
    return _Shared(ours, seen, planned.ended_there, trouble)


def _made(receiver: Receiver, planned: Plan, now: datetime) -> list[Link]:
    return [
        link_of(receiver.make_silence(silence_of(at, said, now)), at, said, now) for at, said in planned.make
    ]


def _sent_of(one: OpenIncident) -> Sent:
    labels = labels_of(one)
    return Sent(one.id, fingerprint_of(labels), labels, one.since_ms)
