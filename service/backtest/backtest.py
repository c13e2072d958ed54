"""The course of a back-test: the panes of each model, judged by other monitors in the order of time, in memory.

It reads one moment of the database, through a transaction in which the server lets nothing be written. Panes are read
when a window needs them; what else is kept is what late rows could reach, as in a replay. No clock has a say in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.backtest.answerable import LOG, Answerable, Asked, answerable, segments_in
from service.backtest.hindsight import Heard, Hindsight, hindsight_of
from service.errors import ConfigurationError
from service.evaluation.evaluation import Evaluation
from service.evaluation.results import NEVER_MS
from service.messages import Alert, Evaluated, PaneRow, State, iso
from service.monitor import DAY_MS
from service.replay import MemoryResults, Sink, Tally, tell
from service.scoring.scorer import AllRows
from service.sketches.pane import PaneSketch
from service.store.configuration import load_configuration
from service.store.marked import remembered_of
from service.store.snapshot import one_moment
from service.store.stored_panes import StoredPanes

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.configuration import ModelVersion
    from service.monitor import Monitor
    from service.scoring.usual import Reference

WARM_UP_MS = 7 * DAY_MS
"""With a begin, so much before it is judged too, and not told: by then it is known what is usual."""
_PAGE_MS = DAY_MS
"""So much of event time is looked at together; the next page begins where the windows of this one are judged."""


@dataclass(frozen=True, slots=True)
class Span:
    """Event times after `from_ms` and up to `to_ms` are told of; None: all that is stored."""

    from_ms: int | None = None
    to_ms: int | None = None

    def end_of(self, reached_ms: int) -> int:
        """Where it ends, given up to where all is stored."""
        return reached_ms if self.to_ms is None else min(self.to_ms, reached_ms)


@dataclass(frozen=True, slots=True)
class Backtested:
    """What one monitor would have told, beside what people said of what was told."""

    monitor: Monitor
    tally: Tally
    hindsight: Hindsight
    panes: int = 0
    notes: tuple[str, ...] = ()


class StoredResults(MemoryResults):
    """Results of one model in memory, over panes in the store that start before `until_ms`."""

    def __init__(
        self, panes: StoredPanes, segments: Sequence[str], whole_from_ms: int, start_ms: int
    ) -> None:
        super().__init__(panes.losses())
        self._stored_panes = panes
        self._segments = segments
        self._whole_from_ms = whole_from_ms
        self._start_ms = start_ms
        self.until_ms = start_ms

    def pane_totals(self, since_ms: int) -> Mapping[int, int]:
        return self._stored_panes.totals(max(since_ms, self._start_ms), self.until_ms)

    def panes(self, start_ms: int, end_ms: int, segment: str | None = None) -> Iterable[PaneRow]:
        first, last = max(start_ms, self._whole_from_ms), min(end_ms, self.until_ms)
        rows = self._stored_panes.between(first, last, () if segment == "" else self._segments)
        return [row for row in rows if segment is None or row.key.segment == segment]


@dataclass(frozen=True, slots=True)
class _Course:
    """What is judged of one model: windows from `start_ms` on, of which those after `since_ms` are told."""

    monitor: Monitor
    panes: StoredPanes
    whole_from_ms: int
    start_ms: int
    since_ms: int
    until_ms: int
    count: int
    notes: tuple[str, ...]

    @property
    def pages(self) -> int:
        """How many times `progress` will be told of it."""
        return max(0, -(-(self.until_ms - self.start_ms) // _PAGE_MS))


@dataclass
class Backtest:
    """One pass over the stored panes of some models. `progress` is told of each day of event time.

    `begun` is told beforehand how many days that are. What either of them or the sink raises ends the pass.
    """

    engine: Engine
    evaluation: Evaluation
    span: Span
    sink: Sink
    progress: Callable[[int], None] = lambda _: None
    begun: Callable[[int], None] = lambda _: None
    _then: Mapping[str, Sequence[ModelVersion]] = field(default_factory=dict)

    def run(self) -> tuple[Backtested, ...]:
        """Judge all. Raises ConfigurationError with all that the panes cannot answer."""
        self._then = load_configuration(self.engine).models
        with one_moment(self.engine) as connection:
            courses = self._courses(connection)
            self.begun(sum(one.pages for one in courses))
            return tuple(self._judge(connection, one) for one in courses)

    def _courses(self, connection: Connection) -> list[_Course]:
        problems: list[str] = []
        courses = []
        for _, versions in sorted(self.evaluation.configuration.models.items()):
            try:
                courses.append(self._course(connection, versions[-1]))
            except ConfigurationError as why:
                problems += why.problems
        if problems:
            raise ConfigurationError(*problems)
        return courses

    def _course(self, connection: Connection, version: ModelVersion) -> _Course:
        monitor = version.monitor
        panes = StoredPanes(connection, monitor.model)
        until = self.span.end_of(panes.reached_ms(monitor.disorder_ms))
        counted = [one for one in panes.counted() if one.first_ms < until]
        if not counted:
            raise ConfigurationError(_nothing_of(monitor.model, self.span))
        asked = Asked(version, _reference_of(self.evaluation, version), self.span.from_ms)
        found = answerable(asked, counted, self._then.get(monitor.model, ()), self.evaluation.grid)
        first = panes.first_inferences_ms()
        problems, notes = segments_in(monitor, panes.first_of_segment_ms, until if first is None else first)
        if found.problems or problems:
            raise ConfigurationError(*found.problems, *problems)
        whole_from, start = _begin(monitor, counted[0].first_ms, found, self.span.from_ms)
        since = NEVER_MS if self.span.from_ms is None else self.span.from_ms
        count = sum(one.panes for one in counted)
        return _Course(monitor, panes, whole_from, start, since, until, count, found.notes + notes)

    def _judge(self, connection: Connection, course: _Course) -> Backtested:
        model, telling = course.monitor.model, _Telling(self.sink, course.since_ms)
        results = StoredResults(course.panes, course.monitor.segments, course.whole_from_ms, course.start_ms)
        while results.until_ms < course.until_ms:
            results.until_ms = min(results.until_ms + _PAGE_MS, course.until_ms)
            while (step := self.evaluation.advance(model, results, results.until_ms)) is not None:
                results.save(step)
                telling.take(step, results.untold(step.alerts))
            self.progress(1)
        since = max(course.since_ms, course.start_ms)
        remembered = remembered_of(connection, model, since, course.until_ms)
        hindsight = hindsight_of(telling.heard, remembered, since, course.until_ms)
        return Backtested(course.monitor, telling.tally, hindsight, course.count, course.notes)


class _Telling:
    """Tells what comes after `since_ms`, and nothing of incidents that rang before: their page was theirs."""

    def __init__(self, sink: Sink, since_ms: int) -> None:
        self.tally = Tally()
        self.heard = Heard()
        self._sink = sink
        self._since_ms = since_ms
        self._rang_before: set[str] = set()

    def take(self, step: Evaluated, news: Sequence[Alert]) -> None:
        """Take one step and what is news in it."""
        for alert in news:
            if alert.at_ms <= self._since_ms and alert.state is State.FIRING:
                self._rang_before.add(alert.incident)
        alerts = [a for a in news if a.at_ms > self._since_ms and a.incident not in self._rang_before]
        tell(self._sink, self.tally, [r for r in step.results if r.key.end_ms > self._since_ms], alerts)
        self.heard.hear(alerts)


def _reference_of(evaluation: Evaluation, version: ModelVersion) -> Reference | None:
    found = evaluation.profile(version.reference_name) if version.reference_name else None
    return AllRows(found) if isinstance(found, PaneSketch) else found


def _begin(monitor: Monitor, first_ms: int, found: Answerable, from_ms: int | None) -> tuple[int, int]:
    """From where on panes are read, and windows judged: at a border of the longest window, a week before `from_ms`."""
    whole_from = first_ms if found.since_ms is None else max(first_ms, found.since_ms)
    if from_ms is None:
        return whole_from, whole_from
    longest = max(spec.length_ms for spec in monitor.windows)
    warm = from_ms - WARM_UP_MS
    return whole_from, max(whole_from, warm - warm % longest)


def _nothing_of(model: str, span: Span) -> str:
    if span.to_ms is not None:
        return f"no panes of {model} are stored up to {iso(span.to_ms)}; say a later --to, or {LOG}"
    return f"no panes of {model} are stored; let `driftbell collect` count its events first, or {LOG}"
