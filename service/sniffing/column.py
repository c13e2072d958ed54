"""The values of one feature or tag, gathered in little memory until it can be said what they are."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from service.dead_letters.readable import visible
from service.sniffing.found import FieldFound, FieldKind

MOST_DISTINCT = 1_000
MOST_SEGMENTS = 20
LONGEST_EXAMPLE = 60
_EXAMPLES = 3
_KEPT_TEXT = 200
_FEWEST_FOR_ID = 20
_ROWS_A_SEGMENT = 5
"""On average: what has a value of its own in every row is no segment."""


def shown_text(text: str | bytes, longest: int = LONGEST_EXAMPLE) -> str:
    """The text on one line with nothing invisible in it, cut to so many characters."""
    whole = visible(text[: longest * 2])
    return whole if len(whole) <= longest and len(text) <= longest * 2 else f"{whole[: longest - 1]}…"


@dataclass
class Column:
    """What was seen so far. Rows in which the field is absent are told by who knows how many rows there are."""

    rows: int = 0
    numbers: int = 0
    whole: int = 0
    texts: int = 0
    missing: int = 0
    low: float = math.inf
    high: float = -math.inf
    values: Counter[str] = field(default_factory=Counter)
    is_cut: bool = False

    def add(self, value: object) -> None:
        """Take one value as it was decoded."""
        self.rows += 1
        match value:
            case bool():
                self._text("true" if value else "false")
            case int() | float() if _is_finite(value):
                self._number(float(value), repr(value))
            case str() if value:
                self._text(value[:_KEPT_TEXT])
            case None | "" | int() | float():
                self.missing += 1

    def _number(self, value: float, written: str) -> None:
        self.numbers += 1
        self.whole += value.is_integer()
        self.low, self.high = min(self.low, value), max(self.high, value)
        self._keep(written)

    def _text(self, value: str) -> None:
        self.texts += 1
        self._keep(value)

    def _keep(self, text: str) -> None:
        if text in self.values or len(self.values) < MOST_DISTINCT:
            self.values[text] += 1
        else:
            self.is_cut = True

    @property
    def filled(self) -> int:
        """Rows that have a number, text or truth value."""
        return self.numbers + self.texts

    @property
    def is_all_different(self) -> bool:
        """Whether hardly any value comes twice, as far as they were kept."""
        kept = self.values.total()
        return kept >= _FEWEST_FOR_ID and len(self.values) > 0.9 * kept

    def kind(self, name: str) -> FieldKind:
        """What most values are."""
        if not self.filled:
            return FieldKind.OTHER
        if self.numbers >= self.texts:
            is_named_id = name.lower() == "id" or name.lower().endswith(("_id", "-id", "uuid"))
            is_id = is_named_id and self.whole == self.numbers and self.is_all_different
            return FieldKind.ID if is_id else FieldKind.NUMBER
        return FieldKind.ID if self.is_all_different else FieldKind.CATEGORY

    def found(self, name: str, rows: int) -> FieldFound:
        """What it is, given how many rows could have had it."""
        kind, is_number = self.kind(name), self.numbers > 0
        few = 2 <= len(self.values) <= MOST_SEGMENTS and not self.is_cut
        enough = self.filled >= _ROWS_A_SEGMENT * len(self.values)
        examples = [_example(text, kind) for text, _ in self.values.most_common(_EXAMPLES)]
        return FieldFound(
            name, kind, round(1 - self.filled / rows, 4) if rows else 0.0,
            None if self.is_cut else len(self.values), tuple(examples),
            self.low if is_number else None, self.high if is_number else None,
            is_segment=few and enough and kind is FieldKind.CATEGORY,
        )  # fmt: skip


def _example(text: str, kind: FieldKind) -> str:
    """A number is cut to six digits, unless it is a whole one."""
    return f"{float(text):.6g}" if kind is FieldKind.NUMBER and "." in text else shown_text(text)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float holds
        return False
