"""The judge of ripe windows: whether the labelled predictions of each slice turned out as they used to.

outcomes by slice -> standing (wrong, all) -> evidence that the model is wrong more often than usual, than its scores
said, than a naive model is -> findings -> fold
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from service.alerting.state import FoldState
from service.judging.rates import Rates, forget_old, rate_of, weighed, weighed_against
from service.judging.rollouts import Rollouts, rollout_findings, took, without_old
from service.judging.sequences import sequence_findings
from service.messages import Finding, SliceResult, WindowKey
from service.performance.baselines import USUAL, Memory, guesses, naive_metrics, remembered
from service.performance.counting import RegressionCounting, added
from service.performance.outcome_codec import outcomes_from_bytes, outcomes_to_bytes
from service.performance.standing import names_of_guesses, standing_of, usual_error_of
from service.performance.windows import Performance, SliceOutcomes
from service.scoring.answers import TOLERANCE, Watched
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
_MOST_ALPHA = 0.01
_DRAW = 0.5
WRONG, UNEXPLAINED, BEATEN = "wrong_rate", "unexplained_rate", "beaten_rate"
"""The rates that people are told: of a slice, what its scores do not explain, and where a naive model wins."""


class Known(msgspec.Struct, array_like=True):
    """What is known of a model's answers, as long as they are counted alike and against one reference (`counted`).

    `usual_error` of a regression is learned from the outcomes of its reference, or of the first windows (`early`).
    `bias` is what was found last of the predictions that labels come for.
    """

    counted: str = ""
    started_ms: int = 0
    rates: Rates = {}
    memory: Memory = msgspec.field(default_factory=Memory)
    usual_error: float | None = None
    early: bytes | None = None
    rollouts: Rollouts = msgspec.field(default_factory=Rollouts)
    sequences: dict[str, bytes] = {}
    bias: tuple[Finding, ...] = ()


class Rung(msgspec.Struct, array_like=True):
    """An alert as people were told of it: its id, its incident, and since when."""

    id: str
    incident: str
    since_ms: int


class Course(msgspec.Struct, array_like=True):
    """All that is carried from one judged window to the next: alerts, those that rang of late, what is known."""

    fold: FoldState = msgspec.field(default_factory=FoldState)
    known: Known = msgspec.field(default_factory=Known)
    rung: dict[str, list[Rung]] = {}


@dataclass(frozen=True, slots=True)
class Ripe:
    """A window most of whose labels have come: the outcomes of its slices, and how they were counted.

    `bias`: what is found of the predictions that labels come for; None where that was not looked at.
    """

    key: WindowKey
    counting: Counting
    slices: SliceOutcomes
    bias: tuple[Finding, ...] | None = None


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
    known = _known(course, window, terms)
    _learn_errors(known, window, terms)
    standings = {
        place: standing_of(window.counting, arrays, known.usual_error)
        for place, arrays in window.slices.items()
    }
    guessed = guesses(known.memory, window.key)
    slices = Slices(sum(not s for _, s in standings), sum(bool(s) for _, s in standings))
    rolled = _rolled(known, window, terms)
    largest = (
        max((standing.rows, v) for (v, s), standing in standings.items() if not s)[1] if standings else ""
    )
    made, naive = [], []
    for (version, segment), standing in standings.items():
        key = window.key._replace(version=version, segment=segment)
        share = FAMILIES["outcomes"] * slices.share(is_segment=bool(segment)) / _TESTS
        limit = nats_of(alpha_for(terms.version.monitor, terms.spec, share))
        one = _Slice(known, key, window, terms, standing, limit)
        found = list(one.wrong())
        if not segment:
            found += one.unexplained()
            found += one.beaten(guessed)
            found += known.bias if version == largest else ()
            found += one.sequences()
            found += [rolled[version]] if version in rolled else []
            naive += [
                Performance(key, name, (metric,)) for name, metric in naive_metrics(standing, guessed).items()
            ]
        made.append(SliceResult(key, standing.rows, standing.rows, found))
    for (_, segment), standing in standings.items():
        if not segment:
            known.memory = remembered(known.memory, window.key, standing.labels)
    _forget(known, window.key)
    return JudgedSlices(made, naive)


def _known(course: Course, window: Ripe, terms: OutcomeTerms) -> Known:
    """What is known so far; nothing where rows are counted in another way now, or held against another reference."""
    counted = f"{window.counting.identity} against {terms.version.reference_name}"
    if course.known.counted != counted:
        course.known = Known(counted, window.key.start_ms)
    if window.bias is not None:
        course.known.bias = window.bias
    return course.known


def _forget(known: Known, window: WindowKey) -> None:
    """Versions that were not heard of for long are not carried on."""
    versions = forget_old(known.rates, window)
    known.rollouts = without_old(known.rollouts, versions)
    known.sequences = {
        name: state for name, state in known.sequences.items() if name.split("\x1f", 1)[0] in versions
    }


def _rolled(known: Known, window: Ripe, terms: OutcomeTerms) -> Mapping[str, Finding]:
    """How versions compare that answered side by side in this window."""
    by_version = {version: arrays for (version, segment), arrays in window.slices.items() if not segment}
    known.rollouts = took(known.rollouts, window.key, by_version, window.counting)
    if len(by_version) == 1:
        return {}
    budget = terms.version.monitor.budget.false_pages * FAMILIES["outcomes"] / MARGIN
    return rollout_findings(known.rollouts, min(_MOST_ALPHA, budget))


def _learn_errors(known: Known, window: Ripe, terms: OutcomeTerms) -> None:
    """Which errors of a regression are large: fixed by the reference, or once enough labels have come."""
    if known.usual_error is not None or not isinstance(window.counting, RegressionCounting):
        return
    if terms.answers is not None:
        known.usual_error = usual_error_of(window.counting, terms.answers)
        return
    counting = window.counting
    seen = None if known.early is None else outcomes_from_bytes(known.early, counting)
    for (_, segment), arrays in window.slices.items():
        if not segment:
            seen = arrays if seen is None else added(seen, arrays)
    if seen is None:
        return
    if standing_of(counting, seen, None).rows >= _FEWEST:
        known.usual_error, known.early = usual_error_of(counting, seen), None
    else:
        known.early = outcomes_to_bytes(counting, seen)


@dataclass(frozen=True, slots=True)
class _Slice:
    """One slice of a window, about to be weighed."""

    known: Known
    key: WindowKey
    window: Ripe
    terms: OutcomeTerms
    standing: Standing
    limit: float

    def wrong(self) -> Sequence[Finding]:
        """Wrong more often than it used to be; of a segment, a gap to the others that was not there."""
        segment, error = self.key.segment, self.known.usual_error
        if error is None and isinstance(self.window.counting, RegressionCounting):
            return ()
        words = None if error is None else f"off by more than {error:.3g}"
        evidence = "evidence_subgroup" if segment else "evidence_wrong"
        reference = self.terms.errors.get(segment) if error is None else None
        counted = self.standing.wrong, self.standing.rows
        watched = Watched(WRONG, evidence, words=words)
        return weighed(self.known.rates, self.key, counted, reference, self.limit, watched)

    def unexplained(self) -> Sequence[Finding]:
        """Wrong more often than the scores of these very predictions said: they no longer mean what they meant."""
        expect = self.terms.expected
        expected = None if expect is None else expect(self.window.counting, self._arrays)
        if expected is None or not expected.rows:
            return ()
        usual, counted = min(0.99, expected.at_most + TOLERANCE), (expected.wrong, expected.rows)
        watched = Watched(UNEXPLAINED, "evidence_unexplained")
        return weighed_against(self.known.rates, self.key, counted, usual, self.limit, watched)

    def beaten(self, guessed: Mapping[str, float]) -> Sequence[Finding]:
        """Beaten by always saying the usual, more often than it used to be, and than in every other case."""
        if USUAL not in guessed:
            return ()
        guess = guessed[USUAL]
        said = names_of_guesses(self.window.counting).get(int(guess), f"{guess:.4g}")
        watched = Watched(BEATEN, "evidence_baseline", _DRAW, f"{said}{self._beside(guess)}")
        return weighed(self.known.rates, self.key, self.standing.duel(guess), None, self.limit, watched)

    def _beside(self, guess: float) -> str:
        """Of numbers, how far off either is."""
        if not isinstance(self.window.counting, RegressionCounting) or not self.standing.rows:
            return ""
        metric, naive = self.standing.naive(guess)
        own = next(m.value for m in self.window.counting.metrics(self._arrays) if m.name == metric)
        return "" if own is None else f" ({metric} {naive:.4g}, the model's {own:.4g})"

    def sequences(self) -> Sequence[Finding]:
        """What detectors say that the monitor names."""
        named = self.terms.version.monitor.labels.detectors
        usual = rate_of(self.known.rates, self.key, "evidence_wrong").usual
        return sequence_findings(self.known.sequences, self.key.version, self.standing, named, usual)

    @property
    def _arrays(self) -> Arrays:
        return self.window.slices[self.key.version, self.key.segment]
