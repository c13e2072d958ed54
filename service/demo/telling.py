"""What the demo's terminal says of alerts: one sentence for each thing that breaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from service.alerting.rules import CONTRACT, SCHEMA
from service.demo.script import Step
from service.messages import Severity, State
from service.monitor import parse_duration

if TYPE_CHECKING:
    from service.store.result_queries import AlertRow

_SENTENCES_AT_ONCE = 3
_SEVERITIES = [severity.value for severity in Severity]
_ASPECTS = {
    "silence": "traffic", "relation": "relation of features", "labels": "choice of labels",
    CONTRACT: "data contract", SCHEMA: "set of fields",
}  # fmt: skip
"""What an alert without a column is about, by its rule; all others are about labelled predictions."""


class Subject(NamedTuple):
    """What alerts are about: a column of a model, or what a rule looks at in one of its segments ('': in all rows)."""

    model: str
    feature: str
    segment: str
    aspect: str

    @property
    def words(self) -> str:
        """How a sentence names it."""
        return self.feature or f"{self.aspect}{f' of {self.segment}' if self.segment else ''}"


class Line(NamedTuple):
    """One line for the terminal."""

    state: State
    severity: str
    text: str


@dataclass
class Noticed:
    """A step of the script that began, and after how many seconds an alert named it (None: not yet)."""

    step: Step
    began_ms: int
    after_seconds: float | None = None


@dataclass
class _Open:
    """A subject that rings: since when, and the alerts about it."""

    since_ms: int
    firing: set[str] = field(default_factory=set)
    total: int = 0


class Telling:
    """Follows alerts and script, and says each thing once. The newest alerts are given again and again."""

    def __init__(self, known: Iterable[AlertRow] = ()) -> None:
        self.noticed: list[Noticed] = []
        self.fired = 0
        self.first_at_ms: int | None = None
        self._states = {row.id: row.state for row in known}
        self._open: dict[Subject, _Open] = {}

    @property
    def firing(self) -> int:
        """How many alerts fire now."""
        return sum(len(one.firing) for one in self._open.values())

    def begun(self, step: Step, at_ms: int) -> None:
        """A step of the script has begun."""
        if step.fault is not None:
            self.noticed.append(Noticed(step, at_ms))

    def take(self, rows: Sequence[AlertRow], now_ms: int) -> list[Line]:
        """What is new among these alerts, in words."""
        changed = [row for row in rows if self._states.get(row.id) != row.state]
        self._states = {row.id: row.state for row in rows}
        return [
            *self._fire([r for r in changed if r.state == State.FIRING], now_ms),
            *self._resolve(changed, now_ms),
        ]

    def _fire(self, rows: Sequence[AlertRow], now_ms: int) -> list[Line]:
        fresh = [row for row in sorted(rows, key=_importance) if self._is_news(row, now_ms)]
        self.fired += len(rows)
        if rows and self.first_at_ms is None:
            self.first_at_ms = now_ms
        for row in rows:
            self._notice(row, now_ms)
        lines: list[Line] = []
        for model, of_model in groupby(sorted(fresh, key=lambda row: row.model), key=lambda row: row.model):
            lines += _sentences(model, list(of_model))
        return lines

    def _is_news(self, row: AlertRow, now_ms: int) -> bool:
        subject = _subject(row)
        news = subject not in self._open
        one = self._open.setdefault(subject, _Open(now_ms))
        one.firing.add(row.id)
        one.total += 1
        return news

    def _notice(self, row: AlertRow, now_ms: int) -> None:
        for one in self.noticed:
            named = row.feature in one.step.columns or (
                not row.feature and row.segment == one.step.segment != ""
            )
            if one.after_seconds is None and row.model == one.step.model and named:
                one.after_seconds = (now_ms - one.began_ms) / 1000

    def _resolve(self, rows: Sequence[AlertRow], now_ms: int) -> list[Line]:
        lines = []
        for row in rows:
            one = self._open.get(_subject(row))
            if row.state != State.RESOLVED or one is None or row.id not in one.firing:
                continue
            one.firing.discard(row.id)
            if not one.firing:
                del self._open[_subject(row)]
                lines.append(Line(State.RESOLVED, row.severity, _resolved(_subject(row), one, now_ms)))
        return lines


def _subject(row: AlertRow) -> Subject:
    if row.feature:
        return Subject(row.model, row.feature, "", "")
    return Subject(row.model, "", row.segment, _ASPECTS.get(row.rule, "performance"))


def _importance(row: AlertRow) -> tuple[int, bool, int]:
    """Pages first, the whole model before its segments, the shortest window first."""
    return _SEVERITIES.index(row.severity), row.segment != "", parse_duration(row.window.partition("/")[0])


def _sentences(model: str, rows: Sequence[AlertRow]) -> list[Line]:
    """The worst in full, the rest by name."""
    lines = [Line(State.FIRING, row.severity, row.summary) for row in rows[:_SENTENCES_AT_ONCE]]
    others = [_subject(row).words for row in rows[_SENTENCES_AT_ONCE:]]
    if others:
        lines.append(
            Line(State.FIRING, rows[_SENTENCES_AT_ONCE].severity, f"{model}: with it {_listed(others)}")
        )
    return lines


def _resolved(subject: Subject, one: _Open, now_ms: int) -> str:
    alerts = "1 alert" if one.total == 1 else f"{one.total} alerts of windows and segments"
    seconds = (now_ms - one.since_ms) / 1000
    return f"{subject.model}: {subject.words} is as usual again, after {seconds:.0f} s ({alerts})"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
