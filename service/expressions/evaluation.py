"""Evaluates rules on whole columns: simpleeval walks the tree and finds none but our nodes, operators and functions."""

from __future__ import annotations

import ast
import operator
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from simpleeval import SimpleEval

from service.expressions.columns import (
    Operand,
    Told,
    both,
    calculated,
    compared,
    contained,
    either,
    is_missing,
    opposite,
)
from service.expressions.parsing import FEATURE, MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.expressions.parsing import Expression

KEPT, BROKEN = 0.0, 1.0

_CALCULATIONS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
    ast.USub: np.negative, ast.UAdd: np.positive,
}  # fmt: skip
_COMPARISONS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


def judge(expression: Expression, field: Callable[[str], Operand], rows: int) -> NDArray[np.float64]:
    """Of each row 0.0 where the rule is kept, 1.0 where it is broken, NaN where that cannot be told.

    `field` gives the operand of a name: its columns have `rows` rows.
    """
    told: Told = _Evaluator(field).eval(expression.text, previously_parsed=expression.tree)
    said = np.where(told.no, BROKEN, np.where(told.yes, KEPT, np.nan))
    return np.array(np.broadcast_to(said, (rows,)))


class _Evaluator(SimpleEval):  # type: ignore[misc] # the library has no types
    """SimpleEval whose every table is replaced: what is not in `nodes` cannot be evaluated, whatever was parsed."""

    def __init__(self, field: Callable[[str], Operand]) -> None:
        functions = {"abs": _absolute, "min": _least, "max": _greatest, MISSING: is_missing}
        super().__init__(operators={}, functions=functions, names={}, allowed_attrs={})
        self._field = field
        self.nodes = {
            ast.BoolOp: self._eval_boolop, ast.UnaryOp: self._eval_unaryop, ast.BinOp: self._eval_binop,
            ast.Compare: self._eval_compare, ast.Call: self._eval_call, ast.Name: self._eval_name,
            ast.Constant: self._eval_constant, ast.List: self._eval_items, ast.Tuple: self._eval_items,
        }  # fmt: skip

    def _eval_name(self, node: ast.Name) -> Operand:
        return self._field(node.id)

    def _eval_call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id == FEATURE:
            return self._field(ast.literal_eval(node.args[0]))
        return super()._eval_call(node)

    @staticmethod
    def _eval_constant(node: ast.Constant) -> Operand:
        match node.value:
            case bool() as truth:  # as events spell it where the grid has categories
                return Operand(texts="true" if truth else "false")
            case str() as text:
                return Operand(texts=text)
            case int() | float() as number:
                return Operand(np.float64(number))
        raise TypeError(f"{node.value!r} should have been refused when the rule was read")

    def _eval_items(self, node: ast.List | ast.Tuple) -> tuple[Operand, ...]:
        return tuple(self._eval(item) for item in node.elts)

    def _eval_boolop(self, node: ast.BoolOp) -> Told:
        told = [self._eval(value) for value in node.values]
        return both(told) if isinstance(node.op, ast.And) else either(told)

    def _eval_unaryop(self, node: ast.UnaryOp) -> Told | Operand:
        operand = self._eval(node.operand)
        if isinstance(node.op, ast.Not):
            return opposite(operand)
        return calculated(_CALCULATIONS[type(node.op)], operand)

    def _eval_binop(self, node: ast.BinOp) -> Operand:
        return calculated(_CALCULATIONS[type(node.op)], self._eval(node.left), self._eval(node.right))

    def _eval_compare(self, node: ast.Compare) -> Told:
        sides = [self._eval(side) for side in (node.left, *node.comparators)]
        return both(
            _comparison(op, left, right) for op, left, right in zip(node.ops, sides, sides[1:], strict=False)
        )


def _comparison(op: ast.cmpop, left: Any, right: Any) -> Told:
    if isinstance(op, ast.In | ast.NotIn):
        told = contained(left, right)
        return told if isinstance(op, ast.In) else opposite(told)
    return compared(_COMPARISONS[type(op)], left, right)


def _absolute(operand: Operand) -> Operand:
    return calculated(np.abs, operand)


def _least(*operands: Operand) -> Operand:
    return calculated(lambda *numbers: reduce(np.minimum, numbers), *operands)


def _greatest(*operands: Operand) -> Operand:
    return calculated(lambda *numbers: reduce(np.maximum, numbers), *operands)
