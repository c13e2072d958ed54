"""Columns as a rule's operands, and what can be said of their rows: yes, no, or that it cannot be told."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_EXACT_INTEGERS = 2.0**63


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Row i holds `values[codes[i]]`; None is no text."""

    codes: NDArray[np.int32]
    values: Sequence[str | None]


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """One field of n rows (or one constant): the number of each row, NaN where it has none, or else its text.

    `silent` are rows that do not speak of the field at all: whether it is missing there cannot be told.
    """

    numbers: FloatArray | np.float64 | float = np.nan
    texts: Texts | str | None = None
    silent: BoolArray | bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What is said of n rows; a row that is in neither cannot be told (Kleene's strong three-valued logic)."""

    yes: BoolArray
    no: BoolArray


def both(told: Iterable[Told]) -> Told:
    """Yes where all say yes, no where any says no."""
    first, *others = told
    for one in others:
        first = Told(first.yes & one.yes, first.no | one.no)
    return first


def either(told: Iterable[Told]) -> Told:
    """Yes where any says yes, no where all say no."""
    return opposite(both(opposite(one) for one in told))


def opposite(told: Told) -> Told:
    """Yes for no."""
    return Told(told.no, told.yes)


def is_missing(operand: Operand) -> Told:
    """Whether the field has neither number nor text."""
    missing: Any = np.isnan(operand.numbers)
    if isinstance(operand.texts, Texts):
        missing = missing & np.array([v is None for v in operand.texts.values])[operand.texts.codes]
    elif operand.texts is not None:
        missing = np.zeros_like(missing)
    return Told(missing & ~np.asarray(operand.silent), np.asarray(~missing))


def compared(compare: Callable[[Any, Any], Any], left: Operand, right: Operand) -> Told:
    """Numbers with numbers, texts with texts; a number beside a text cannot be told, but 5 is the text "5"."""
    if left.texts is None and right.texts is None:
        return _by_numbers(compare, left.numbers, right.numbers)
    left, right = _spelled_for(left, right), _spelled_for(right, left)
    numbers = _by_numbers(compare, left.numbers, right.numbers)
    texts = _by_texts(compare, left.texts, right.texts)
    return Told(numbers.yes | texts.yes, numbers.no | texts.no)


def _by_numbers(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> Told:
    holds = np.asarray(compare(left, right))
    known = ~(np.isnan(left) | np.isnan(right))
    return Told(holds & known, ~holds & known)


def _spelled_for(operand: Operand, other: Operand) -> Operand:
    """A constant number is a text too where the other side has texts."""
    if operand.texts is None and other.texts is not None and np.ndim(operand.numbers) == 0:
        return Operand(operand.numbers, spelled(float(operand.numbers)))
    return operand


def spelled(number: float) -> str | None:
    """A number as events' numbers are spelled where the grid has categories; None for NaN."""
    if np.isnan(number):
        return None
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT_INTEGERS else repr(number)


def _by_texts(
    compare: Callable[[str, str], bool], left: Texts | str | None, right: Texts | str | None
) -> Told:
    match left, right:
        case Texts(), Texts():
            return _by_pairs(compare, left, right)
        case Texts(), str():
            return _taken(left.codes, [None if v is None else compare(v, right) for v in left.values])
        case str(), Texts():
            return _taken(right.codes, [None if v is None else compare(left, v) for v in right.values])
        case str(), str():
            holds = np.bool_(compare(left, right))
            return Told(np.asarray(holds), np.asarray(~holds))
    never = np.asarray(np.False_)
    return Told(never, never)


def _taken(codes: NDArray[Any], said: Sequence[bool | None]) -> Told:
    yes, no = np.array([one is True for one in said]), np.array([one is False for one in said])
    return Told(yes[codes], no[codes])


def _by_pairs(compare: Callable[[str, str], bool], left: Texts, right: Texts) -> Told:
    """Every pair of texts that occurs is compared once."""
    pairs = left.codes.astype(np.int64) * len(right.values) + right.codes
    distinct, codes = np.unique(pairs, return_inverse=True)
    said: list[bool | None] = []
    for pair in distinct.tolist():
        a, b = left.values[pair // len(right.values)], right.values[pair % len(right.values)]
        said.append(None if a is None or b is None else compare(a, b))
    return _taken(codes, said)


def contained(left: Operand, items: Sequence[Operand]) -> Told:
    """Whether the field is one of these constants."""
    return either(compared(operator.eq, left, item) for item in items)


def calculated(calculate: Callable[..., Any], *operands: Operand) -> Operand:
    """A number of each row from its numbers; none where one is missing, or where the result is not finite."""
    with np.errstate(all="ignore"):
        made = calculate(*(np.asarray(one.numbers, np.float64) for one in operands))
    return Operand(np.where(np.isfinite(made), made, np.nan)[()])
