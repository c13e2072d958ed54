"""All kinds of faults, by name."""

from __future__ import annotations

from collections.abc import Mapping

from service.injection.answers import PredictionShift, StuckPrediction
from service.injection.elsewhere import Permute, Stale, Stuck
from service.injection.fault import Fault
from service.injection.gaps import DefaultFill, Missing
from service.injection.numbers import Clipping, Rounding, Shift, Spread, Truncation, Unit
from service.injection.shape import Merge, Rename, Split, Swap, TypeChange
from service.injection.texts import CategoryCase, CategoryMix, Encoding, NewCategory, Whitespace
from service.injection.traffic import Duplicates, FarFuture, Late, OutOfOrder, Silence
from service.injection.truths import ConceptFlip, LabelDelay, LabelSilence, PriorShift

KINDS: Mapping[str, type[Fault]] = {
    kind.name: kind
    for kind in (
        Missing, DefaultFill, Rename, Swap, Merge, Split, TypeChange,
        Unit, Shift, Spread, Rounding, Truncation, Clipping, Stuck, Stale, Permute,
        CategoryCase, Whitespace, Encoding, NewCategory, CategoryMix,
        StuckPrediction, PredictionShift,
        Silence, Duplicates, Late, OutOfOrder, FarFuture,
        ConceptFlip, PriorShift, LabelSilence, LabelDelay,
    )
}  # fmt: skip
