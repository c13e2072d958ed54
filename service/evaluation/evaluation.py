"""The pure course of evaluation: windows that are due or restated, their findings, and the alerts folded from them.

plan (which windows) -> judge (each window's slices) -> fold (alerts) -> what is to be stored, in one piece
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from service.alerting.fold import Diagnose, fold
from service.alerting.fold import Terms as FoldTerms
from service.alerting.rules import VOLUME
from service.alerting.state import FoldState, open_alerts, state_to_bytes
from service.evaluation.plan import Plan, Planning, fast_windows, in_force, losses_in, reach_ms
from service.judging.explaining import Case, explain
from service.judging.judge import Judge
from service.judging.slices import SliceReader
from service.judging.terms import Scored, Since, SinceWhen, Terms, jumps_of, since_of
from service.messages import Alert, Evaluated, Finding, Loss, SliceResult, State, WindowKey
from service.monitor import DAY_MS, WindowSpec
from service.scoring.budget import FAMILIES, alpha_for, volume_alpha_for
from service.scoring.scorer import AllRows
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from service.alerting.rules import Signal
    from service.configuration import Configuration, ModelVersion
    from service.diagnosis.diagnosis import Diagnosis
    from service.evaluation.results import Results
    from service.scoring.usual import Reference
    from service.sketches.grids import Grid

LEARNING_WINDOWS = 24
"""For so many windows, or a day if that is shorter, a model whose reference knows no time is being learned."""

Profiles = Callable[[str], "Reference | PaneSketch | None"]
Grids = Callable[[str], "Grid"]


@dataclass(frozen=True)
class Evaluation:
    """Evaluates models as far as their watermarks allow.

    `profile` gives a reference (or the sketch of its rows) by its name, `grid` a grid by its id.
    A step takes about `most_windows`, so that a long backlog is committed in parts.
    """

    configuration: Configuration
    profile: Profiles
    grid: Grids
    most_windows: int = 100

    @cached_property
    def _reader(self) -> SliceReader:
        return SliceReader(self.grid)

    @cached_property
    def _judge(self) -> Judge:
        return Judge(self._reader)

    def advance(
        self, model: str, results: Results, watermark_ms: int, *, log_end_ms: int | None = None
    ) -> Evaluated | None:
        """Evaluate what is due and restate what late rows have touched. Returns None when there is nothing to do.

        `log_end_ms`: the log has ended, there. Windows that end after the watermark are evaluated too; those that the
        log's end cuts short are flagged incomplete, and their volume says nothing.
        """
        latest = self.configuration.latest(model)
        if latest is None:
            return None
        planning = Planning(self.configuration, latest, results, watermark_ms, log_end_ms, self.most_windows)
        plan = planning.plan()
        if plan is None:
            return None
        made = self._fold(latest, results, plan)
        made.keep_states_after_ms = planning.horizon_ms
        return made

    def _fold(self, latest: ModelVersion, results: Results, plan: Plan) -> Evaluated:
        made, state = Evaluated(plan.position_ms), plan.before
        open_before = open_alerts(plan.newest, latest.model) if plan.restates else {}
        fast = {spec.name: spec for spec in fast_windows(latest.monitor)}
        specs = {spec.name: spec for spec in latest.monitor.windows} | fast
        keys = sorted(
            {*plan.windows, *(k for k in plan.stored if k[1] in specs)},
            key=lambda k: (k[0], specs[k[1]].length_ms, specs[k[1]].every_ms),
        )
        for end_ms, kinds in groupby(keys, key=itemgetter(0)):
            for _, kind in kinds:
                key = WindowKey(latest.model, "", "", kind, end_ms - specs[kind].length_ms, end_ms)
                window = self._window(key, specs[kind], results, plan)
                (window.glance if kind in fast else window.judge)(state, made)
            made.states.append((end_ms, state_to_bytes(state)))
        still_open = open_alerts(state, latest.model)
        made.alerts += [
            _withdrawn(alert, plan.position_ms)
            for name, alert in open_before.items()
            if name not in still_open and not _told(made, name)
        ]
        return made

    def _window(self, key: WindowKey, spec: WindowSpec, results: Results, plan: Plan) -> _Window:
        """The window by the version in force then; of a kind that this did not have, as the latest has it."""
        version = in_force(self.configuration, key.model, key.end_ms)
        own = next((s for s in version.monitor.windows if s.name == key.window), spec)
        terms = Terms(version, own, key, results.panes)
        return _Window(terms, self._reference(version), plan, self._reader, self._judge)

    def _reference(self, version: ModelVersion) -> Reference | None:
        found = self.profile(version.reference_name) if version.reference_name else None
        return AllRows(found) if isinstance(found, PaneSketch) else found


@dataclass(frozen=True, slots=True)
class _Window:
    """One window of one kind, about to be folded."""

    terms: Terms
    reference: Reference | None
    plan: Plan
    reader: SliceReader
    judge_of: Judge

    def judge(self, state: FoldState, made: Evaluated) -> None:
        """Score and weigh it, and tell. One evaluated before is written again only if what is found has changed."""
        terms, plan, key = self.terms, self.plan, self.terms.base
        name = key.end_ms, key.window
        before = plan.stored.get(name, ())
        scored: Sequence[Scored] = ()
        if plan.rows_of(key):
            scored = self.judge_of.score(terms, self.reference)
        slices = [one.result for one in scored] if name in plan.windows else _with_rows(before)
        since: Since = {}
        if self.reference is not None and scored:
            slices, since = self.judge_of.weigh(state, terms, self.reference, scored)
        alpha = volume_alpha_for(terms.version.monitor, terms.spec, 1 + len(slices))
        known_since = since_of(since)
        folded = fold(
            state, key, slices,
            FoldTerms(
                terms.version.monitor, alpha if self._judges_volume else None, self._why(scored, known_since),
                known_since, _is_learning(state, key, self.reference), jumped=jumps_of(since),
            ),
        )  # fmt: skip
        made.alerts += folded.changes
        incomplete = bool(self._losses) or not plan.is_whole(key.end_ms)
        told = _with_volumes(slices, folded.volumes, 0, incomplete=incomplete)
        if _differs(told, before):
            revision = plan.revision_after(name)
            made.results += [replace(one, revision=revision) for one in told]

    def glance(self, state: FoldState, made: Evaluated) -> None:
        """Look at a single pane for silence and total breaks. Only alerts are kept of it."""
        terms, key, rows = self.terms, self.terms.base, self.plan.rows_of(self.terms.base)
        monitor = terms.version.monitor
        slices: Sequence[SliceResult] = ()
        if rows:
            slices = self.judge_of.glance(terms, self.reference) if self.reference is not None else ()
            slices = slices or [SliceResult(key, rows, 0, ())]
        state.glanced[key.end_ms] = rows
        for end_ms in [e for e in state.glanced if e < key.end_ms - reach_ms(monitor)]:
            del state.glanced[end_ms]
        alpha = alpha_for(monitor, terms.spec, FAMILIES["breaks"] / 2) if self._judges_volume else None
        how = FoldTerms(monitor, alpha, self._why((), lambda _result, _signal: None), only_silence=True)
        made.alerts += fold(state, key, slices, how).changes

    @property
    def _losses(self) -> Sequence[Loss]:
        return losses_in(self.terms.base, self.plan.losses, self.terms.version.monitor.disorder_ms)

    @property
    def _judges_volume(self) -> bool:
        """A volume says nothing of a window that lost some. While nothing came since, silence is the news."""
        lost = any(one.until_ms is not None for one in self._losses)
        return self.plan.is_whole(self.terms.base.end_ms) and not lost

    def _why(self, scored: Sequence[Scored], since: SinceWhen) -> Diagnose:
        reference = self.reference

        def why(result: SliceResult, signals: Sequence[Signal]) -> Mapping[Signal, Diagnosis]:
            if reference is None:
                return {}
            return explain(self.reader, Case(self.terms, reference, scored), result, signals, since)

        return why


def _is_learning(state: FoldState, base: WindowKey, reference: Reference | None) -> bool:
    """Whether too little is known of the hours of a day to wake somebody because of a distribution alone."""
    if state.started_ms is None:
        state.started_ms = base.start_ms
    if reference is not None and len(reference.blocks) and reference.ordered:
        return False
    length = base.end_ms - base.start_ms
    return base.end_ms <= state.started_ms + min(LEARNING_WINDOWS * length, max(DAY_MS, length))


def _differs(told: Sequence[SliceResult], before: Sequence[SliceResult]) -> bool:
    """Whether a window says something else than it did."""
    return {one.key: replace(one, revision=0, findings=tuple(one.findings)) for one in told} != {
        one.key: replace(one, revision=0, findings=tuple(one.findings)) for one in before
    }


def _with_rows(stored: Iterable[SliceResult]) -> list[SliceResult]:
    """The slices of a window as they were scored, without what the fold adds."""
    slices = [s for s in stored if not s.aggregate and (s.inferences or s.labels)]
    return [replace(s, findings=tuple(f for f in s.findings if f.method != VOLUME)) for s in slices]


def _with_volumes(
    slices: Sequence[SliceResult],
    volumes: Sequence[tuple[WindowKey, Finding]],
    revision: int,
    *,
    incomplete: bool,
) -> list[SliceResult]:
    """The slices with their volume findings; a slice that has nothing but a volume is one too."""
    made = {s.key: s for s in slices}
    for key, finding in volumes:
        has = made.get(key, SliceResult(key, finding.n, 0, (), aggregate=bool(slices)))
        made[key] = replace(has, findings=(*has.findings, finding))
    return [replace(one, revision=revision, incomplete=incomplete) for one in made.values()]


def _withdrawn(alert: Alert, at_ms: int) -> Alert:
    return replace(
        alert,
        state=State.RESOLVED,
        at_ms=at_ms,
        summary=f"{alert.summary} (withdrawn: late events changed the window)",
    )


def _told(made: Evaluated, alert_id: str) -> bool:
    return any(a.id == alert_id and a.state is State.RESOLVED for a in made.alerts)
