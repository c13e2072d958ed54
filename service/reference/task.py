"""What a model's task is, inferred from its labels and predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.errors import ConfigurationError
from service.messages import LABEL, PREDICTION, SCORE, Column
from service.monitor import Task
from service.reference.cells import Kind, distinct_texts, numbers_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

_MOST_CLASSES = 20
_TWO = 2


class Output(NamedTuple):
    """A label's or prediction's kind, and its cells."""

    kind: Kind
    cells: pa.ChunkedArray


class Answers(NamedTuple):
    """Of a label or prediction: its classes' texts, whether only a regression answers so, or with shares."""

    classes: frozenset[str]
    continuous: bool
    shares: bool


def infer_task(outputs: Mapping[Column, Output]) -> Task:
    """Regression for numbers that are no integers or more than 20; else by the number of classes.

    A label of two classes with numbers from 0 to 1 as prediction is a score that was named wrongly.
    """
    found = {column: _answers(one) for column, one in outputs.items() if column in {LABEL, PREDICTION}}
    if not found:
        return Task.NONE
    label, prediction = found.get(LABEL), found.get(PREDICTION)
    if label and prediction and not label.continuous and len(label.classes) <= _TWO and prediction.shares:
        raise ConfigurationError(
            "the prediction column holds shares from 0 to 1 and the label two classes: name it as the score"
        )
    if any(one.continuous for one in found.values()):
        return Task.REGRESSION
    return (
        Task.BINARY
        if len(frozenset().union(*(one.classes for one in found.values()))) <= _TWO
        else Task.MULTICLASS
    )


def _answers(output: Output) -> Answers:
    classes = distinct_texts(texts_of(chunk, Kind.CLASS) for chunk in output.cells.chunks)
    if output.kind is not Kind.NUMBER:
        return Answers(frozenset(classes), continuous=False, shares=False)
    numbers = np.concatenate([numbers_of(chunk) for chunk in output.cells.chunks])
    numbers = np.unique(numbers[np.isfinite(numbers)])
    whole = bool((numbers == np.rint(numbers)).all())
    shares = not whole and bool((numbers >= 0).all() and (numbers <= 1).all())
    return Answers(frozenset(classes), continuous=not whole or len(numbers) > _MOST_CLASSES, shares=shares)


def kinds_for(task: Task, kinds: Mapping[Column, Kind]) -> dict[Column, Kind]:
    """The columns' kinds once the task is known: classes are categories, values and scores are numbers."""
    answer = Kind.NUMBER if task is Task.REGRESSION else Kind.CLASS
    wanted = {column: answer for column in (LABEL, PREDICTION) if column in kinds}
    wanted |= {SCORE: Kind.NUMBER} if SCORE in kinds else {}
    problems = [
        f"the {column.name} holds texts: a {'score' if column == SCORE else 'regression'} needs numbers"
        for column, kind in wanted.items()
        if kind is Kind.NUMBER and kinds[column] is not Kind.NUMBER
    ]
    if problems:
        raise ConfigurationError(*problems)
    return {**kinds, **wanted}
