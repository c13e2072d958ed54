"""The judge of ripe windows: whether the labelled predictions of each slice turned out as they used to.

outcomes by slice -> standing (wrong, all) -> evidence that the model is wrong more often than usual, than its scores
said, than a naive model is -> findings -> fold
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from service.alerting.state import FoldState, join
from service.judging.rollouts import Rollouts, rollout_findings, took
from service.judging.sequences import sequence_findings
from service.messages import Finding, SliceResult, WindowKey
from service.performance.baselines import USUAL, Memory, guesses, naive_metrics, remembered
from service.performance.counting import RegressionCounting, added
from service.performance.outcome_codec import outcomes_from_bytes, outcomes_to_bytes
from service.performance.standing import names_of_guesses, standing_of, usual_error_of
from service.performance.windows import Performance, SliceOutcomes
from service.scoring.answers import (
    NOTHING_SEEN,
    TOLERANCE,
    ErrorState,
    Watched,
    error_findings,
    raised_findings,
)
from service.scoring.budget import FAMILIES, MARGIN, Slices, alpha_for, nats_of

if TYPE_CHECKING:
    from service.configuration import ModelVersion
    from service.monitor import WindowSpec
    from service.performance.counting import Arrays, Counting
    from service.performance.expected import Expected
    from service.performance.standing import Standing

_TESTS = 3
"""Of a slice: wrong more often than usual, than expected, and than a naive model."""
_FEWEST = 500
"""Of so many labelled predictions a regression learns which errors are usual."""
_MEMORY = 20_000.0
"""Labelled predictions that tell what is usual: long, so that what gets worse slowly does not become it."""
_MOST_ALPHA = 0.01
_DRAW = 0.5
WRONG, UNEXPLAINED, BEATEN = "wrong_rate", "unexplained_rate", "beaten_rate"
"""The rates that people are told: of a slice, what its scores do not explain, and where a naive model wins."""


class Course(msgspec.Struct, array_like=True):
    """All that is carried from one judged window of a model to the next.

    `usual_error` of a regression is learned from the outcomes of its reference, or of the first windows (`early`).
    """

    fold: FoldState = msgspec.field(default_factory=FoldState)
    memory: Memory = msgspec.field(default_factory=Memory)
    usual_error: float | None = None
    early: bytes | None = None
    rollouts: Rollouts = msgspec.field(default_factory=Rollouts)
    sequences: dict[str, bytes] = {}


@dataclass(frozen=True, slots=True)
class Ripe:
    """A window most of whose labels have come: the outcomes of its slices, and how they were counted."""

    key: WindowKey
    counting: Counting
    slices: SliceOutcomes
    beside: Sequence[Finding] = ()
    """What else is known of all its traffic."""


@dataclass(frozen=True)
class OutcomeTerms:
    """What ripe windows are judged by: the monitor in force, the reference's wrong and all rows by segment, and how
    often predictions were to be wrong by their scores.
    """

    version: ModelVersion
    spec: WindowSpec
    errors: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    expected: Callable[[Counting, Arrays], Expected | None] | None = None
    answers: Arrays | None = None


class JudgedSlices(NamedTuple):
    """What is found of each slice, and what naive models would have made of all traffic."""

    slices: Sequence[SliceResult]
    naive: Sequence[Performance]


def judge(course: Course, window: Ripe, terms: OutcomeTerms) -> JudgedSlices:
    """Judge one window; its evidence goes into the course (which is changed)."""
    _learn_errors(course, window, terms)
    standings = {
        place: standing_of(window.counting, arrays, course.usual_error)
        for place, arrays in window.slices.items()
    }
    guessed = guesses(course.memory, window.key)
    slices = Slices(sum(not s for _, s in standings), sum(bool(s) for _, s in standings))
    rolled = _rolled(course, window, terms)
    made, naive = [], []
    for (version, segment), standing in standings.items():
        key = window.key._replace(version=version, segment=segment)
        share = FAMILIES["outcomes"] * slices.share(is_segment=bool(segment)) / _TESTS
        limit = nats_of(alpha_for(terms.version.monitor, terms.spec, share))
        one = _Slice(course, key, window, terms, standing, limit)
        found = list(one.wrong())
        if not segment:
            found += one.unexplained()
            found += one.beaten(guessed)
            found += window.beside
            place, named = join(version, key.window), terms.version.monitor.labels.detectors
            found += sequence_findings(course.sequences, place, standing, named)
            found += [rolled[version]] if version in rolled else []
            naive += [
                Performance(key, name, (metric,)) for name, metric in naive_metrics(standing, guessed).items()
            ]
        made.append(SliceResult(key, standing.rows, standing.rows, found))
    for (_, segment), standing in standings.items():
        if not segment:
            course.memory = remembered(course.memory, window.key, standing.labels)
    return JudgedSlices(made, naive)


def _rolled(course: Course, window: Ripe, terms: OutcomeTerms) -> Mapping[str, Finding]:
    """How versions compare that answered side by side in this window."""
    by_version = {version: arrays for (version, segment), arrays in window.slices.items() if not segment}
    course.rollouts = took(course.rollouts, window.key, by_version, window.counting)
    if len(by_version) == 1:
        return {}
    budget = terms.version.monitor.budget.false_pages * FAMILIES["outcomes"] / MARGIN
    return rollout_findings(course.rollouts, min(_MOST_ALPHA, budget))


def _learn_errors(course: Course, window: Ripe, terms: OutcomeTerms) -> None:
    """Which errors of a regression are large: fixed by the reference, or once enough labels have come."""
    if course.usual_error is not None or not isinstance(window.counting, RegressionCounting):
        return
    if terms.answers is not None:
        course.usual_error = usual_error_of(window.counting, terms.answers)
        return
    counting = window.counting
    seen = None if course.early is None else outcomes_from_bytes(course.early, counting)
    for (_, segment), arrays in window.slices.items():
        if not segment:
            seen = arrays if seen is None else added(seen, arrays)
    if seen is None:
        return
    if standing_of(counting, seen, None).rows >= _FEWEST:
        course.usual_error, course.early = usual_error_of(counting, seen), None
    else:
        course.early = outcomes_to_bytes(counting, seen)


@dataclass(frozen=True, slots=True)
class _Slice:
    """One slice of a window, about to be weighed."""

    course: Course
    key: WindowKey
    window: Ripe
    terms: OutcomeTerms
    standing: Standing
    limit: float

    def wrong(self) -> Sequence[Finding]:
        """Wrong more often than it used to be; of a segment, a gap to the others that was not there."""
        segment, error = self.key.segment, self.course.usual_error
        if error is None and isinstance(self.window.counting, RegressionCounting):
            return ()
        words = None if error is None else f"off by more than {error:.3g}"
        evidence = "evidence_subgroup" if segment else "evidence_wrong"
        watched = Watched(WRONG, evidence, words=words, memory=_MEMORY)
        known = self.terms.errors.get(segment) if error is None else None
        state, found = error_findings(
            self._state(watched), self.standing.wrong, self.standing.rows, known, self.limit, watched
        )
        self._keep(watched, state)
        return found

    def unexplained(self) -> Sequence[Finding]:
        """Wrong more often than the scores of these very predictions said: they no longer mean what they meant."""
        arrays = self.window.slices[self.key.version, self.key.segment]
        expected = None if self.terms.expected is None else self.terms.expected(self.window.counting, arrays)
        if expected is None or not expected.rows:
            return ()
        watched = Watched(UNEXPLAINED, "evidence_unexplained")
        state, found = raised_findings(
            self._state(watched), (expected.wrong, expected.rows), min(0.99, expected.at_most + TOLERANCE),
            self.limit, watched,
        )  # fmt: skip
        self._keep(watched, state)
        return found

    def beaten(self, guessed: Mapping[str, float]) -> Sequence[Finding]:
        """Beaten by always saying the usual, more often than it used to be, and than in every other case."""
        if USUAL not in guessed:
            return ()
        guess = guessed[USUAL]
        said = names_of_guesses(self.window.counting).get(int(guess), f"{guess:.4g}")
        watched = Watched(BEATEN, "evidence_baseline", _DRAW, said, _MEMORY)
        duel = self.standing.duel(guess)
        state, found = error_findings(self._state(watched), duel.lost, duel.rows, None, self.limit, watched)
        self._keep(watched, state)
        return found

    def _name(self, watched: Watched) -> str:
        return join(self.key.version, self.key.segment, self.key.window, watched.evidence)

    def _state(self, watched: Watched) -> ErrorState:
        return ErrorState(*self.course.fold.errors.get(self._name(watched), NOTHING_SEEN))

    def _keep(self, watched: Watched, state: ErrorState) -> None:
        self.course.fold.errors[self._name(watched)] = state
