"""Turns a text that a person wrote into one value; a ValueError says what to write instead."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Iterable
from enum import StrEnum
from typing import TypeVar

from service.monitor import format_duration, parse_duration

Word = TypeVar("Word", bound=StrEnum)
_LONGEST_COMPARED = 100


def shown(text: str) -> str:
    """The text as a message quotes it: in quotes, escaped and not too long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def suggestion(wrong: str, known: Collection[str]) -> str:
    """What to write instead of a word that is not known: the nearest one, or else all of them."""
    near = nearest(wrong, known)
    return f"did you mean {near!r}?" if near else f"write {any_of(known)}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The other name that differs least, upper and lower case being one; None where all differ much."""
    if len(name) > _LONGEST_COMPARED:
        return None
    folded = {one.casefold(): one for one in known if one != name}
    found = difflib.get_close_matches(name.casefold(), folded, n=1)
    return str(folded[found[0]]) if found else None


def any_of(words: Collection[str]) -> str:
    """The words as a sentence lists them."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def duration(shortest_ms: int, longest_ms: int) -> Callable[[str], int]:
    """Milliseconds of a text such as 1h30m."""

    def parse(text: str) -> int:
        duration_ms = parse_duration(text)
        if not shortest_ms <= duration_ms <= longest_ms:
            raise ValueError(f"write {format_duration(shortest_ms)} to {format_duration(longest_ms)}")
        return duration_ms

    return parse


def number(lowest: float, highest: float) -> Callable[[str], float]:
    """A finite number, bounds included."""

    def parse(text: str) -> float:
        value = _float(text)
        if not lowest <= value <= highest:
            raise ValueError(f"write a number from {lowest:g} to {highest:g}")
        return value

    return parse


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """A whole number, bounds included; underscores may group its digits."""

    def parse(text: str) -> int:
        digits = text.replace("_", "")
        value = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 18 else lowest - 1
        if not lowest <= value <= highest:
            raise ValueError(f"write a whole number from {lowest} to {highest}")
        return value

    return parse


def choice(*words: str) -> Callable[[str], str]:
    """One of a few words, in capitals or not."""
    by_lower_case = {word.lower(): word for word in words}

    def parse(text: str) -> str:
        if text.lower() not in by_lower_case:
            raise ValueError(suggestion(text, words))
        return by_lower_case[text.lower()]

    return parse


def member(words: type[Word]) -> Callable[[str], Word]:
    """One of an enum's words."""
    parse = choice(*words)
    return lambda text: words(parse(text))


def truth(text: str) -> bool:
    """The words true and false."""
    return choice("true", "false")(text) == "true"


def matching(pattern: str, advice: str) -> Callable[[str], str]:
    """A text of this form as it is."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(advice)
        return text

    return parse


def word(text: str) -> str:
    """Up to 200 characters without spaces."""
    return matching(r"\S{1,200}", "write up to 200 characters without spaces")(text)


def listed(parse: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    """Several of them, separated by commas; each once."""
    return lambda text: tuple(dict.fromkeys(parse(item.strip()) for item in text.split(",") if item.strip()))


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
