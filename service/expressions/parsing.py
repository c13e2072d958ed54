"""Reads a rule's text into a tree in which every node is one of ours, or says what to write instead."""

from __future__ import annotations

import ast
import math
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CHARACTERS = 500
MOST_PARTS = 200
DEEPEST = 20
FEATURE = "feature"
NUMERIC_FUNCTIONS = frozenset({"abs", "min", "max"})
MISSING = "missing"

_OPERATORS = (
    ast.And, ast.Or, ast.Not, ast.USub, ast.UAdd, ast.Add, ast.Sub, ast.Mult, ast.Div,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
)  # fmt: skip
_WRITE = "write and, or, not, comparisons, + - * /, in [...], abs, min, max, missing or feature('name')"
_REFUSED: dict[type[ast.AST], str] = {
    ast.Attribute: "attributes (a dot after a name) are not allowed",
    ast.Pow: "powers (**) are not allowed",
    ast.Lambda: "functions (lambda) are not allowed",
    ast.Subscript: "subscripts are not allowed",
    ast.IfExp: "'if' is not allowed",
    ast.NamedExpr: "assignments are not allowed",
    ast.Mod: "remainders (%) are not allowed",
    ast.FloorDiv: "whole division (//) is not allowed",
    ast.BitAnd: "'&' is not allowed",
    ast.BitOr: "'|' is not allowed",
    ast.Invert: "'~' is not allowed",
    ast.JoinedStr: "f-strings are not allowed",
    ast.Is: "'is' is not allowed: missing(x) says whether a value is missing",
    ast.IsNot: "'is not' is not allowed: missing(x) says whether a value is missing",
}
_ARGUMENTS = {"abs": (1, 1), "min": (2, 20), "max": (2, 20), MISSING: (1, 1), FEATURE: (1, 1)}


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A rule that has been read: its text, its tree, and the names of the fields that it speaks of."""

    text: str
    tree: ast.expr
    names: frozenset[str]


@lru_cache(maxsize=1024)
def parse_expression(text: str) -> Expression:
    """The rule of a text; a ValueError says what to write instead."""
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"it has {len(text)} characters: write at most {MOST_CHARACTERS}")
    tree = _tree(text)
    _require_small(tree)
    _require_truth(tree)
    names = frozenset(_names(tree))
    if not names:
        raise ValueError("it names no feature: write a rule such as balance >= 0")
    return Expression(text, tree, names)


def _tree(text: str) -> ast.expr:
    if "\\" in text:
        raise ValueError("backslashes are not allowed")
    try:
        with warnings.catch_warnings(action="ignore"):  # `1or x` is odd, not wrong
            return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"it cannot be read ({error.msg}): {_WRITE}") from None
    except (RecursionError, MemoryError):
        raise ValueError("it is nested too deeply: write less") from None
    except ValueError as error:  # a NUL or a lone surrogate
        raise ValueError(f"it cannot be read: {_WRITE}") from error


def _require_small(tree: ast.expr) -> None:
    """Level by level, since what is nested deeply must not be walked by recursion."""
    level: list[ast.AST] = [tree]
    parts = 0
    for _ in range(DEEPEST):
        parts += sum(isinstance(node, ast.expr) for node in level)
        level = [below for node in level for below in ast.iter_child_nodes(node)]
        if not level:
            break
    if level:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels: write less")
    if parts > MOST_PARTS:
        raise ValueError(f"it has more than {MOST_PARTS} parts: write less, or two rules")


def _require_truth(node: ast.AST) -> None:
    """The node says yes or no of a row."""
    match node:
        case ast.BoolOp(values=values):
            for value in values:
                _require_truth(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _require_truth(operand)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            _require_value(left)
            for op, right in zip(ops, comparators, strict=True):
                _require_comparison(op, right)
        case ast.Call(func=ast.Name(id=name)) if name == MISSING:
            _require_call(node, name)
        case ast.BinOp(op=op) if not isinstance(op, _OPERATORS):
            _refuse(op)
        case ast.Constant(value=bool()) | ast.Name() | ast.Constant() | ast.BinOp() | ast.UnaryOp():
            raise ValueError(
                f"{ast.unparse(node)[:60]!r} is a value where yes or no is wanted: compare it with another"
            )
        case _:
            _refuse(node)


def _require_comparison(op: ast.cmpop, right: ast.expr) -> None:
    if not isinstance(op, _OPERATORS):
        _refuse(op)
    if not isinstance(op, ast.In | ast.NotIn):
        _require_value(right)
    elif not isinstance(right, ast.List | ast.Tuple) or not right.elts:
        raise ValueError("write a list of values after 'in', such as country in ['DE', 'FR']")
    else:
        for item in right.elts:
            _require_constant(item)


def _require_constant(item: ast.expr) -> None:
    signed = isinstance(item, ast.UnaryOp) and isinstance(item.op, ast.USub | ast.UAdd)
    value = item.operand if isinstance(item, ast.UnaryOp) and signed else item
    if not isinstance(value, ast.Constant) or (signed and isinstance(value.value, str)):
        raise ValueError("a list after 'in' holds texts and numbers only")
    _require_value(item)


def _require_value(node: ast.AST) -> None:
    """The node is a number or a text of a row."""
    match node:
        case ast.Name():
            pass
        case ast.Constant(value=value):
            _require_plain(value)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _require_value(operand)
        case ast.BinOp(left=left, op=op, right=right):
            if not isinstance(op, _OPERATORS):
                _refuse(op)
            _require_value(left)
            _require_value(right)
        case ast.Call(func=ast.Name(id=name)) if name in NUMERIC_FUNCTIONS or name == FEATURE:
            _require_call(node, name)
        case ast.BoolOp() | ast.Compare() | ast.UnaryOp(op=ast.Not()):
            raise ValueError(f"{ast.unparse(node)[:60]!r} is yes or no where a value is wanted")
        case ast.UnaryOp(op=op):
            _refuse(op)
        case _:
            _refuse(node)


def _require_plain(value: object) -> None:
    if isinstance(value, str | bool):
        return
    if not isinstance(value, int | float):
        raise ValueError(f"{str(value)[:60]!r} is neither a number nor a text")  # noqa: TRY004 - of what a person wrote
    if abs(value) > 2**1000 or not math.isfinite(value):
        raise ValueError("a number in it is too large")


def _require_call(call: ast.Call, name: str) -> None:
    least, most = _ARGUMENTS[name]
    if call.keywords or not least <= len(call.args) <= most:
        wanted = f"{least} value{'s' * (least > 1)}" if least == most else f"{least} to {most} values"
        raise ValueError(f"{name}() takes {wanted}")
    if name == FEATURE:
        named = call.args[0]
        if not isinstance(named, ast.Constant) or not isinstance(named.value, str):
            raise ValueError("feature() takes a feature's name in quotes, such as feature('capital-gain')")
        return
    if name == MISSING and not _is_field(call.args[0]):
        raise ValueError("missing() takes a feature")
    for argument in call.args:
        _require_value(argument)


def _is_field(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == FEATURE
    )


def _refuse(node: ast.AST) -> None:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            raise ValueError(f"{name[:60]!r} cannot be called: {_WRITE}")
        case ast.Call(func=func):
            _refuse(func)
    what = _REFUSED.get(type(node), f"{type(node).__name__} is not allowed")
    raise ValueError(f"{what}: {_WRITE}" if type(node) not in {ast.Is, ast.IsNot} else what)


def _names(tree: ast.expr) -> Iterator[str]:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if id(node) not in called:
                yield name
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str() as feature)]) if (
                name == FEATURE
            ):
                yield feature
