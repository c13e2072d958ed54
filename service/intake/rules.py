"""Judges the rows of a batch by the rules of its model's contract: derived columns of 0, 1 and NULL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.expressions.columns import Operand, Texts
from service.expressions.evaluation import judge
from service.expressions.parsing import parse_expression
from service.messages import LATENCY, NOT_APPLICABLE, PREDICTION, SCORE, Column, Role, TextColumn
from service.sketches.cells import NULL, kinds_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from service.messages import ExtraColumn
    from service.promises import RowRule
    from service.sketches.grids import Grid

OUTPUTS = {column.name: column for column in (PREDICTION, SCORE, LATENCY)}


class RowFields:
    """The fields of n rows of inferences as operands, by the names that rules use: features, then what was answered."""

    def __init__(
        self,
        grid: Grid,
        numbers: NDArray[np.float64],
        texts: Sequence[TextColumn],
        extras: Mapping[Column, ExtraColumn],
    ) -> None:
        self._grid, self._numbers, self._texts, self._extras = grid, numbers, texts, extras
        self._known: dict[str, Operand] = {}

    def field(self, name: str) -> Operand:
        """What the rows hold under this name; nothing at all under one that nobody has heard of."""
        if name not in self._known:
            self._known[name] = self._operand(self._column(name))
        return self._known[name]

    def _column(self, name: str) -> Column:
        feature = Column(Role.FEATURE, name)
        is_feature = (
            feature in self._grid.number_at or feature in self._grid.text_at or feature in self._extras
        )
        return feature if is_feature else OUTPUTS.get(name, feature)

    def _operand(self, column: Column) -> Operand:
        if (at := self._grid.number_at.get(column)) is not None:
            numbers = self._numbers[at]
            return Operand(numbers, silent=column.role is not Role.FEATURE and _silent_numbers(numbers))
        if (at := self._grid.text_at.get(column)) is not None:
            silent = column.role is not Role.FEATURE and _silent_texts(self._texts[at])
            return Operand(texts=_texts(self._texts[at]), silent=silent)
        extra = self._extras.get(column)
        if extra is None:
            return Operand()
        numbers = extra.numbers if extra.numbers is not None else np.nan
        return Operand(numbers, None if extra.texts is None else _texts(extra.texts))


def _texts(column: TextColumn) -> Texts:
    return Texts(column.codes, [value if isinstance(value, str) else None for value in column.values])


def _silent_numbers(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    silent = np.isnan(numbers)
    silent[silent] = kinds_of(numbers[silent]) == NOT_APPLICABLE
    return silent


def _silent_texts(column: TextColumn) -> NDArray[np.bool_]:
    return np.array([value == NOT_APPLICABLE for value in column.values])[column.codes]


def put_rules(rules: Sequence[RowRule], grid: Grid, numbers: NDArray[np.float64], fields: RowFields) -> None:
    """Fill the columns of those rules that the grid has; `numbers` is (number columns of inferences, n)."""
    for rule in rules:
        at = grid.number_at.get(Column(Role.RULE, rule.name))
        if at is not None:
            judged = judge(parse_expression(rule.check), fields.field, numbers.shape[1])
            numbers[at] = np.where(np.isnan(judged), NULL, judged)
