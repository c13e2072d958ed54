"""The judge of windows: scores, evidence, relations and errors of each slice.

panes -> slices (merged sketches) -> scores -> + evidence, relations, errors -> findings -> fold (asks: why?)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from service.alerting.state import FoldState, join
from service.judging.limits import contract_findings_of, held_columns, is_ignored, slices_of, watch_of
from service.judging.relations import Asked, relations_in
from service.judging.studied import Studies
from service.judging.terms import JUMP, Scored, Since, Terms, days_back
from service.messages import NOT_APPLICABLE, Column, Finding, SliceResult, Verdict, WindowKey
from service.monitor import DAY_MS
from service.reference.regrid import regrid_sketch
from service.scoring.answers import NOTHING_SEEN, ErrorState, error_findings, errors_of
from service.scoring.breaks import break_findings
from service.scoring.budget import FAMILIES, alpha_for, nats_of
from service.scoring.evidence import Earlier, Told, step
from service.scoring.evidence_state import begin, evidence_from_bytes, evidence_to_bytes
from service.scoring.schema import FEWEST_ROWS, fingerprint, schema_finding
from service.scoring.scorer import scorer_for, tests_in
from service.scoring.windows import SliceKey

if TYPE_CHECKING:
    from service.judging.slices import SliceReader
    from service.monitor import Monitor
    from service.scoring.usual import Reference, Usual
    from service.sketches.grids import Grid
    from service.sketches.label_sample import LabelSample
    from service.sketches.sample import RowSample

_LABELS_BACK_WINDOWS = 12
_FEWEST_ROWS = 30
_FORGOTTEN_AFTER_WINDOWS = 400


class _Answers(NamedTuple):
    """Samples of the labels of a window, and of the rows by slice that they may belong to."""

    labels: Sequence[LabelSample]
    rows: Mapping[SliceKey, Sequence[RowSample]]


@dataclass
class Judge:
    """Judges windows. What it keeps is a function of references and panes: order and restarts change nothing."""

    reader: SliceReader
    _studies: Studies = field(default_factory=Studies)

    # ---------------------------------------------------------------- scores
    def score(self, terms: Terms, reference: Reference | None) -> list[Scored]:
        """Every slice of a window, scored on its own: what does not depend on the windows before."""
        monitor, grid = terms.version.monitor, terms.version.grid
        merged = self.reader.merged(terms.panes, terms.base.start_ms, terms.base.end_ms, grid)
        slices = slices_of(merged)
        made = []
        for key, counted in sorted(merged.items()):
            sketch, findings = counted, contract_findings_of(terms, slices, key, counted)
            if reference is not None:
                # The grid in force only refines the reference's (for a contract): the counts come down exactly.
                sketch = regrid_sketch(counted, reference.sketch.grid)
                share = FAMILIES["columns"] * slices.share(is_segment=bool(key.segment))
                alpha = alpha_for(monitor, terms.spec, share / tests_in(reference.sketch, monitor))
                plan = self._studies.of(reference).plan(key.segment)
                findings += scorer_for(monitor, reference, key.segment, alpha, plan).findings(sketch)
            named = terms.base._replace(version=key.version, segment=key.segment)
            made.append(Scored(SliceResult(named, sketch.inferences, sketch.labels, findings), sketch))
        return made

    # ---------------------------------------------------------------- evidence
    def weigh(
        self, state: FoldState, terms: Terms, reference: Reference, scored: Sequence[Scored]
    ) -> tuple[list[SliceResult], Since]:
        """Add evidence to the state (which is changed) and to the slices; also since when each signal is suspect."""
        merged = {SliceKey(one.result.key.version, one.result.key.segment): one.sketch for one in scored}
        slices, answers = slices_of(merged), self._answers(terms, scored)
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
                since.update({(one.result.key, c, JUMP): one.result.key.start_ms for c in told.jumped})
            found += self._relations(state, terms, reference, one, share, found)
            found += _schema(state, one, terms.version.monitor)
            found += self._errors(state, terms, reference, one, share, answers)
            results.append(replace(one.result, findings=(*one.result.findings, *found)))
        _forget(state, terms)
        return results, since

    def glance(self, terms: Terms, reference: Reference) -> list[SliceResult]:
        """All traffic of one pane, looked at for total breaks only."""
        merged = self.reader.merged(
            terms.panes, terms.base.start_ms, terms.base.end_ms, reference.sketch.grid
        )
        usual = self._studies.of(reference).usual("")
        made = []
        for key, sketch in sorted(merged.items()):
            if key.segment or not sketch.inferences:
                continue
            tests = 1 if usual is None else NOT_APPLICABLE * len(usual.groups.columns)
            share = FAMILIES["breaks"] / 2 / tests / max(1, slices_of(merged).whole)
            limit = nats_of(alpha_for(terms.version.monitor, terms.spec, share))
            found = () if usual is None else break_findings(usual, sketch, limit)
            watched = [f for f in found if not is_ignored(terms, f.column)]
            named = terms.base._replace(version=key.version)
            made.append(SliceResult(named, sketch.inferences, sketch.labels, watched))
        return made

    def _step(
        self, state: FoldState, terms: Terms, reference: Reference, one: Scored, share: float
    ) -> Told | None:
        key = one.result.key
        usual = self._studies.of(reference).usual(key.segment)
        if usual is None:
            return None
        name = join(key.version, key.segment, key.window)
        kept = state.evidence.get(name)
        before = (
            begin(usual, key.start_ms) if kept is None else evidence_from_bytes(kept[1], usual, key.start_ms)
        )
        watch = watch_of(terms, usual, share, key.segment, held_columns(state, key))

        def earlier() -> list[Earlier]:
            return self._earlier(terms, usual, key, reference.sketch.grid)

        told = step(usual, before, one.sketch, watch, (key.start_ms, key.end_ms), earlier)
        state.evidence[name] = (key.end_ms, evidence_to_bytes(told.state, usual))
        return told

    def _earlier(self, terms: Terms, usual: Usual, key: WindowKey, grid: Grid) -> list[Earlier]:
        """The same hours of earlier days; for windows longer than a day, of earlier weeks."""
        found = []
        for back in days_back(key):
            sketch = self.reader.slice(terms, key, key.start_ms - back, key.end_ms - back, grid)
            if sketch is not None and sketch.inferences >= _FEWEST_ROWS:
                found.append(Earlier(f"{back // DAY_MS} days before", usual.groups.counts(sketch)))
        return found

    def _relations(
        self, state: FoldState, terms: Terms, reference: Reference, one: Scored, share: float, found: Sequence[Finding]
    ) -> Sequence[Finding]:  # fmt: skip
        """How features go together, in all traffic, but for those that ring by themselves."""
        if one.result.key.segment or not one.sketch.inferences:
            return ()
        ringing = {f.column for f in found if f.verdict is Verdict.DRIFT and f.column is not None}
        ringing |= {c for c in one.sketch.grid.number_at if is_ignored(terms, c)}
        alpha = alpha_for(terms.version.monitor, terms.spec, FAMILIES["relations"] * share)
        asked = Asked(terms, self._studies.of(reference), one, frozenset(ringing), alpha)
        return relations_in(self.reader, asked, state)

    def _answers(self, terms: Terms, scored: Sequence[Scored]) -> _Answers:
        """The labels that came in this window, and the sampled rows by slice that they may belong to."""
        if not any(one.sketch.labels for one in scored):
            return _Answers([], {})
        base = terms.base
        labels = [
            self.reader.sample(row)[1] for row in terms.panes(base.start_ms, base.end_ms, "") if row.labels
        ]
        rows: dict[SliceKey, list[RowSample]] = {}
        for row in terms.panes(
            base.start_ms - _LABELS_BACK_WINDOWS * (base.end_ms - base.start_ms), base.end_ms
        ):
            if row.inferences:
                rows.setdefault(SliceKey(row.key.version, row.key.segment), []).append(
                    self.reader.sample(row)[0]
                )
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


def _schema(state: FoldState, one: Scored, monitor: Monitor) -> Sequence[Finding]:
    """Whether a version sends other fields than it did; a new version is held against any that is known."""
    key = one.result.key
    if key.segment or one.sketch.inferences < FEWEST_ROWS:
        return ()
    ignored = {name for name, override in monitor.features.items() if override.ignore}
    now = tuple(field for field in fingerprint(one.sketch) if field.rpartition(":")[0] not in ignored)
    name = join(key.version, key.window)
    others = (fields for known, fields in state.schemas.items() if known.endswith(join("", key.window)))
    before = state.schemas.get(name) or next(others, now)
    state.schemas[name] = now
    found = schema_finding(before, now, one.sketch.inferences)
    return () if found is None else (found,)


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
        version, segment, window = name.split("\x1f")[:3]
        if not segment:
            state.schemas.pop(join(version, window), None)
        state.errors.pop(name, None)
