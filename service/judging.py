"""One window of a model, judged: its slices are scored, the evidence is added up, and what rings is explained.

panes -> slices (merged sketches) -> scores -> + evidence, relations, errors -> findings -> fold (asks: why?)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import xxhash

from service.alerting.rules import Signal
from service.alerting.state import FoldState, join, place_of
from service.contract.findings import clauses_in, contract_findings
from service.diagnosis.correlation import diagnose_correlation
from service.diagnosis.diagnose import Patient, diagnose
from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.view import SliceView, view_of
from service.messages import (
    NOT_APPLICABLE,
    Column,
    Finding,
    PaneRow,
    Role,
    Severity,
    SliceResult,
    Verdict,
    WindowKey,
)
from service.monitor import DAY_MS
from service.reference.regrid import regrid_sketch
from service.scoring.answers import NOTHING_SEEN, ErrorState, error_findings, errors_of
from service.scoring.breaks import break_findings
from service.scoring.budget import FAMILIES, SIGNALS, Slices, alpha_for, column_shares, nats_of
from service.scoring.evidence import (
    EVIDENCE,
    RATE_METHODS,
    Earlier,
    Told,
    Watch,
    begin,
    evidence_from_bytes,
    evidence_to_bytes,
    step,
)
from service.scoring.groups import RANGE, RATES, FloatArray
from service.scoring.relations import Relations, relation_findings, relations_of
from service.scoring.scorer import Plans, scorer_for, tests_in
from service.scoring.usual import TOLERANCE, Reference, UsualSlices
from service.scoring.windows import SliceKey, merge_slices
from service.sketches.codec import pane_from_bytes

if TYPE_CHECKING:
    from service.configuration import ModelVersion
    from service.monitor import WindowSpec
    from service.scoring.usual import Usual
    from service.sketches.grids import Grid
    from service.sketches.label_sample import LabelSample
    from service.sketches.pane import PaneSketch
    from service.sketches.sample import RowSample

Panes = Callable[[int, int], Iterable[PaneRow]]
"""The panes that start in [start_ms, end_ms), of all partitions and slices."""

Since = Mapping[tuple[WindowKey, Column | None, str], int]
"""When the run of suspect windows began, by slice, column and method."""

_JUMP = "jump"
_BEFORE_WINDOWS = 4
_MOST_SINCE_WINDOWS = 20
_DAYS_BACK = (1, 2, 3, 4, 5, 6, 7, 14, 21, 28)
"""The same hours of these days before are asked whether they were like this."""
_LABELS_BACK_WINDOWS = 12
_KEPT_SAMPLES = 20_000
_FEWEST_ROWS = 30
_FORGOTTEN_AFTER_WINDOWS = 400
_RULES = {
    "drift": EVIDENCE, "range": "evidence_range", "unseen": "evidence_unseen", "type": "evidence_wrong_type",
    "missing": "evidence_null",
}  # fmt: skip


class Scored(NamedTuple):
    """A slice of a window with its scores, and what was counted."""

    result: SliceResult
    sketch: PaneSketch


class _Answers(NamedTuple):
    """Samples of the labels of a window, and of the rows by slice that they may belong to."""

    labels: Sequence[LabelSample]
    rows: Mapping[SliceKey, Sequence[RowSample]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What one window is judged by."""

    version: ModelVersion
    spec: WindowSpec
    base: WindowKey
    panes: Panes


@dataclass
class Judge:
    """Judges windows. What it keeps is a function of references and panes: order and restarts change nothing."""

    grid: Callable[[str], Grid]
    _plans: Plans = field(default_factory=Plans)
    _usual: dict[int, tuple[Reference, UsualSlices]] = field(default_factory=dict)
    _known_relations: dict[tuple[int, frozenset[Column]], tuple[Reference, Relations]] = field(
        default_factory=dict
    )
    _samples: OrderedDict[bytes, tuple[RowSample, LabelSample]] = field(default_factory=OrderedDict)

    # ---------------------------------------------------------------- scores
    def score(self, terms: Terms, reference: Reference | None) -> list[Scored]:
        """Every slice of a window, scored on its own: what does not depend on the windows before."""
        monitor, grid = terms.version.monitor, terms.version.grid
        merged = self._merged(terms.panes, terms.base.start_ms, terms.base.end_ms, grid)
        slices = _slices_of(merged)
        made = []
        for key, counted in sorted(merged.items()):
            sketch, findings = counted, _contract_findings(terms, slices, key, counted)
            if reference is not None:
                # The grid in force only refines the reference's (for a contract): the counts come down exactly.
                sketch = regrid_sketch(counted, reference.sketch.grid)
                share = FAMILIES["columns"] * slices.share(is_segment=bool(key.segment))
                alpha = alpha_for(monitor, terms.spec, share / tests_in(reference.sketch, monitor))
                findings += scorer_for(monitor, reference, key.segment, alpha, self._plans).findings(sketch)
            named = terms.base._replace(version=key.version, segment=key.segment)
            made.append(Scored(SliceResult(named, sketch.inferences, sketch.labels, findings), sketch))
        return made

    def _merged(
        self, panes: Panes, start_ms: int, end_ms: int, grid: Grid, only: SliceKey | None = None
    ) -> dict[SliceKey, PaneSketch]:
        """The slices of some panes (or one of them) on a grid. Reading a pane's bytes is what costs."""
        rows = (
            row
            for row in panes(start_ms, end_ms)
            if only is None or only == (row.key.version, row.key.segment)
        )
        return merge_slices(self._on_grid(row, grid) for row in rows)

    def _on_grid(self, row: PaneRow, grid: Grid) -> tuple[SliceKey, PaneSketch]:
        own = grid if row.grid_id == grid.id else self.grid(row.grid_id)
        sketch = pane_from_bytes(row.sketch, own)
        if own is not grid:
            sketch = regrid_sketch(sketch, grid)
        return SliceKey(row.key.version, row.key.segment), sketch

    # ---------------------------------------------------------------- evidence
    def weigh(
        self, state: FoldState, terms: Terms, reference: Reference, scored: Sequence[Scored]
    ) -> tuple[list[SliceResult], Since]:
        """Add evidence to the state (which is changed) and to the slices; also since when each signal is suspect."""
        merged = {SliceKey(one.result.key.version, one.result.key.segment): one.sketch for one in scored}
        slices, answers = _slices_of(merged), self._answers(terms, scored)
        results: list[SliceResult] = []
        since: dict[tuple[WindowKey, Column | None, str], int] = {}
        for one in scored:
            share = slices.share(is_segment=bool(one.result.key.segment))
            found: list[Finding] = []
            told = self._step(state, terms, reference, one, share)
            if told is not None:
                found += told.findings
                since.update(
                    {(one.result.key, column, method): ms for (column, method), ms in told.since_ms.items()}
                )
                since.update({(one.result.key, c, _JUMP): one.result.key.start_ms for c in told.jumped})
            found += self._relations(terms, reference, one, share, found)
            found += self._errors(state, terms, reference, one, share, answers)
            results.append(replace(one.result, findings=(*one.result.findings, *found)))
        _forget(state, terms)
        return results, since

    def glance(self, terms: Terms, reference: Reference) -> list[SliceResult]:
        """All traffic of one pane, looked at for total breaks only."""
        merged = self._merged(terms.panes, terms.base.start_ms, terms.base.end_ms, reference.sketch.grid)
        usual = self._usual_of(reference).of("")
        made = []
        for key, sketch in sorted(merged.items()):
            if key.segment or not sketch.inferences:
                continue
            tests = 1 if usual is None else NOT_APPLICABLE * len(usual.groups.columns)
            share = FAMILIES["breaks"] / 2 / tests / max(1, _slices_of(merged).whole)
            limit = nats_of(alpha_for(terms.version.monitor, terms.spec, share))
            found = () if usual is None else break_findings(usual, sketch, limit)
            watched = [f for f in found if not _ignored(terms, f.column)]
            named = terms.base._replace(version=key.version)
            made.append(SliceResult(named, sketch.inferences, sketch.labels, watched))
        return made

    def _step(
        self, state: FoldState, terms: Terms, reference: Reference, one: Scored, share: float
    ) -> Told | None:
        key = one.result.key
        usual = self._usual_of(reference).of(key.segment)
        if usual is None:
            return None
        name = join(key.version, key.segment, key.window)
        kept = state.evidence.get(name)
        before = (
            begin(usual, key.start_ms) if kept is None else evidence_from_bytes(kept[1], usual, key.start_ms)
        )
        watch = _watch(terms, usual, share, key.segment, _held(state, key))

        def earlier() -> list[Earlier]:
            return self._earlier(terms, usual, key, reference.sketch.grid)

        told = step(usual, before, one.sketch, watch, (key.start_ms, key.end_ms), earlier)
        state.evidence[name] = (key.end_ms, evidence_to_bytes(told.state, usual))
        return told

    def _earlier(self, terms: Terms, usual: Usual, key: WindowKey, grid: Grid) -> list[Earlier]:
        """The same hours of earlier days; for windows longer than a day, of earlier weeks."""
        length = key.end_ms - key.start_ms
        found = []
        for days in _DAYS_BACK:
            if days * DAY_MS < length or (length > DAY_MS and days % 7):
                continue
            back = days * DAY_MS
            sketch = self._slice(terms, key, key.start_ms - back, key.end_ms - back, grid)
            if sketch is not None and sketch.inferences >= _FEWEST_ROWS:
                found.append(Earlier(f"{days} days before", usual.groups.counts(sketch)))
        return found

    def _usual_of(self, reference: Reference) -> UsualSlices:
        """What is usual is made once for a reference."""
        known = self._usual.get(id(reference))
        if known is None or known[0] is not reference:
            if len(self._usual) > 64:
                self._usual.clear()
            known = self._usual[id(reference)] = (reference, UsualSlices(reference))
        return known[1]

    def _relations(
        self, terms: Terms, reference: Reference, one: Scored, share: float, found: Sequence[Finding]
    ) -> Sequence[Finding]:
        """How features go together, in all traffic: ringing only if it was otherwise just before, too."""
        key = one.result.key
        if key.segment or not one.sketch.inferences:
            return ()
        ringing = frozenset(f.column for f in found if f.verdict is Verdict.DRIFT and f.column is not None)
        alpha = alpha_for(terms.version.monitor, terms.spec, FAMILIES["relations"] * share)
        told = relation_findings(self._relations_of(reference, ringing), one.sketch, alpha)
        if not any(f.verdict is Verdict.DRIFT for f in told):
            return told
        before = self._before(terms, key, key.start_ms, reference.sketch.grid)
        if before is None or before.inferences < one.sketch.inferences:
            return told
        just_before = relations_of(before, (), ringing)
        lately = {f.method: f.verdict for f in relation_findings(just_before, one.sketch, alpha)}
        return [f if lately.get(f.method, f.verdict) is Verdict.DRIFT else _calmed(f) for f in told]

    def _relations_of(self, reference: Reference, ringing: frozenset[Column]) -> Relations:
        known = self._known_relations.get((id(reference), ringing))
        if known is None or known[0] is not reference:
            if len(self._known_relations) > 64:
                self._known_relations.clear()
            made = relations_of(reference.sketch, reference.blocks, ringing)
            known = self._known_relations[id(reference), ringing] = (reference, made)
        return known[1]

    def _answers(self, terms: Terms, scored: Sequence[Scored]) -> _Answers:
        """The labels that came in this window, and the sampled rows by slice that they may belong to."""
        if not any(one.sketch.labels for one in scored):
            return _Answers([], {})
        base = terms.base
        labels = [
            self._sample(row)[1]
            for row in terms.panes(base.start_ms, base.end_ms)
            if row.labels and not row.key.segment
        ]
        rows: dict[SliceKey, list[RowSample]] = {}
        for row in terms.panes(
            base.start_ms - _LABELS_BACK_WINDOWS * (base.end_ms - base.start_ms), base.end_ms
        ):
            if row.inferences:
                rows.setdefault(SliceKey(row.key.version, row.key.segment), []).append(self._sample(row)[0])
        return _Answers(labels, rows)

    def _errors(
        self, state: FoldState, terms: Terms, reference: Reference, one: Scored, share: float, answers: _Answers
    ) -> Sequence[Finding]:  # fmt: skip
        """How often the model was wrong, by the labels that came in this window."""
        key = one.result.key
        rows = answers.rows.get(SliceKey(key.version, key.segment))
        if not answers.labels or not rows:
            return ()
        wrong, joined = errors_of(reference.sketch.grid, rows, answers.labels)
        limit = nats_of(alpha_for(terms.version.monitor, terms.spec, FAMILIES["answers"] * share))
        name = join(key.version, key.segment, key.window)
        before = ErrorState(*state.errors.get(name, NOTHING_SEEN))
        state.errors[name], found = error_findings(
            before, wrong, joined, reference.errors.get(key.segment), limit
        )
        return found

    def _sample(self, row: PaneRow) -> tuple[RowSample, LabelSample]:
        """A pane's samples, kept while they may be needed again; a window looks at many panes of its past."""
        name = xxhash.xxh3_128_digest(row.sketch)
        if name not in self._samples:
            sketch = pane_from_bytes(row.sketch, self.grid(row.grid_id))
            self._samples[name] = sketch.sample, sketch.label_sample
            if len(self._samples) > _KEPT_SAMPLES:
                self._samples.popitem(last=False)
        return self._samples[name]

    # ---------------------------------------------------------------- diagnosis
    def explain(
        self, terms: Terms, reference: Reference, scored: Sequence[Scored], result: SliceResult,
        signals: Sequence[Signal], since_ms: Callable[[SliceResult, Signal], int | None],
    ) -> Mapping[Signal, Diagnosis]:  # fmt: skip
        """Why these signals of a slice ring."""
        columns = {s.column for s in signals if s.column is not None and s.rule in _RULES}
        broken = {
            s: d for s in signals if s.rule == "relation" and (d := _relation(reference, scored, result))
        }
        if not columns:
            return broken
        known = [ms for s in signals if (ms := since_ms(result, s)) is not None]
        span = result.key.end_ms - result.key.start_ms
        since = max(min([*known, result.key.start_ms]), result.key.end_ms - _MOST_SINCE_WINDOWS * span)
        rows = reference.segment(result.key.segment) if result.key.segment else reference.sketch
        current = self._slice(terms, result.key, since, result.key.end_ms, reference.sketch.grid)
        if rows is None or current is None:
            return broken
        before = self._before(terms, result.key, since, reference.sketch.grid)
        patient = Patient(
            view_of(rows),
            None if before is None else view_of(before),
            view_of(current),
            _parts(scored, result.key),
        )
        found = diagnose(patient, columns)
        return {
            s: found[s.column]
            for s in signals
            if s.column is not None and s.column in found and s.rule in _RULES
        }

    def _before(self, terms: Terms, key: WindowKey, until_ms: int, grid: Grid) -> PaneSketch | None:
        span = key.end_ms - key.start_ms
        return self._slice(terms, key, until_ms - _BEFORE_WINDOWS * span, until_ms, grid)

    def _slice(
        self, terms: Terms, key: WindowKey, start_ms: int, end_ms: int, grid: Grid
    ) -> PaneSketch | None:
        only = SliceKey(key.version, key.segment)
        return self._merged(terms.panes, start_ms, end_ms, grid, only).get(only)


def _relation(reference: Reference, scored: Sequence[Scored], result: SliceResult) -> Diagnosis | None:
    """Which feature lost its relations to the others, and to which most."""
    sketch = next((one.sketch for one in scored if one.result.key == result.key), None)
    if sketch is None:
        return None
    then, now = reference.sketch.moments, sketch.moments
    ringing = {f.column for f in result.findings if f.verdict is Verdict.DRIFT and f.method == EVIDENCE}
    others = {c for c in then.columns if c.role is not Role.FEATURE}
    rung = [c for c in ringing | others if c is not None]
    return diagnose_correlation(
        then.correlation(), now.correlation(), then.columns, then.rows, now.rows, rung
    )


def _parts(scored: Sequence[Scored], key: WindowKey) -> Mapping[str, SliceView]:
    """The other slices of the window, by what they are."""
    others = [one for one in scored if one.result.key != key and one.sketch.inferences]
    if key.segment:
        others = []
    return {
        " of ".join(filter(None, (k.segment, f"version {k.version}" if k.version else ""))): view_of(
            one.sketch
        )
        for one in others
        for k in [one.result.key]
    }


def _contract_findings(
    terms: Terms, slices: Slices, key: SliceKey, sketch: PaneSketch
) -> tuple[Finding, ...]:
    """What was promised of all rows of a version."""
    monitor = terms.version.monitor
    if monitor.contract is None or key.segment or not sketch.inferences:
        return ()
    share = FAMILIES["contract"] * slices.share(is_segment=False) / max(1, clauses_in(monitor.contract))
    return contract_findings(monitor.contract, sketch, alpha_for(monitor, terms.spec, share))


def _slices_of(merged: Mapping[SliceKey, PaneSketch]) -> Slices:
    with_rows = [key for key, sketch in merged.items() if sketch.inferences]
    whole = sum(not key.segment for key in with_rows)
    return Slices(max(1, whole), len(with_rows) - whole)


def _watch(terms: Terms, usual: Usual, share: float, segment: str, held: frozenset[Column]) -> Watch:
    """Each test's limit: what its share of the budget is, in nats. What is not watched never rings."""
    monitor, columns = terms.version.monitor, usual.groups.columns
    own = Column(Role.FEATURE, segment.partition("=")[0]) if segment else None
    shares = np.array(column_shares(monitor, columns))
    whole = share * FAMILIES["columns"]

    def limits(signal: str) -> FloatArray:
        part = whole * SIGNALS[signal]
        return np.array(
            [
                nats_of(alpha_for(monitor, terms.spec, part * one)) if one else np.inf
                for one in shares.tolist()
            ]
        )

    distribution, rates = limits("distribution"), limits("rate")
    mine = np.array([column == own for column in columns], np.bool_)
    distribution = np.where(mine | usual.quality_only, np.inf, distribution)
    by_rate = np.repeat(np.where(mine, np.inf, rates)[:, None], RATES, axis=1)
    if usual.quality_only:
        by_rate[:, RANGE:] = np.inf
    overrides = [monitor.features.get(c.name) if c.role is Role.FEATURE else None for c in columns]
    tolerances = [TOLERANCE if o is None or o.tolerance is None else o.tolerance for o in overrides]
    return Watch(distribution, by_rate, np.array(tolerances), held)


def _held(state: FoldState, key: WindowKey) -> frozenset[Column]:
    """Columns of this slice about which a page is open: what is broken must not become usual."""
    held = set()
    for name, tracked in state.tracked.items():
        place = place_of(name)
        mine = (place.version, place.segment, place.window) == (key.version, key.segment, key.window)
        if mine and place.column is not None and tracked.severity is Severity.PAGE:
            held.add(place.column)
    return frozenset(held)


def _ignored(terms: Terms, column: Column | None) -> bool:
    override = (
        terms.version.monitor.features.get(column.name) if column and column.role is Role.FEATURE else None
    )
    return override is not None and override.ignore


def _calmed(finding: Finding) -> Finding:
    return replace(finding, column=None, verdict=Verdict.OK)


def _forget(state: FoldState, terms: Terms) -> None:
    """Slices that were not seen for long (an old version) are not carried on."""
    oldest = terms.base.end_ms - _FORGOTTEN_AFTER_WINDOWS * (terms.base.end_ms - terms.base.start_ms)
    old = [
        n
        for n, (end, _) in state.evidence.items()
        if n.split("\x1f")[2] == terms.base.window and end < oldest
    ]
    for name in old:
        del state.evidence[name]
        state.errors.pop(name, None)


def jumps_of(since: Since) -> Callable[[SliceResult, Signal], bool]:
    """Whether a signal's column differs from the recent past by this one window: something happened just now."""
    return lambda result, signal: (result.key, signal.column, _JUMP) in since


def since_of(
    since: Since,
) -> Callable[[SliceResult, Signal], int | None]:
    """When the run of suspect windows began that a signal rings for."""

    def known(result: SliceResult, signal: Signal) -> int | None:
        if signal.rule == "drift" and (jumped := since.get((result.key, signal.column, _JUMP))) is not None:
            return jumped
        methods = RATE_METHODS[:5] if signal.rule == "missing" else (_RULES.get(signal.rule, ""),)
        found = [since[k] for m in methods if (k := (result.key, signal.column, m)) in since]
        return min(found, default=None)

    return known
