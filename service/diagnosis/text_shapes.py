"""What kind of value a text is: digits, a number with a unit, a date, a truth value."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from service.diagnosis.placeholders import says_nothing

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGITS = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
_UNIT = re.compile(rf"({_DIGITS}|[+-]?\d+,\d+)\s*([^\W\d_][\w²³/°\-]{{0,15}}|°\w?)\.?")
_MONEY = re.compile(r"([$€£¥₹]|[A-Z]{3}\s)\s*([\d.,\s]+)|([\d.,\s]+)\s*([$€£¥₹]|\s?(USD|EUR|GBP|JPY|CHF))")
_GROUPED = re.compile(r"[+-]?\d{1,3}([,'\s\u00a0\u202f]\d{3})+(\.\d+)?|[+-]?\d{1,3}(\.\d{3})+,\d+")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")
_DATE = re.compile(r"\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{4}/\d{2}/\d{2}|\d{2}:\d{2}(:\d{2})?")
_TRUTH = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


class Shape(NamedTuple):
    """A kind of text: its words, whether a text is of it, and the number in such a text (None: it holds none)."""

    says: str
    number: Callable[[str], float | None]


def _digits(text: str) -> float | None:
    return float(text) if re.fullmatch(_DIGITS, text) else None


def _comma(text: str) -> float | None:
    return float(text.replace(",", ".")) if re.fullmatch(r"[+-]?\d+,\d+", text) else None


def _grouped(text: str) -> float | None:
    if not _GROUPED.fullmatch(text):
        return None
    if re.search(r"\.\d{3},", text) or re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+", text):
        return float(text.replace(".", "").replace(",", "."))
    return float(re.sub(r"[,'\s]", "", text))


def _of_percent(text: str) -> float | None:
    return _plain(text[:-1].strip()) if text.endswith("%") else None


def _money(text: str) -> float | None:
    if not _MONEY.fullmatch(text):
        return None
    return _plain(re.sub(r"[^\d.,\s+-]", "", text).strip())


def _with_unit(text: str) -> float | None:
    found = _UNIT.fullmatch(text)
    return _plain(found[1]) if found else None


def _plain(text: str) -> float | None:
    for read in (_digits, _grouped, _comma):
        if (number := read(text)) is not None:
            return number
    return None


def _hexadecimal(text: str) -> float | None:
    with suppress(ValueError):
        return float(int(text, 16)) if text.lower().startswith("0x") else None
    return None


SHAPES = (
    Shape("digits as text", _digits),
    Shape("numbers with a thousands separator", _grouped),
    Shape("numbers with a decimal comma", _comma),
    Shape("numbers with a percent sign", _of_percent),
    Shape("amounts of money as text", _money),
    Shape("hexadecimal digits", _hexadecimal),
    Shape("numbers with a unit", _with_unit),
)
TRUTH = Shape("truth values", lambda text: _TRUTH.get(text.casefold()))
_WITHOUT_NUMBER: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("dates or times", lambda text: bool(_ISO_DATE.fullmatch(text) or _DATE.fullmatch(text))),
    ("lists or objects as text", lambda text: text[:1] in {"[", "{"}),
    (
        "placeholders",
        lambda text: says_nothing(text) or text.casefold() in {"inf", "-inf", "infinity", "-infinity"},
    ),
)


class Shaped(NamedTuple):
    """The commonest shape of texts: its words, the share of the texts of it, an example, their numbers and counts."""

    says: str
    share: float
    example: str
    numbers: Mapping[float, int]


def shape_of(texts: Mapping[str, int]) -> Shaped:
    """What these texts mostly are; a shape that reads more of them wins, the plainer one where two read the same."""
    total = max(1, sum(texts.values()))
    best = Shaped("texts", 0.0, "", {})
    for shape in (*SHAPES, TRUTH):
        read = {text: shape.number(text.strip()) for text in texts}
        best = _better(best, shape.says, texts, {t: x for t, x in read.items() if x is not None}, total)
    for says, matches in _WITHOUT_NUMBER:
        best = _better(best, says, texts, dict.fromkeys([t for t in texts if matches(t.strip())]), total)
    if best.share >= 0.5:
        return best
    return Shaped("texts", 1.0, max(texts, key=lambda text: (texts[text], text), default=""), {})


def unit_in(texts: Mapping[str, int]) -> str | None:
    """The commonest unit behind the numbers."""
    units: Counter[str] = Counter()
    for text, n in texts.items():
        if (found := _UNIT.fullmatch(text.strip())) is not None:
            units[found[5]] += n
    return units.most_common(1)[0][0] if units else None


def numeric_share(texts: Mapping[str, int]) -> float:
    """The share of rows, of texts that are plain numbers."""
    numeric = sum(n for text, n in texts.items() if _plain(text.strip()) is not None)
    return numeric / max(1, sum(texts.values()))


def _better(
    best: Shaped, says: str, texts: Mapping[str, int], read: Mapping[str, float | None], total: int
) -> Shaped:
    share = sum(texts[text] for text in read) / total
    if share <= best.share:
        return best
    numbers: Counter[float] = Counter()
    for text, number in read.items():
        if number is not None:
            numbers[number] += texts[text]
    return Shaped(says, share, max(read, key=lambda text: (texts[text], text)), numbers)
