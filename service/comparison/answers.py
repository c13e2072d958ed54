"""What two versions answer, and how fast: distributions of the panes that both were live in, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from detectors.pair import CategoricalPair, NumericPair, Pair
from detectors.tv import Tv
from detectors.wasserstein import Wasserstein
from service.messages import LATENCY, PREDICTION, SCORE, Column
from service.reference.bins import BinnedColumn, binned, mean_std, quantiles_of
from service.reference.regrid import Part, parts_of

if TYPE_CHECKING:
    from service.sketches.bottom_k import BottomK
    from service.sketches.pane import PaneSketch

_COLUMNS: Mapping[Column, tuple[float, ...]] = {
    PREDICTION: (0.05, 0.25, 0.5, 0.75, 0.95),
    SCORE: (0.05, 0.25, 0.5, 0.75, 0.95),
    LATENCY: (0.5, 0.95, 0.99),
}
_MOST_CLASSES = 10
_ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Answers:
    """One column of one version: rows with a value, quantiles by share ("0.95") or the shares of its classes."""

    rows: int
    quantiles: Mapping[str, float] = field(default_factory=dict)
    classes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnswersBeside:
    """One column of both versions: the prediction, its score or the latency.

    `distance` is `wasserstein`, in standard deviations of the other version, or `tv`, the share of predictions that
    would have to change their class; `p_value` is of no difference, for one look. None where there is too little data.
    """

    column: str
    version: Answers
    against: Answers
    method: str | None
    distance: float | None
    p_value: float | None


def answers_beside(version: PaneSketch, against: PaneSketch) -> tuple[AnswersBeside, ...]:
    """The columns that both have values of; the sketches are of one grid."""
    mine, theirs = parts_of(version), parts_of(against)
    return tuple(
        one
        for column, shares in _COLUMNS.items()
        if column in mine and column in theirs
        if (one := _beside(column, mine[column], theirs[column], shares)) is not None
    )


def _beside(column: Column, mine: Part, theirs: Part, shares: tuple[float, ...]) -> AnswersBeside | None:
    if mine.numbers_total and theirs.numbers_total:
        new, old = _numbers(mine, shares), _numbers(theirs, shares)
        score = Wasserstein().score(_number_pair(mine, theirs), _ALPHA)
    elif mine.texts.total and theirs.texts.total:
        most = _most(mine.texts, theirs.texts)
        new, old = (_classes(one.texts, most[:_MOST_CLASSES]) for one in (mine, theirs))
        score = Tv().score(_class_pair(mine.texts, theirs.texts, most), _ALPHA)
    else:
        return None
    return AnswersBeside(column.name, new, old, score.method, score.value, score.p_value)


def _numbers(part: Part, shares: tuple[float, ...]) -> Answers:
    values = quantiles_of(_binned(part), np.array(shares)).tolist()
    return Answers(part.numbers_total, dict(zip(map(str, shares), values, strict=True)))


def _binned(part: Part) -> BinnedColumn:
    assert part.numbers is not None  # noqa: S101 - it has rows
    return binned(*part.numbers)


def _number_pair(mine: Part, theirs: Part) -> Pair:
    new, old = _binned(mine), _binned(theirs)
    _, std = (mean_std(*theirs.numbers) if theirs.numbers else None) or (0.0, 0.0)
    return NumericPair(old.edges, old.counts, new.counts, min(new.low, old.low), max(new.high, old.high), std)


def _most(mine: BottomK, theirs: BottomK) -> list[str]:
    """All classes, those with the most rows of both first."""
    names = {*mine.counts, *theirs.counts}
    return sorted(names, key=lambda name: (-mine.counts.get(name, 0) - theirs.counts.get(name, 0), name))


def _classes(texts: BottomK, names: list[str]) -> Answers:
    return Answers(texts.total, classes={name: texts.counts.get(name, 0) / texts.total for name in names})


def _class_pair(mine: BottomK, theirs: BottomK, names: list[str]) -> Pair:
    new, old = (np.array([*(one.counts.get(name, 0) for name in names), one.other]) for one in (mine, theirs))
    return CategoricalPair(old, new)
