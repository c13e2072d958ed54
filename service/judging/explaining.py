"""Asks for a diagnosis of what rings in a slice: gathers its reference, the rows just before, and those since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.diagnosis.correlation import diagnose_correlation
from service.diagnosis.diagnose import Patient, diagnose
from service.diagnosis.view import SliceView, view_of
from service.judging.terms import METHODS, Scored, SinceWhen, Terms
from service.messages import Role, SliceResult, Verdict, WindowKey
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
        s: d for s in signals if s.rule == "relation" and (d := _relation(reference, case.scored, result))
    }
    asked = {s: s.column for s in signals if s.column is not None and s.rule in METHODS}
    if not asked:
        return found
    known = [ms for s in signals if (ms := since_when(result, s)) is not None]
    earliest = key.end_ms - _MOST_SINCE_WINDOWS * (key.end_ms - key.start_ms)
    since = max(min([*known, key.start_ms]), earliest)
    rows = reference.segment(key.segment) if key.segment else reference.sketch
    current = reader.slice(case.terms, key, since, key.end_ms, reference.sketch.grid)
    if rows is None or current is None:
        return found
    before = reader.before(case.terms, key, since, reference.sketch.grid)
    just_before = None if before is None else view_of(before)
    patient = Patient(view_of(rows), just_before, view_of(current), _parts(case.scored, key))
    diagnoses = diagnose(patient, set(asked.values()))
    return found | {s: diagnoses[column] for s, column in asked.items() if column in diagnoses}


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
