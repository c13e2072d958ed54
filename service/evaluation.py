"""The pure course of evaluation: which windows are due or restated, their findings, and the alerts folded from them.

What is stored where is behind `Results`: Postgres for the evaluator, memory for a replay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Protocol

from service.alerting.fold import FoldState, fold, open_alerts, state_from_bytes, state_to_bytes
from service.messages import Alert, Evaluated, Finding, PaneRow, SliceResult, State, WindowKey
from service.reference.regrid import regrid_sketch
from service.scoring.budget import alpha_for
from service.scoring.scorer import Scorer, tests_in
from service.scoring.windows import Due, SliceKey, due_windows, merge_slices, rows_in
from service.sketches.codec import pane_from_bytes
from service.sketches.grids import Grid

if TYPE_CHECKING:
    from service.configuration import Configuration, ModelVersion
    from service.sketches.pane import PaneSketch

GRACE_MS = 3_600_000
"""Panes this much older than the allowed lateness are still looked at for late rows (of a partition that was idle)."""
NEVER_MS = -(2**62)


class Results(Protocol):
    """What evaluation reads and writes of one model. The caller holds the model's lease meanwhile."""

    def position_ms(self) -> int | None:
        """All windows that end at or before this are evaluated; None before the first."""

    def pane_totals(self, since_ms: int) -> Mapping[int, int]:
        """Rows counted in the panes (of all traffic) that start at or after, by start, over all partitions."""

    def panes(self, start_ms: int, end_ms: int) -> Iterable[PaneRow]:
        """All panes of all partitions and slices that start in [start_ms, end_ms), oldest first."""

    def window_totals(self, since_ms: int) -> Mapping[tuple[int, str], tuple[int, int]]:
        """Rows and revision of the evaluated windows that end after, by end and kind; those without rows are left out."""

    def stored(self, since_ms: int) -> Mapping[tuple[int, str], Sequence[SliceResult]]:
        """The results of the evaluated windows that end at or after, by end and kind."""

    def state_before(self, end_ms: int) -> bytes | None:
        """The fold's state after all windows that end before; None when there are none."""

    def save(self, evaluated: Evaluated) -> None:
        """Store all of it, or nothing."""


Profiles = Callable[[str], "PaneSketch | None"]
Grids = Callable[[str], Grid]
Known = Mapping[tuple[int, str], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Plan:
    """One step: the windows to score (new or restated), the rows of the panes, and what is known of evaluated windows."""

    windows: Mapping[tuple[int, str], Due]
    totals: Mapping[int, int]
    known: Known
    position_ms: int
    first_ms: int
    restates: bool
    flush: bool


@dataclass(frozen=True)
class Evaluation:
    """Evaluates models as far as their watermarks allow.

    `profile` gives the sketch of a reference's rows by the reference's name, `grid` a grid by its id.
    A step takes at most `most_windows`, so that a long backlog is committed in parts.
    """

    configuration: Configuration
    profile: Profiles
    grid: Grids
    most_windows: int = 500

    def advance(self, model: str, results: Results, watermark_ms: int, *, flush: bool = False) -> Evaluated | None:
        """Evaluate what is due and restate what late rows have touched. Returns None when there is nothing to do.

        `flush`: the log has ended, so windows that end after the watermark are evaluated too.
        """
        latest = self.configuration.latest(model)
        if latest is None:
            return None
        horizon = self._horizon(latest, results.position_ms())
        plan = self._plan(latest, results, horizon, watermark_ms, flush=flush)
        if not plan.windows:
            return None
        made = self._fold(latest, results, plan)
        made.keep_states_after_ms = horizon
        return made

    def _horizon(self, version: ModelVersion, position_ms: int | None) -> int:
        """The earliest event time that late rows can still touch."""
        if position_ms is None:
            return NEVER_MS
        monitor = version.monitor
        longest = max(spec.length_ms for spec in monitor.windows)
        return position_ms - longest - monitor.allowed_lateness_ms - monitor.disorder_ms - GRACE_MS

    def _plan(self, version: ModelVersion, results: Results, horizon: int, watermark_ms: int, *, flush: bool) -> _Plan:
        specs, position = version.monitor.windows, results.position_ms()
        totals = results.pane_totals(horizon)
        until = max(totals, default=NEVER_MS) + max(s.length_ms for s in specs) if flush else watermark_ms
        after = min(totals, default=until) if position is None else position
        due = due_windows(specs, totals, after, until)[: self.most_windows]
        known = {} if position is None else results.window_totals(horizon)
        restated = [
            w for w in due_windows(specs, totals, horizon, after)
            if position is not None and (rows := rows_in(totals, w)) and rows != known.get((w.end_ms, w.spec.name), (0, 0))[0]
        ]  # fmt: skip
        windows = {(w.end_ms, w.spec.name): w for w in [*restated, *due]}
        first = min((w.end_ms for w in windows.values()), default=after)
        reached = max((w.end_ms for w in due), default=after)
        return _Plan(windows, totals, known, reached, first, bool(restated), flush)

    def _fold(self, latest: ModelVersion, results: Results, plan: _Plan) -> Evaluated:
        made = Evaluated(plan.position_ms)
        stored = results.stored(plan.first_ms) if plan.restates else {}
        state = state_from_bytes(results.state_before(plan.first_ms))
        open_before = open_alerts(state_from_bytes(results.state_before(2**62)), latest.model) if plan.restates else {}
        lengths = {spec.name: spec.length_ms for spec in latest.monitor.windows}
        keys = sorted({*plan.windows, *(k for k in stored if k[1] in lengths)}, key=lambda k: (k[0], lengths[k[1]]))
        for end_ms, kinds in groupby(keys, key=itemgetter(0)):
            for key in kinds:
                base = WindowKey(latest.model, "", "", key[1], end_ms - lengths[key[1]], end_ms)
                self._fold_window(made, results, plan, base, stored.get(key, ()), state)
            made.states.append((end_ms, state_to_bytes(state)))
        still_open = open_alerts(state, latest.model)
        made.alerts += [_withdrawn(a, plan.position_ms) for i, a in open_before.items() if i not in still_open and not _told(made, i)]
        return made

    def _fold_window(  # noqa: PLR0913 - the body of the loop above
        self, made: Evaluated, results: Results, plan: _Plan, base: WindowKey, stored: Sequence[SliceResult], state: FoldState,
    ) -> None:  # fmt: skip
        version = self.configuration.at(base.model, base.end_ms - 1) or self.configuration.models[base.model][0]
        window = plan.windows.get((base.end_ms, base.window))
        slices = stored if window is None else self._score(version, results, plan, base, window)
        whole = not plan.flush or base.end_ms <= max(plan.totals, default=0) + version.monitor.pane_ms
        every = next((s for s in version.monitor.windows if s.name == base.window), version.monitor.windows[0])
        alpha = alpha_for(version.monitor, every, 1 + len(slices))
        folded = fold(state, base, slices, version.monitor, alpha if whole else None)
        made.alerts += folded.changes
        if window is not None:
            made.results += _with_volumes(slices, folded.volumes, incomplete=not whole)

    def _score(
        self, version: ModelVersion, results: Results, plan: _Plan, base: WindowKey, window: Due
    ) -> list[SliceResult]:  # fmt: skip
        if not rows_in(plan.totals, window):
            return []
        reference = self.profile(version.reference_name) if version.reference_name else None
        grid = reference.grid if reference is not None else version.grid
        slices = merge_slices(self._on_grid(row, grid) for row in results.panes(window.start_ms, window.end_ms))
        revision = plan.known.get((base.end_ms, base.window), (0, -1))[1] + 1
        scorer = None
        if reference is not None:
            alpha = alpha_for(version.monitor, window.spec, tests_in(reference, version.monitor) * len(slices))
            scorer = Scorer(version.monitor, reference, alpha)
        return [
            SliceResult(
                base._replace(version=key.version, segment=key.segment), sketch.inferences, sketch.labels,
                scorer.findings(sketch) if scorer is not None else (), revision,
            )
            for key, sketch in sorted(slices.items())
        ]  # fmt: skip

    def _on_grid(self, row: PaneRow, grid: Grid) -> tuple[SliceKey, PaneSketch]:
        own = grid if row.grid_id == grid.id else self.grid(row.grid_id)
        sketch = pane_from_bytes(row.sketch, own)
        return SliceKey(row.key.version, row.key.segment), sketch if own is grid else regrid_sketch(sketch, grid)


def _with_volumes(
    slices: Sequence[SliceResult], volumes: Sequence[tuple[WindowKey, Finding]], *, incomplete: bool
) -> list[SliceResult]:
    """The slices with their volume findings; a slice that has nothing but a volume is one too."""
    made = {s.key: replace(s, incomplete=incomplete) for s in slices}
    for key, finding in volumes:
        has = made.get(key, SliceResult(key, finding.n, 0, (), aggregate=bool(slices)))
        made[key] = replace(has, findings=(*has.findings, finding))
    return list(made.values())


def _withdrawn(alert: Alert, at_ms: int) -> Alert:
    return replace(alert, state=State.RESOLVED, at_ms=at_ms, summary=f"{alert.summary} [withdrawn: late events changed it]")


def _told(made: Evaluated, alert_id: str) -> bool:
    return any(a.id == alert_id and a.state is State.RESOLVED for a in made.alerts)
