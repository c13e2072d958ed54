"""What a model seems to predict, told by how its predictions and labels are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.monitor import Task
from service.sniffing.column import Column
from service.sniffing.found import PredictionForm

_FEWEST_VALUES = 20
"""Numbers with more different values than that are no classes."""
_TWO = 2


@dataclass
class Answers:
    """The predictions and labels of one model so far. A prediction of several forms counts in each."""

    forms: Counter[PredictionForm] = field(default_factory=Counter)
    predicted: Column = field(default_factory=Column)
    scored: set[str] = field(default_factory=set)
    true: Column = field(default_factory=Column)

    def add_prediction(self, prediction: Any) -> None:
        """Take one prediction as it was decoded."""
        forms = form_of(prediction)
        self.forms.update(forms)
        if isinstance(prediction, Mapping):
            self.predicted.add(prediction.get("label", prediction.get("value")))
            scores = prediction.get("scores")
            if isinstance(scores, Mapping) and len(self.scored) <= _FEWEST_VALUES:
                self.scored.update(list(scores)[: _FEWEST_VALUES + 1])
        elif PredictionForm.NONE not in forms:
            self.predicted.add(prediction)

    def task(self) -> tuple[Task, str]:
        """The task, and what it was told by."""
        classes = {*self._classes(self.predicted), *self._classes(self.true), *self.scored}
        if not (self.forms.keys() - {PredictionForm.NONE}) and not self.true.filled:
            return Task.NONE, "no predictions and no labels: only the inputs can be watched"
        if self.forms[PredictionForm.VALUE] or _is_continuous(self.true) or self._numbers_only():
            return Task.REGRESSION, "the answers are numbers with many values"
        if self.forms[PredictionForm.SCORE] or len(classes) <= _TWO:
            return Task.BINARY, self._why_binary(classes)
        return Task.MULTICLASS, f"the answers have {len(classes)} classes"

    def classes(self) -> tuple[str, ...]:
        """The classes of the labels, the most frequent first."""
        return tuple(text for text, _ in self.true.values.most_common(_FEWEST_VALUES))

    def _classes(self, column: Column) -> set[str]:
        return set() if _is_continuous(column) else set(column.values)

    def _numbers_only(self) -> bool:
        """Numbers with many values; from 0 to 1 beside labels of two classes they are probabilities."""
        is_share = self.predicted.low >= 0 and self.predicted.high <= 1 and len(self.true.values) <= _TWO
        return _is_continuous(self.predicted) and not (is_share and self.true.filled)

    def _why_binary(self, classes: set[str]) -> str:
        if self.forms[PredictionForm.SCORE]:
            return "predictions have a score, the probability of one class"
        return f"the answers have {len(classes)} classes"


def form_of(prediction: Any) -> set[PredictionForm]:
    """How one prediction is written."""
    if isinstance(prediction, Mapping):
        words = (
            PredictionForm.LABEL,
            PredictionForm.SCORE,
            PredictionForm.SCORES,
            PredictionForm.VALUE,
        )
        return {form for form in words if prediction.get(form.value) is not None} or {PredictionForm.NONE}
    if isinstance(prediction, str) or prediction is True or prediction is False:
        return {PredictionForm.TEXT}
    return {PredictionForm.NUMBER if isinstance(prediction, int | float) else PredictionForm.NONE}


def _is_continuous(column: Column) -> bool:
    if column.numbers <= column.texts:
        return False
    return column.whole < column.numbers or len(column.values) > _FEWEST_VALUES
