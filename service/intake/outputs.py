"""What a model answered: predictions and scores of any allowed form, as plain values."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import UNSET, UnsetType

from service.intake.cells import number_cell
from service.intake.schema import Prediction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NOT_SAID = {UnsetType, type(None)}


class Outputs(NamedTuple):
    """Per row the answer (label or value) and the score; UNSET where the event does not say."""

    answers: list[Any]
    scores: list[Any]


def lift_outputs(predictions: Sequence[Any]) -> Outputs:
    """The answers and scores of prediction objects, mappings, bare numbers and bare texts."""
    scored = any([p.scores for p in predictions if type(p) is Prediction])  # noqa: C419 - a list is twice as fast here
    if set(map(type, predictions)) == {Prediction} and not scored:
        answers = [p.label for p in predictions]
        if not _NOT_SAID.isdisjoint(map(type, answers)):
            answers = [_first(p.label, p.value) for p in predictions]
        return Outputs(answers, [p.score for p in predictions])
    pairs = [_one(p) for p in predictions]
    return Outputs([a for a, _ in pairs], [s for _, s in pairs])


def _first(preferred: object, other: object) -> object:
    """The preferred value unless it is null or unset; of those two, null says more."""
    if preferred is UNSET or (preferred is None and other is not UNSET):
        return other
    return preferred


def _one(prediction: object) -> tuple[Any, Any]:
    if isinstance(prediction, dict):
        get = prediction.get
        label, score, scores = get("label", UNSET), get("score", UNSET), get("scores")
        if not scores and type(label) not in _NOT_SAID:
            return label, score
        return _of_parts(label, get("value", UNSET), score, scores if isinstance(scores, dict) else {})
    if isinstance(prediction, Prediction):
        return _of_parts(prediction.label, prediction.value, prediction.score, prediction.scores or {})
    return prediction, UNSET


def _of_parts(
    label: object, value: object, score: object, scores: Mapping[str, object]
) -> tuple[object, object]:
    numbers = {name: number for name, raw in scores.items() if isfinite(number := number_cell(raw))}
    if numbers:
        best = max(numbers, key=lambda name: (numbers[name], name))
        label = best if type(label) in _NOT_SAID else label
        score = numbers[best] if type(score) in _NOT_SAID else score
    return _first(label, value), score
