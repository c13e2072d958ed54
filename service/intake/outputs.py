"""What a model answered: predictions and scores of any allowed form, as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import UNSET

from service.intake.schema import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence


class Outputs(NamedTuple):
    """Per row the answer (label or value) and the score; UNSET where the event says nothing of it."""

    answers: list[Any]
    scores: list[Any]


def lift_outputs(predictions: Sequence[Any]) -> Outputs:
    """The answers and scores of prediction objects, mappings, bare numbers and bare texts."""
    if set(map(type, predictions)) == {Prediction} and not any([p.scores for p in predictions]):
        answers = [p.label for p in predictions]
        if None in answers:
            answers = [_or_unset(p.value) if a is None else a for a, p in zip(answers, predictions, strict=True)]
        scores = [p.score for p in predictions]
        return Outputs(answers, [_or_unset(s) for s in scores] if None in scores else scores)
    pairs = [_one(p) for p in predictions]
    return Outputs([a for a, _ in pairs], [s for _, s in pairs])


def _or_unset(value: object) -> object:
    return UNSET if value is None else value


def _one(prediction: object) -> tuple[Any, Any]:
    if isinstance(prediction, Prediction):
        return _of_parts(prediction.label, prediction.value, prediction.score, prediction.scores)
    if isinstance(prediction, dict):
        if not prediction.get("scores") and (label := prediction.get("label")) is not None:
            return label, _or_unset(prediction.get("score"))
        scores = prediction.get("scores")
        label, value, score = (prediction.get(name) for name in ("label", "value", "score"))
        return _of_parts(label, value, score, scores if isinstance(scores, dict) else None)
    return prediction, UNSET


def _of_parts(label: Any, value: Any, score: Any, scores: dict[str, Any] | None) -> tuple[Any, Any]:  # noqa: ANN401
    numbers = {k: v for k, v in (scores or {}).items() if isinstance(v, int | float) and not isinstance(v, bool)}
    if numbers:
        best = max(numbers, key=lambda k: (numbers[k], k))
        label = best if label is None else label
        score = numbers[best] if score is None else score
    return label if label is not None else _or_unset(value), _or_unset(score)
