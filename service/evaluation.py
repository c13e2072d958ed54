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
from service.alerting.rules import VOLUME
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
from service.reference.regrid import regrid_sketch
from service.scoring.budget import alpha_for
from service.scoring.scorer import AllRows, Reference, scorer_for, tests_in
from service.scoring.windows import Due, PaneRows, SliceKey, due_windows, merge_slices
from service.sketches.codec import pane_from_bytes
from service.sketches.grids import Grid
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from service.configuration import Configuration, ModelVersion

GRACE_MS = 3_600_000
"""Panes this much older than the allowed lateness are still looked at for late rows (of a partition that was idle)."""
NEVER_MS = -(2**62)
FAMILIES = 2
"""Half of the budget is for volumes, which are few tests and the only ones that hear silence, half for all others."""


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
Grids = Callable[[str], Grid]
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
    most_windows: int = 500

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
        monitor = version.monitor
        longest = max(spec.length_ms for spec in monitor.windows)
        return position_ms - longest - monitor.allowed_lateness_ms - monitor.disorder_ms - GRACE_MS

    def _plan(
        self, version: ModelVersion, results: Results, horizon: int, watermark_ms: int, log_end_ms: int | None
    ) -> _Plan:
        specs, position = version.monitor.windows, results.position_ms()
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
                if (rows := panes.within(w))
                and WindowTotal(rows, incomplete=self._is_incomplete(version.model, w, losses, log_end_ms))
                != replace(known.get(_id(w), UNKNOWN), revision=UNKNOWN.revision)
            ]
            if restated:
                stored = results.stored(restated[0].end_ms)
                restated += [w for w in before if w.end_ms >= restated[0].end_ms and _id(w) not in stored]
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
        specs = {spec.name: (spec.length_ms, spec.every_ms) for spec in latest.monitor.windows}
        keys = sorted(
            {*plan.windows, *(k for k in plan.stored if k[1] in specs)}, key=lambda k: (k[0], specs[k[1]])
        )
        for end_ms, kinds in groupby(keys, key=itemgetter(0)):
            moved = plan.restates and state_from_bytes(results.state_before(end_ms)).volumes != state.volumes
            for key in kinds:
                base = WindowKey(latest.model, "", "", key[1], end_ms - specs[key[1]][0], end_ms)
                self._fold_window(made, results, plan, base, state, moved=moved)
            made.states.append((end_ms, state_to_bytes(state)))
        still_open = open_alerts(state, latest.model)
        made.alerts += [
            _withdrawn(a, plan.position_ms)
            for i, a in open_before.items()
            if i not in still_open and not _told(made, i)
        ]
        return made

    def _fold_window(
        self,
        made: Evaluated,
        results: Results,
        plan: _Plan,
        base: WindowKey,
        state: FoldState,
        *,
        moved: bool,
    ) -> None:
        """Fold one window. One evaluated before is written again only when the volumes before it have `moved`."""
        version = self._in_force(base.model, base.end_ms)
        window = plan.windows.get((base.end_ms, base.window))
        if window is None:
            slices = _with_rows(plan.stored[base.end_ms, base.window])
        else:
            slices = self._score(version, results, plan, base, window)
        losses = _losses_in(base, plan.losses, version.monitor.disorder_ms)
        whole = plan.is_whole(base.end_ms)
        # A volume says nothing of a window that lost some. While nothing came since, silence is the news.
        judges_volume = whole and all(one.until_ms is None for one in losses)
        spec = next((s for s in version.monitor.windows if s.name == base.window), version.monitor.windows[0])
        alpha = alpha_for(version.monitor, spec, FAMILIES * (1 + len(slices)))
        folded = fold(state, base, slices, version.monitor, alpha if judges_volume else None)
        made.alerts += folded.changes
        if window is not None or moved:
            revision = plan.revision_after((base.end_ms, base.window))
            made.results += _with_volumes(
                slices, folded.volumes, revision, incomplete=bool(losses) or not whole
            )

    def _score(
        self, version: ModelVersion, results: Results, plan: _Plan, base: WindowKey, window: Due
    ) -> list[SliceResult]:  # fmt: skip
        if not plan.panes.within(window):
            return []
        reference = self._reference(version)
        grid = reference.sketch.grid if reference is not None else version.grid
        slices = merge_slices(
            self._on_grid(row, grid) for row in results.panes(window.start_ms, window.end_ms)
        )
        alpha = 0.0
        if reference is not None:
            alpha = alpha_for(
                version.monitor,
                window.spec,
                FAMILIES * tests_in(reference.sketch, version.monitor) * len(slices),
            )
        made = []
        for key, sketch in sorted(slices.items()):
            scorer = (
                scorer_for(version.monitor, reference, key.segment, alpha) if reference is not None else None
            )
            findings = scorer.findings(sketch) if scorer is not None else ()
            named = base._replace(version=key.version, segment=key.segment)
            made.append(SliceResult(named, sketch.inferences, sketch.labels, findings))
        return made

    def _reference(self, version: ModelVersion) -> Reference | None:
        found = self.profile(version.reference_name) if version.reference_name else None
        return AllRows(found) if isinstance(found, PaneSketch) else found

    def _on_grid(self, row: PaneRow, grid: Grid) -> tuple[SliceKey, PaneSketch]:
        own = grid if row.grid_id == grid.id else self.grid(row.grid_id)
        sketch = pane_from_bytes(row.sketch, own)
        return SliceKey(row.key.version, row.key.segment), sketch if own is grid else regrid_sketch(
            sketch, grid
        )


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
    return [replace(s, findings=[f for f in s.findings if f.method != VOLUME]) for s in slices]


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
