"""The performance of one model, judged: ripe windows in order, by whoever holds the model's lease.

outcomes of panes -> ripe windows -> evidence, one state a window -> findings and alerts, in one transaction
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from service.evaluation.plan import in_force
from service.evaluation.ripe import KEPT_STATES, course_from_bytes, judge_ripe
from service.judging.outcomes import OutcomeTerms, Ripe
from service.messages import WindowKey
from service.monitor import Task
from service.performance.counting import counting_of
from service.performance.delays import ripe_after_ms
from service.performance.expected import expected_wrong
from service.performance.label_bias import label_bias
from service.performance.slices import slices_of
from service.performance.windows import judged_spec, outcomes_by_slice
from service.scoring.budget import FAMILIES, alpha_for
from service.store.answers import reference_answers
from service.store.engine import transaction
from service.store.judged import (
    Reached,
    first_outcome_ms,
    incidents_of_inputs,
    keep_judged,
    kinds_of,
    label_delays_of,
    panes_with_outcomes,
    reached,
    state_at,
)
from service.store.label_join import names_of
from service.store.outcomes import outcomes_between
from service.store.results import hold

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.alerting.state import Incident
    from service.configuration import Configuration, ModelVersion
    from service.messages import Finding
    from service.monitor import WindowSpec
    from service.performance.counting import Arrays, Counting
    from service.performance.estimating import Expectations
    from service.performance.expected import Expected
    from service.store.results import Lease

MOST_WINDOWS = 50
"""So many new windows are judged in one transaction."""
AGAIN_WINDOWS = 12
"""Once in so many windows those are judged again whose labels have changed since."""
QUIET_WINDOWS = 24
"""For so many windows without any label an alert is left as it is."""
BIAS_WINDOWS = 12
"""The predictions of so many windows are looked at for whether labels come for all kinds of them."""

Errors = Callable[[str], Mapping[str, tuple[int, int]]]
"""A reference's wrong and all labelled rows by segment, by its name."""
Known = Callable[["Connection", "ModelVersion"], "Expectations | str"]


@dataclass(frozen=True)
class PerformanceJudge:
    """Judges windows most of whose labels have come. `expectations`: what scores meant on a version's reference."""

    engine: Engine
    configuration: Configuration
    errors: Errors
    expectations: Known

    def judge(self, held: Lease, position_ms: int | None) -> bool:
        """Judge what is ripe by `position_ms`; whether there may be more.

        Raises LeaseLost when another evaluator has taken the model.
        """
        latest = self.configuration.latest(held.model)
        if latest is None or latest.monitor.task is Task.NONE or position_ms is None:
            return False
        with transaction(self.engine) as connection:
            hold(connection, held)
            return _Turn(self, connection, latest).take(position_ms)


class _Begin(NamedTuple):
    """From which end of a window to judge, by which state, and whether that is where the last turn ended."""

    from_ms: int
    state: bytes | None
    goes_on: bool


@dataclass
class _Turn:
    """One transaction's work."""

    judge: PerformanceJudge
    connection: Connection
    latest: ModelVersion

    def take(self, position_ms: int) -> bool:
        model, every = self.latest.model, self._spec.every_ms
        delays = label_delays_of(self.connection, model)
        ripe_after = ripe_after_ms(delays, self.latest.monitor.labels.wait_ms)
        if ripe_after is None:
            return False
        border = (position_ms - ripe_after) // every * every
        so_far = reached(self.connection, model)
        first = so_far.judged_ms if so_far.judged_ms is not None else first_outcome_ms(self.connection, model)
        if first is None or border <= first:
            return False
        begin = self._begin(so_far, first // every * every, border)
        starts = panes_with_outcomes(self.connection, model, begin.from_ms, border)
        ends = sorted({start - start % every + every for start in starts})
        old, new = [end for end in ends if end <= first], [end for end in ends if end > first]
        taken, rest = [*old, *new[:MOST_WINDOWS]], new[MOST_WINDOWS:]
        newest = state_at(self.connection, model, border)
        windows = self._windows(taken) if taken else self._quiet(newest, border)
        told, incidents = newest[1] if newest else None, self._incidents(begin.from_ms, border)
        found = judge_ripe(begin.state, told, windows, self._terms, incidents)
        now = Reached(taken[-1] if rest else border, so_far.again_ms if begin.goes_on else None)
        keep_judged(self.connection, model, found, now, KEPT_STATES)
        return bool(rest)

    def _begin(self, so_far: Reached, first_ms: int, border_ms: int) -> _Begin:
        """Where judging goes on; from time to time further back, where labels have changed windows since."""
        again_ms, span = so_far.again_ms, AGAIN_WINDOWS * self._spec.every_ms
        goes_on = again_ms is None or again_ms >= first_ms or border_ms // span == first_ms // span
        from_ms = (
            first_ms if goes_on or again_ms is None else again_ms // self._spec.every_ms * self._spec.every_ms
        )
        state = state_at(self.connection, self.latest.model, from_ms)
        if state is None:
            return _Begin(from_ms, None, goes_on)
        return _Begin(max(from_ms, state[0]), state[1], goes_on)

    def _incidents(self, from_ms: int, until_ms: int) -> list[Incident]:
        return incidents_of_inputs(self.connection, self.latest.model, from_ms, until_ms)

    def _quiet(self, newest: tuple[int, bytes] | None, border_ms: int) -> Iterator[Ripe]:
        """Windows without labels say nothing; after many of them what still rings is over, for all that is known."""
        every, version = self._spec.every_ms, self._in_force(border_ms)
        counting = counting_of(version)
        if newest is None or counting is None or border_ms - newest[0] < QUIET_WINDOWS * every:
            return
        if not course_from_bytes(newest[1]).fold.tracked:
            return
        for back in reversed(range(version.monitor.alerts.clear_windows)):
            end_ms = border_ms - back * every
            yield Ripe(
                WindowKey(version.model, "", "", self._spec.name, end_ms - every, end_ms), counting, {}
            )

    @cached_property
    def _spec(self) -> WindowSpec:
        return judged_spec(self.latest.monitor)

    @cached_property
    def _names(self) -> dict[int, str]:
        return names_of(self.connection, self.latest.model)

    @cached_property
    def _classes(self) -> dict[int, str]:
        return {number: name for number, name in self._names.items() if slices_of(name) is None}

    def _windows(self, ends: list[int]) -> Iterator[Ripe]:
        for end_ms in ends:
            start_ms, version = end_ms - self._spec.every_ms, self._in_force(end_ms)
            counting = counting_of(version)
            if counting is None:
                continue
            outcomes = outcomes_between(self.connection, version.model, counting, start_ms, end_ms)
            slices = outcomes_by_slice(outcomes, self._names)
            key = WindowKey(version.model, "", "", self._spec.name, start_ms, end_ms)
            if slices:
                bias = self._bias(version, start_ms, end_ms) if end_ms == ends[-1] else None
                yield Ripe(key, counting, slices, bias)

    def _bias(self, version: ModelVersion, start_ms: int, end_ms: int) -> tuple[Finding, ...]:
        """Of the newest windows, for which predictions labels have come."""
        alpha = alpha_for(version.monitor, self._spec, FAMILIES["outcomes"] / 4)
        since_ms = start_ms - (BIAS_WINDOWS - 1) * self._spec.every_ms
        kinds = kinds_of(self.connection, version.model, since_ms, end_ms)
        found = label_bias(kinds, self._classes, alpha)
        return () if found is None else (found,)

    def _terms(self, end_ms: int) -> OutcomeTerms:
        version = self._in_force(end_ms)
        if version.number not in self._terms_of:
            self._terms_of[version.number] = self._terms_by(version)
        return self._terms_of[version.number]

    @cached_property
    def _terms_of(self) -> dict[int, OutcomeTerms]:
        return {}

    def _terms_by(self, version: ModelVersion) -> OutcomeTerms:
        errors = self.judge.errors(version.reference_name) if version.reference_name else {}
        known = self.judge.expectations(self.connection, version)
        answers = reference_answers(self.connection, version)

        def expected(counting: Counting, outcomes: Arrays) -> Expected | None:
            expectation = known if isinstance(known, str) else known.of("")
            return None if isinstance(expectation, str) else expected_wrong(expectation, counting, outcomes)

        return OutcomeTerms(version, self._spec, errors, expected, answers)

    def _in_force(self, end_ms: int) -> ModelVersion:
        return in_force(self.judge.configuration, self.latest.model, end_ms)
