"""Asks for a diagnosis of what rings in a slice: gathers its reference, the rows just before, and those since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.diagnosis.correlation import diagnose_correlation
from service.diagnosis.diagnose import Patient, diagnose
from service.diagnosis.view import view_of
from service.judging.parts import Parts
from service.judging.relations import diagnose_parted
from service.judging.terms import METHODS, Scored, SinceWhen, Terms
from service.messages import Role, SliceResult, Verdict
from service.scoring.evidence import EVIDENCE

if TYPE_CHECKING:
    from service.alerting.rules import Signal
    from service.diagnosis.diagnosis import Diagnosis
    from service.judging.slices import SliceReader
    from service.scoring.usual import Reference

_MOST_SINCE_WINDOWS = 20


@dataclass(frozen=True, slots=True)
class Case:
    """A window whose slices may ring: its terms, its reference, and its slices as they were scored."""

    terms: Terms
    reference: Reference
    scored: Sequence[Scored] = ()


def explain(
    reader: SliceReader, case: Case, result: SliceResult, signals: Sequence[Signal], since_when: SinceWhen
) -> Mapping[Signal, Diagnosis]:
    """Why these signals of a slice ring, as far as that can be said."""
    reference, key = case.reference, result.key
    found = {
        s: d for s in signals if s.rule == "relation" and (d := _relation(reader, case, result)) is not None
    }
    asked = {s: s.column for s in signals if s.column is not None and s.rule in METHODS}
    if not asked:
        return found
    known = [ms for s in signals if (ms := since_when(result, s)) is not None]
    earliest = key.end_ms - _MOST_SINCE_WINDOWS * (key.end_ms - key.start_ms)
    since = max(min([*known, key.start_ms]), earliest)
    rows = reference.segment(key.segment) if key.segment else reference.sketch
    parts = Parts(reader, case.terms, reference, case.scored, key, since)
    if rows is None or parts.current is None:
        return found
    just_before = None if parts.before is None else view_of(parts.before)
    patient = Patient(view_of(rows), just_before, view_of(parts.current), parts.places)
    diagnoses = diagnose(patient, set(asked.values()))
    return found | {s: diagnoses[column] for s, column in asked.items() if column in diagnoses}


def _relation(reader: SliceReader, case: Case, result: SliceResult) -> Diagnosis | None:
    """Which feature lost its relations to the others, and to which most."""
    sketch = next((one.sketch for one in case.scored if one.result.key == result.key), None)
    if sketch is None:
        return None
    then, now = case.reference.sketch.moments, sketch.moments
    ringing = {f.column for f in result.findings if f.verdict is Verdict.DRIFT and f.method == EVIDENCE}
    others = {c for c in then.columns if c.role is not Role.FEATURE}
    rung = [c for c in ringing | others if c is not None]
    found = diagnose_correlation(
        then.correlation(), now.correlation(), then.columns, then.rows, now.rows, rung
    )
    return found or diagnose_parted(reader, case.terms, case.reference, result)
