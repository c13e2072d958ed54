"""The performance of one model, judged: ripe windows in order, by whoever holds the model's lease.

outcomes of panes -> ripe windows -> evidence, one state a window -> findings and alerts, in one transaction
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from service.evaluation.plan import in_force
from service.evaluation.ripe import KEPT_STATES, judge_ripe, judged_spec
from service.judging.outcomes import OutcomeTerms, Ripe
from service.messages import WindowKey
from service.monitor import Task
from service.performance.counting import counting_of
from service.performance.delays import ripe_after_ms
from service.performance.expected import expected_wrong
from service.performance.label_bias import label_bias
from service.performance.slices import slices_of
from service.performance.windows import outcomes_by_slice
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
    newest_state,
    panes_with_outcomes,
    reached,
    state_at,
)
from service.store.label_join import names_of
from service.store.outcomes import outcomes_between
from service.store.results import hold

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.configuration import Configuration, ModelVersion
    from service.messages import Finding
    from service.monitor import WindowSpec
    from service.performance.counting import Arrays, Counting
    from service.performance.estimating import Expectations
    from service.performance.expected import Expected
    from service.store.results import Lease

MOST_WINDOWS = 50
"""So many windows are judged in one transaction."""

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


@dataclass
class _Turn:
    """One transaction's work."""

    judge: PerformanceJudge
    connection: Connection
    latest: ModelVersion

    def take(self, position_ms: int) -> bool:
        model, every = self.latest.model, self._spec.every_ms
        ripe_after = ripe_after_ms(label_delays_of(self.connection, model))
        if ripe_after is None:
            return False
        border = position_ms - ripe_after
        border -= border % every
        so_far = reached(self.connection, model)
        first = so_far.judged_ms if so_far.judged_ms is not None else first_outcome_ms(self.connection, model)
        if first is None or border <= first:
            return False
        from_ms, before = self._taken_up(so_far, first - first % every)
        starts = panes_with_outcomes(self.connection, model, from_ms, border)
        ends = sorted({start - start % every + every for start in starts})
        taken, rest = ends[:MOST_WINDOWS], ends[MOST_WINDOWS:]
        newest = newest_state(self.connection, model)
        incidents = incidents_of_inputs(self.connection, model)
        found = judge_ripe(before, newest, self._windows(taken), self._terms, incidents)
        keep_judged(self.connection, model, found, taken[-1] if rest else border, KEPT_STATES)
        return bool(rest)

    @cached_property
    def _spec(self) -> WindowSpec:
        return judged_spec(self.latest.monitor)

    @cached_property
    def _names(self) -> dict[int, str]:
        return names_of(self.connection, self.latest.model)

    @cached_property
    def _classes(self) -> dict[int, str]:
        return {number: name for number, name in self._names.items() if slices_of(name) is None}

    def _taken_up(self, so_far: Reached, first_ms: int) -> tuple[int, bytes | None]:
        """From which end of a window to go on, and by which state: further back where labels have changed windows."""
        from_ms = first_ms
        if so_far.again_ms is not None and so_far.again_ms < first_ms:
            from_ms = so_far.again_ms - so_far.again_ms % self._spec.every_ms
        state = state_at(self.connection, self.latest.model, from_ms)
        if state is None:
            return from_ms, None
        return max(from_ms, state[0]), state[1]

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
                yield Ripe(key, counting, slices, self._beside(key, version))

    def _beside(self, key: WindowKey, version: ModelVersion) -> tuple[Finding, ...]:
        alpha = alpha_for(version.monitor, self._spec, FAMILIES["outcomes"] / 4)
        kinds = kinds_of(self.connection, key.model, key.start_ms, key.end_ms)
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
