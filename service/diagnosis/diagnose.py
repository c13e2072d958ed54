"""Asks every kind of diagnosis about the columns that ring, and keeps the one that explains most."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.label_ratios import of_labels
from service.diagnosis.missing import diagnose_missing
from service.diagnosis.numbers import diagnose_number
from service.diagnosis.phrasing import percent
from service.diagnosis.places import PlacesOf, nowhere, unlike_before
from service.diagnosis.shift import describe_shift
from service.diagnosis.structure import diagnose_structure
from service.diagnosis.texts import diagnose_text
from service.diagnosis.types import diagnose_type
from service.diagnosis.view import ColumnView, SliceView
from service.messages import Cause, Column, Role

_WENT, _KNOWN = {Cause.RENAME, Cause.SWAP, Cause.SCHEMA_CHANGE}, 0.6
_SAID_OF_ANSWERS = {Cause.DATA_DRIFT: Cause.PREDICTION_DRIFT, Cause.STUCK_FEATURE: Cause.STUCK_PREDICTION}
LEAST_CONFIDENCE = 0.5
"""A diagnosis below it is not said: the alert then tells what was counted."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A slice that rings: its reference, the rows just before, and those since it began (None before: not known).

    `places` gives a column's rows by slice and partition, for saying where it is.
    """

    reference: SliceView
    before: SliceView | None
    current: SliceView
    places: PlacesOf = nowhere


def diagnose(patient: Patient, ringing: Collection[Column]) -> Mapping[Column, Diagnosis]:
    """The best explanation of each ringing column that has one. What explains several columns is asked first."""
    structure = diagnose_structure(patient.reference, patient.before, patient.current, ringing)
    found: dict[Column, list[Diagnosis]] = {column: [] for column in ringing}
    for one in structure:
        for column in one.columns:
            if column in found:
                found[column].append(one)
    for column in ringing:
        found[column] += _of_column(patient, column)
    chosen = {column: _best(all_of) for column, all_of in found.items() if all_of}
    sure = {column: one for column, one in chosen.items() if one.confidence >= LEAST_CONFIDENCE}
    return {column: _of_answers(column, _placed(patient, column, one)) for column, one in sure.items()}


def _placed(patient: Patient, column: Column, found: Diagnosis) -> Diagnosis:
    """With the partitions of the log that alone hold it. Of what is missing that is said already."""
    if found.cause is Cause.MISSING:
        return found
    where = unlike_before(patient.places(column).partitions)
    if where is None:
        return found
    sentence = f"{found.sentence}; only {where.said} ({percent(where.rows_share)} of the events)"
    return replace(found, sentence=sentence, evidence={**found.evidence, where.kind: where.name})


def _of_answers(column: Column, found: Diagnosis) -> Diagnosis:
    """What is said of a feature has its own word when it is said of a model's answers."""
    answers = column.role in {Role.PREDICTION, Role.SCORE}
    return replace(found, cause=_SAID_OF_ANSWERS.get(found.cause, found.cause)) if answers else found


def _of_column(patient: Patient, column: Column) -> Sequence[Diagnosis]:
    reference, current = patient.reference.columns.get(column), patient.current.columns.get(column)
    if reference is None or current is None:
        return ()
    before = patient.before.columns.get(column) if patient.before is not None else None
    found = [
        *diagnose_missing(reference, before, current, patient.places),
        *diagnose_type(reference, before, current),
    ]
    if reference.n_numbers >= reference.n_texts:
        numbers = diagnose_number(reference, before, current) if _has_numbers(reference, current) else ()
        found += of_labels(column, numbers, current, reference)
        found += [describe_shift(reference, current)] if _has_numbers(reference, current) else ()
    else:
        found += diagnose_text(reference, before, current)
    return found


def _has_numbers(reference: ColumnView, current: ColumnView) -> bool:
    return reference.n_numbers > 0 and current.n_numbers > 0


def _best(found: Sequence[Diagnosis]) -> Diagnosis:
    """The surest; of equals what names a fault, and what explains more columns.

    That a field is absent is no explanation where it is known where it went.
    """
    went = [d for d in found if d.cause in _WENT and d.confidence >= _KNOWN]
    chosen = [d for d in found if d.cause is not Cause.MISSING] if went else found
    return max(
        chosen, key=lambda d: (round(d.confidence, 2), d.cause is not Cause.DATA_DRIFT, len(d.columns))
    )
