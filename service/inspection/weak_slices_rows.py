"""Sampled rows whose label has come, and how wrong each answer was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.monitor import Task
from service.panes.partition import MISSING_SEGMENT
from service.performance.slices import slices_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    Codes = NDArray[np.int32]

VERSION = "version"
"""What the model's version is called as a feature that rows are told apart by."""


class LossKind(StrEnum):
    """How wrong one answer is."""

    WRONG = "wrong"
    ABSOLUTE_ERROR = "absolute_error"
    SQUARED_ERROR = "squared_error"


class Answers(NamedTuple):
    """n answers and labels: classes are numbers of names, 0 is none; scores and values are NaN where there is none."""

    classes: Codes
    scores: FloatArray
    values: FloatArray
    labels: Codes
    label_values: FloatArray


class Group(NamedTuple):
    """A feature by whose values rows were counted apart: `values[codes]`, none at -1."""

    name: str
    codes: IntArray
    values: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """n sampled rows with a label: `numbers` (features, n), named by `names`; `ids` are hashes of inference ids.

    `panes` of all `of_panes` of the time were looked into, `sampled` rows of them have an id.
    """

    names: tuple[str, ...]
    numbers: FloatArray
    groups: tuple[Group, ...]
    losses: FloatArray
    loss: LossKind
    ids: NDArray[np.uint64]
    sampled: int
    panes: int
    of_panes: int


def losses_of(answers: Answers, task: Task, positive: frozenset[int]) -> tuple[FloatArray, LossKind]:
    """How wrong each answer is, NaN where that is not known; `positive` are the classes that scores speak for.

    Of two classes and answers that are all bare probabilities it is the square of what the probability lacks.
    """
    if task is Task.REGRESSION:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.abs(answers.values - answers.label_values), LossKind.ABSOLUTE_ERROR
    labelled = answers.labels != 0
    if task is Task.BINARY and not answers.classes.any():
        truth = np.isin(answers.labels, sorted(positive))
        return np.where(labelled, (answers.scores - truth) ** 2, np.nan), LossKind.SQUARED_ERROR
    known = labelled & (answers.classes != 0)
    return np.where(known, answers.classes != answers.labels, np.nan), LossKind.WRONG


def groups_of(slices: Codes, names: Mapping[int, str], segments: tuple[str, ...]) -> tuple[Group, ...]:
    """The version and the declared segments of rows, by the number of each row's list of slices."""
    numbers, rows = np.unique(slices, return_inverse=True)
    lists = [slices_of(names.get(number, "")) or (names.get(number, ""),) for number in numbers.tolist()]
    made = [_group(VERSION, [one[0] for one in lists], rows.reshape(-1))]
    for segment in segments:
        mark = f"{segment}="
        found = [next((s.removeprefix(mark) for s in one[1:] if s.startswith(mark)), None) for one in lists]
        values = [None if value == MISSING_SEGMENT else value for value in found]
        made.append(_group(segment, values, rows.reshape(-1)))
    return tuple(made)


def _group(name: str, values: Sequence[str | None], rows: NDArray[np.intp]) -> Group:
    distinct = tuple(sorted({value for value in values if value is not None}))
    places = {value: place for place, value in enumerate(distinct)}
    codes = np.array([-1 if value is None else places[value] for value in values], np.int64)
    return Group(name, codes[rows], distinct)
