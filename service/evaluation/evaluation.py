"""The pure course of evaluation: which windows are due or restated, their findings, and the alerts folded from them.

What is stored where is behind `Results`: Postgres for the evaluator, memory for a replay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Protocol

from service.alerting.fold import Terms as FoldTerms
from service.alerting.fold import fold
from service.alerting.rules import VOLUME
from service.alerting.state import FoldState, open_alerts, state_from_bytes, state_to_bytes
from service.judging.explaining import Case, explain
from service.judging.judge import Judge
from service.judging.slices import SliceReader
from service.judging.terms import Scored, Since, Terms, jumps_of, since_of
from service.messages import (
    Alert,
    Evaluated,
    Finding,
    Loss,
    PaneRow,
    SliceResult,
    State,
    WindowKey,
    WindowTotal,
)
from service.monitor import DAY_MS, WindowSpec
from service.scoring.budget import FAMILIES, alpha_for, volume_alpha_for
from service.scoring.scorer import AllRows
from service.scoring.windows import Due, PaneRows, due_windows
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from service.alerting.rules import Signal
    from service.configuration import Configuration, ModelVersion
    from service.diagnosis.diagnosis import Diagnosis
    from service.monitor import Monitor
    from service.scoring.usual import Reference
    from service.sketches.grids import Grid

GRACE_MS = 3_600_000
"""Panes this much older than the allowed lateness are still looked at for late rows (of a partition that was idle)."""
NEVER_MS = -(2**62)
LEARNING_WINDOWS = 24
"""For so many windows, or a day if that is shorter, a model whose reference knows no time is being learned."""


class Results(Protocol):
    """What evaluation reads and writes of one model. The caller holds the model's lease meanwhile."""

    def position_ms(self) -> int | None:
        """All windows that end at or before this are evaluated; None before the first."""

    def pane_totals(self, since_ms: int) -> Mapping[int, int]:
        """Rows counted in the panes (of all traffic) that start at or after, by start, over all partitions."""

    def panes(self, start_ms: int, end_ms: int) -> Iterable[PaneRow]:
        """All panes of all partitions and slices that start in [start_ms, end_ms), oldest first."""

    def window_totals(self, since_ms: int) -> Mapping[tuple[int, str], WindowTotal]:
        """What is known of the evaluated windows with rows that end after, by end and kind."""

    def stored(self, since_ms: int) -> Mapping[tuple[int, str], Sequence[SliceResult]]:
        """The results of the evaluated windows that end at or after, by end and kind."""

    def state_before(self, end_ms: int) -> bytes | None:
        """The fold's state after all windows that end before; None when there are none."""

    def losses(self, since_ms: int) -> Sequence[Loss]:
        """What is missing of the partitions that this model's panes come from, if it may reach beyond `since_ms`."""

    def save(self, evaluated: Evaluated) -> None:
        """Store all of it, or nothing."""


UNKNOWN = WindowTotal()


Profiles = Callable[[str], "Reference | PaneSketch | None"]
Grids = Callable[[str], "Grid"]
WindowId = tuple[int, str]
"""A window of a model: its end and its kind."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """One step: the windows to score (new or restated), the panes' rows, and what is known of evaluated windows."""

    windows: Mapping[WindowId, Due]
    panes: PaneRows
    known: Mapping[WindowId, WindowTotal]
    stored: Mapping[WindowId, Sequence[SliceResult]]
    position_ms: int
    first_ms: int
    log_end_ms: int | None
    losses: Sequence[Loss] = ()

    @property
    def restates(self) -> bool:
        """Whether windows that were evaluated before are folded again."""
        return bool(self.stored)

    def revision_after(self, window: WindowId) -> int:
        """The number of a window's next revision; the first is 0."""
        last = max((s.revision for s in self.stored.get(window, ())), default=-1)
        return 1 + max(last, self.known.get(window, UNKNOWN).revision)

    def is_whole(self, end_ms: int) -> bool:
        """Whether the log goes on to this end of a window."""
        return self.log_end_ms is None or end_ms <= self.log_end_ms


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
        horizon = self._horizon(latest, results.position_ms())
        plan = self._plan(latest, results, horizon, watermark_ms, log_end_ms)
        if not plan.windows:
            return None
        made = self._fold(latest, results, plan)
        made.keep_states_after_ms = horizon
        return made

    def _horizon(self, version: ModelVersion, position_ms: int | None) -> int:
        """The earliest event time that late rows can still touch."""
        if position_ms is None:
            return NEVER_MS
        return position_ms - _reach_ms(version.monitor)

    def _plan(
        self, version: ModelVersion, results: Results, horizon: int, watermark_ms: int, log_end_ms: int | None
    ) -> _Plan:
        monitor, position = version.monitor, results.position_ms()
        specs = (*monitor.windows, *fast_windows(monitor))
        panes = PaneRows(results.pane_totals(horizon))
        starts = panes.starts
        after = position if position is not None else starts[0] if starts else watermark_ms
        until = watermark_ms
        if log_end_ms is not None and starts:
            until = max(log_end_ms, starts[-1] + max(s.length_ms for s in specs))
        due = due_windows(specs, starts, after, until)
        if log_end_ms is not None:
            due = [w for w in due if w.end_ms <= max(log_end_ms, watermark_ms) or panes.within(w)]
        due = _first_ends(due, self.most_windows)
        known: Mapping[WindowId, WindowTotal] = {}
        losses: Sequence[Loss] = results.losses(horizon)
        restated: list[Due] = []
        stored: Mapping[WindowId, Sequence[SliceResult]] = {}
        if position is not None:
            known = results.window_totals(horizon)
            before = [w for w in due_windows(specs, starts, horizon, position) if w.start_ms >= horizon]
            restated = [
                w
                for w in before
                if w.spec in monitor.windows
                and (rows := panes.within(w))
                and WindowTotal(rows, incomplete=self._is_incomplete(version.model, w, losses, log_end_ms))
                != replace(known.get(_id(w), UNKNOWN), revision=UNKNOWN.revision)
            ]
            glanced = state_from_bytes(results.state_before(2**62)).glanced
            restated += [
                w
                for w in before
                if panes.within(w) != glanced.get(w.end_ms, panes.within(w)) and w.spec not in monitor.windows
            ]
            if restated:
                touched = min(w.start_ms for w in restated)  # kinds of short windows end within long ones
                restated = [w for w in before if w.end_ms > touched]
                stored = results.stored(restated[0].end_ms)
        windows = {_id(w): w for w in [*restated, *due]}
        first = min((w.end_ms for w in windows.values()), default=after)
        reached = max((w.end_ms for w in due), default=after)
        return _Plan(windows, panes, known, stored, reached, first, log_end_ms, losses)

    def _in_force(self, model: str, end_ms: int) -> ModelVersion:
        """The version of a window's last event."""
        return self.configuration.at(model, end_ms - 1) or self.configuration.models[model][0]

    def _is_incomplete(self, model: str, window: Due, losses: Sequence[Loss], log_end_ms: int | None) -> bool:
        """Whether the log lost some of its rows, or ends within it."""
        if log_end_ms is not None and window.end_ms > log_end_ms:
            return True
        disorder_ms = self._in_force(model, window.end_ms).monitor.disorder_ms
        return bool(losses and _losses_in(window, losses, disorder_ms))

    def _fold(self, latest: ModelVersion, results: Results, plan: _Plan) -> Evaluated:
        made = Evaluated(plan.position_ms)
        state = state_from_bytes(results.state_before(plan.first_ms))
        open_before = (
            open_alerts(state_from_bytes(results.state_before(2**62)), latest.model) if plan.restates else {}
        )
        kinds_of = (*latest.monitor.windows, *fast_windows(latest.monitor))
        specs = {spec.name: (spec.length_ms, spec.every_ms) for spec in kinds_of}
        keys = sorted(
            {*plan.windows, *(k for k in plan.stored if k[1] in specs)}, key=lambda k: (k[0], specs[k[1]])
        )
        for end_ms, kinds in groupby(keys, key=itemgetter(0)):
            for key in kinds:
                base = WindowKey(latest.model, "", "", key[1], end_ms - specs[key[1]][0], end_ms)
                self._fold_window(made, results, plan, base, state)
            made.states.append((end_ms, state_to_bytes(state)))
        still_open = open_alerts(state, latest.model)
        made.alerts += [
            _withdrawn(a, plan.position_ms)
            for i, a in open_before.items()
            if i not in still_open and not _told(made, i)
        ]
        return made

    def _fold_window(
        self, made: Evaluated, results: Results, plan: _Plan, base: WindowKey, state: FoldState
    ) -> None:
        """Fold one window. One evaluated before is written again only if what is found has changed."""
        version = self._in_force(base.model, base.end_ms)
        spec = next((s for s in version.monitor.windows if s.name == base.window), None)
        if spec is None:
            self._glance(made, results, plan, base, state)
            return
        terms = Terms(version, spec, base, results.panes)
        before = plan.stored.get((base.end_ms, base.window), ())
        window, reference = plan.windows.get((base.end_ms, base.window)), self._reference(version)
        scored: Sequence[Scored] = ()
        if window is not None and plan.panes.within(window):
            scored = self._judge.score(terms, reference)
        slices = [one.result for one in scored] if window is not None else _with_rows(before)
        since: Since = {}
        if reference is not None and scored:
            slices, since = self._judge.weigh(state, terms, reference, scored)
        losses = _losses_in(base, plan.losses, version.monitor.disorder_ms)
        whole = plan.is_whole(base.end_ms)
        # A volume says nothing of a window that lost some. While nothing came since, silence is the news.
        judges_volume = whole and all(one.until_ms is None for one in losses)
        alpha = volume_alpha_for(version.monitor, spec, 1 + len(slices))
        known_since = since_of(since)

        def why(result: SliceResult, signals: Sequence[Signal]) -> Mapping[Signal, Diagnosis]:
            if reference is None:
                return {}
            return explain(self._reader, Case(terms, reference, scored), result, signals, known_since)

        how = FoldTerms(
            version.monitor,
            alpha if judges_volume else None,
            why,
            known_since,
            _is_learning(state, base, reference),
            jumped=jumps_of(since),
        )
        folded = fold(state, base, slices, how)
        made.alerts += folded.changes
        told = _with_volumes(slices, folded.volumes, 0, incomplete=bool(losses) or not whole)
        if _differs(told, before):
            revision = plan.revision_after((base.end_ms, base.window))
            made.results += [replace(one, revision=revision) for one in told]

    def _glance(
        self, made: Evaluated, results: Results, plan: _Plan, base: WindowKey, state: FoldState
    ) -> None:
        """Look at a single pane for silence and total breaks. Only alerts are kept of it."""
        version = self._in_force(base.model, base.end_ms)
        terms = Terms(version, WindowSpec.tumbling(base.end_ms - base.start_ms), base, results.panes)
        reference, window = self._reference(version), plan.windows.get((base.end_ms, base.window))
        slices: Sequence[SliceResult] = ()
        if window is not None and plan.panes.within(window):
            slices = self._judge.glance(terms, reference) if reference is not None else ()
            slices = slices or [SliceResult(base, plan.panes.within(window), 0, ())]
        state.glanced[base.end_ms] = plan.panes.within(window) if window is not None else 0
        for end_ms in [e for e in state.glanced if e < base.end_ms - _reach_ms(version.monitor)]:
            del state.glanced[end_ms]
        lost = _losses_in(base, plan.losses, version.monitor.disorder_ms)
        judges_volume = plan.is_whole(base.end_ms) and all(one.until_ms is None for one in lost)
        alpha = alpha_for(version.monitor, terms.spec, FAMILIES["breaks"] / 2) if judges_volume else None

        def why(result: SliceResult, signals: Sequence[Signal]) -> Mapping[Signal, Diagnosis]:
            if reference is None:
                return {}
            return explain(
                self._reader, Case(terms, reference), result, signals, lambda _result, _signal: None
            )

        how = FoldTerms(version.monitor, alpha, why, only_silence=True)
        made.alerts += fold(state, base, slices, how).changes

    def _reference(self, version: ModelVersion) -> Reference | None:
        found = self.profile(version.reference_name) if version.reference_name else None
        return AllRows(found) if isinstance(found, PaneSketch) else found


def _reach_ms(monitor: Monitor) -> int:
    """How far back late rows can reach."""
    longest = max(spec.length_ms for spec in monitor.windows)
    return longest + monitor.allowed_lateness_ms + monitor.disorder_ms + GRACE_MS


def fast_windows(monitor: Monitor) -> tuple[WindowSpec, ...]:
    """The pane as a window of its own, for what need not wait for a window's end; none where a window is a pane."""
    pane = WindowSpec.tumbling(monitor.pane_ms)
    return () if any(spec.length_ms == monitor.pane_ms for spec in monitor.windows) else (pane,)


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


def _losses_in(window: WindowKey | Due, losses: Sequence[Loss], disorder_ms: int) -> Sequence[Loss]:
    """What is missing of this window. Rows that came out of order may be missing a little before the gap, too."""
    return [
        one
        for one in losses
        if (one.from_ms is None or one.from_ms - disorder_ms < window.end_ms)
        and (one.until_ms is None or one.until_ms >= window.start_ms)
    ]


def _id(window: Due) -> WindowId:
    return window.end_ms, window.spec.name


def _first_ends(due: list[Due], most: int) -> list[Due]:
    """The first so many windows, and those that end with the last of them: an end is evaluated as a whole."""
    return due if len(due) <= most else [w for w in due if w.end_ms <= due[most - 1].end_ms]


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
