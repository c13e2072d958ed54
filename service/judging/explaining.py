"""Asks for a diagnosis of what rings in a slice: gathers its reference, the rows just before, and those since."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.diagnosis.correlation import diagnose_correlation
from service.diagnosis.diagnose import Patient, diagnose
from service.diagnosis.diagnosis import Examined
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
    from service.messages import Column
    from service.scoring.usual import Reference

_MOST_SINCE_WINDOWS = 20
_LATELY = 2
"""Windows before this one: when a trouble began is known to a window or two."""


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
    for since_ms, together in _begun_together(asked, result, since_when).items():
        parts = Parts(reader, case.terms, reference, case.scored, key, since_ms)
        diagnoses = _diagnoses(parts, {asked[s] for s in together})
        found |= {s: diagnoses[asked[s]] for s in together if asked[s] in diagnoses}
    return found


def _begun_together(
    asked: Iterable[Signal], result: SliceResult, since_when: SinceWhen
) -> Mapping[int, Sequence[Signal]]:
    """What began lately, and what began before, each by when its first trouble did.

    The rows of before would only thin out what is new; slow troubles need all the rows that they can get.
    """
    key = result.key
    length_ms = key.end_ms - key.start_ms
    lately_ms, earliest_ms = key.start_ms - _LATELY * length_ms, key.end_ms - _MOST_SINCE_WINDOWS * length_ms
    begun = {}
    for signal in asked:
        known = since_when(result, signal)
        begun[signal] = max(key.start_ms if known is None else min(known, key.start_ms), earliest_ms)
    parts = [s for s in begun if begun[s] < lately_ms], [s for s in begun if begun[s] >= lately_ms]
    return {min(begun[s] for s in together): together for together in parts if together}


def _diagnoses(parts: Parts, ringing: Collection[Column]) -> Mapping[Column, Diagnosis]:
    """Of columns whose trouble began together, with the rows that were examined."""
    segment, reference = parts.key.segment, parts.reference
    rows, current = reference.segment(segment) if segment else reference.sketch, parts.current
    if rows is None or current is None:
        return {}
    just_before = None if parts.before is None else view_of(parts.before)
    patient = Patient(view_of(rows), just_before, view_of(current), parts.places)
    examined = Examined(parts.since_ms, current.inferences, current.labels)
    return {column: replace(one, examined=examined) for column, one in diagnose(patient, ringing).items()}


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
