"""How the features of all traffic go together: linearly beside the reference, and in any way beside the rows before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detectors.domain_classifier import MOST_ROWS
from service.alerting.state import join
from service.diagnosis.joint_change import diagnose_joint_change
from service.judging.terms import Scored, Terms, days_back
from service.messages import Column, Finding, Role, SliceResult, Verdict, WindowKey
from service.scoring.apart import (
    APART,
    MOST_COLUMNS,
    REMEMBERED_WINDOWS,
    Apart,
    apart_of,
    is_alike,
)
from service.scoring.relations import TESTS, relation_findings, relations_of
from service.scoring.sampled_rows import PaneSample, SampledRows, sampled_rows

if TYPE_CHECKING:
    from service.alerting.state import FoldState
    from service.diagnosis.diagnosis import Diagnosis
    from service.judging.slices import SliceReader
    from service.judging.studied import Studied
    from service.scoring.usual import Reference
    from service.sketches.grids import Grid

_BEFORE_WINDOWS, _MOST_WINDOWS = 8, 4
_ENOUGH = 0.9
"""Of the most rows: two windows for the last tenth would come too late."""
_DEVIATION = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class Asked:
    """A slice that is asked how its features go together, those left out that ring by themselves."""

    terms: Terms
    studied: Studied
    one: Scored
    left_out: frozenset[Column]
    alpha: float

    @property
    def key(self) -> WindowKey:
        """The slice's window."""
        return self.one.result.key


class RowsAround(NamedTuple):
    """Sampled rows of a window, and of the windows before."""

    before: SampledRows
    now: SampledRows


def relations_in(reader: SliceReader, asked: Asked, state: FoldState) -> Sequence[Finding]:
    """All findings about how features go together; what a correlation tells, no classifier tells again."""
    moved = _moved_relations(reader, asked)
    parted = _parted_rows(reader, asked, state)
    if any(f.verdict is Verdict.DRIFT for f in moved):
        parted = [_calmed(f) if f.verdict is Verdict.DRIFT else f for f in parted]
    return [*moved, *parted]


def _moved_relations(reader: SliceReader, asked: Asked) -> Sequence[Finding]:
    """Correlations and the main subspace: ringing only if they were otherwise just before, too."""
    sketch, key = asked.one.sketch, asked.key
    told = relation_findings(asked.studied.relations(asked.left_out), sketch, asked.alpha)
    if not any(f.verdict is Verdict.DRIFT for f in told):
        return told
    before = reader.before(asked.terms, key, key.start_ms, asked.studied.reference.sketch.grid)
    if before is None or before.inferences < sketch.inferences:
        return told
    just_before = relations_of(before, (), asked.left_out)
    lately = {f.method: f.verdict for f in relation_findings(just_before, sketch, asked.alpha)}
    return [f if lately.get(f.method, f.verdict) is Verdict.DRIFT else _calmed(f) for f in told]


def _parted_rows(reader: SliceReader, asked: Asked, state: FoldState) -> Sequence[Finding]:
    """Whether a classifier tells the window's rows from those before; what it says is remembered in the state.

    A reference keeps no rows, so that only the windows before, and the same hours of earlier days, can be asked.
    """
    key = asked.key
    columns = features_of(asked.studied.reference.sketch.grid, asked.left_out)
    around = rows_around(reader, asked.terms, key, columns)
    name = join(key.version, key.segment, key.window, APART)
    past = np.frombuffer(state.evidence.get(name, (0, b""))[1], _DEVIATION).astype(float)
    sliding = ceil((key.end_ms - key.start_ms) / asked.terms.spec.every_ms)
    found = apart_of(around.before, around.now, past, asked.alpha / TESTS, sliding)
    if found is None:
        return ()
    kept = np.append(past, found.deviation)[-REMEMBERED_WINDOWS:]
    state.evidence[name] = (key.end_ms, kept.astype(_DEVIATION).tobytes())
    if found.finding.verdict is Verdict.DRIFT and _was_seen_before(reader, asked, around.now, found):
        return (_calmed(found.finding),)
    return (found.finding,)


def diagnose_parted(
    reader: SliceReader, terms: Terms, reference: Reference, result: SliceResult
) -> Diagnosis | None:
    """Which features tell the rows of a slice from those before; None when the classifier does not ring."""
    drifted = [f for f in result.findings if f.verdict is Verdict.DRIFT]
    if all(f.method != APART for f in drifted):
        return None
    ringing = frozenset(f.column for f in drifted if f.column is not None)
    columns = features_of(reference.sketch.grid, ringing)
    around = rows_around(reader, terms, result.key, columns)
    return diagnose_joint_change(around.before, around.now)


def features_of(grid: Grid, left_out: frozenset[Column]) -> list[Column]:
    """The first number features that vary, as many as moments are kept of."""
    known = [g.column for g in grid.numbers if g.scale > 0 and g.column.role is Role.FEATURE]
    return [column for column in known[:MOST_COLUMNS] if column not in left_out]


def rows_around(reader: SliceReader, terms: Terms, key: WindowKey, columns: Sequence[Column]) -> RowsAround:
    """At most 512 rows up to the window's end, and as many of the eight windows before them.

    Those of the window alone, if it has enough; else of up to four windows.
    """
    length_ms = key.end_ms - key.start_ms
    now = _rows(reader, terms, key, columns, (key.start_ms, key.end_ms))
    windows = min(_MOST_WINDOWS, ceil(_ENOUGH * MOST_ROWS / max(now.rows, 1)))
    start_ms = key.end_ms - windows * length_ms
    if windows > 1:
        now = _rows(reader, terms, key, columns, (start_ms, key.end_ms))
    before_ms = start_ms - _BEFORE_WINDOWS * length_ms
    return RowsAround(_rows(reader, terms, key, columns, (before_ms, start_ms)), now)


def _rows(
    reader: SliceReader, terms: Terms, key: WindowKey, columns: Sequence[Column], span: tuple[int, int]
) -> SampledRows:
    length_ms = key.end_ms - key.start_ms
    mine = (
        PaneSample((row.key.start_ms - span[0]) // length_ms, reader.grid(row.grid_id), reader.sample(row)[0])
        for row in terms.panes(*span, key.segment)
        if row.inferences and row.key.version == key.version
    )
    return sampled_rows(mine, columns, MOST_ROWS)


def _was_seen_before(reader: SliceReader, asked: Asked, now: SampledRows, found: Apart) -> bool:
    key = asked.key
    span_ms = key.end_ms - len(np.unique(now.parts)) * (key.end_ms - key.start_ms), key.end_ms
    for back_ms in days_back(key):
        span = span_ms[0] - back_ms, span_ms[1] - back_ms
        if is_alike(_rows(reader, asked.terms, key, now.columns, span), now, found):
            return True
    return False


def _calmed(finding: Finding) -> Finding:
    return finding._replace(column=None, verdict=Verdict.OK)
