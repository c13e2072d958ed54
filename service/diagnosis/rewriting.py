"""What was done to one text to make another of it: its case, its spaces, its encoding, another word for the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from html import unescape
from itertools import accumulate
from urllib.parse import unquote

_WORDS = (
    ("true", "t", "yes", "y", "1", "on"),
    ("false", "f", "no", "n", "0", "off"),
    ("male", "m", "man"),
    ("female", "f", "woman"),
)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_LEAST_STEM = 3


def _number_form(text: str) -> str:
    bare = text.strip()
    return f"{float(bare):.12g}" if _NUMBER.fullmatch(bare) else bare


def _repaired(text: str) -> str:
    """UTF-8 that was read as a Western code page, read right."""
    for code_page in ("cp1252", "latin-1"):
        with suppress(UnicodeError):
            return text.encode(code_page).decode("utf-8")
    return text


def _unaccented(text: str) -> str:
    return "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))


def _joined(text: str) -> str:
    """Without separators, if it is a word: 1-5 is not 15."""
    return re.sub(r"[\s_\-.]+", "", text) if any(map(str.isalpha, text)) else text


_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("in another Unicode form", lambda text: unicodedata.normalize("NFC", text)),
    ("as UTF-8 read in another character set", _repaired),
    ("with escapes", lambda text: unquote(unescape(text))),
    ("with other spaces", lambda text: " ".join(text.split())),
    ("in other letter case", str.casefold),
    ("in quotes", lambda text: text.strip("'\"`")),
    ("in another number format", _number_form),
    ("without accents", _unaccented),
    ("with other separators", _joined),
)
"""Each step forgets one more way to write the same; texts that are equal after it were rewritten so at most."""


def forms_of(text: str) -> list[str]:
    """The text as it is after each step of forgetting, all different ways to write it the same at the end."""
    return list(accumulate(_STEPS, lambda so_far, step: step[1](so_far), initial=text))[1:]


def canonical(text: str) -> str:
    """The form in which two ways to write the same text are equal."""
    return forms_of(text)[-1]


def rewriting(old: str, new: str) -> str | None:
    """How `new` is `old` written in another way: 'in upper case'; None if it is another text."""
    for (how, _), was, now in zip(_STEPS, forms_of(old), forms_of(new), strict=True):
        if was == now:
            return _case(new) if how == "in other letter case" else how
    return None


def _case(new: str) -> str:
    if new == new.upper():
        return "in upper case"
    return "in lower case" if new == new.lower() else "in other letter case"


def renaming(old: str, new: str) -> str | None:
    """How `new` could stand for `old` by its letters: another truth value, a shorter or longer form; else None."""
    was, now = canonical(old), canonical(new)
    if was == now or not was or not now:
        return None
    if any(was in words and now in words for words in _WORDS):
        return "as another word for the same"
    if was.startswith(now) and (len(now) >= _LEAST_STEM or len(now) == 1):
        return "cut off"
    if now.startswith(was) or (was.endswith(now) and len(now) >= _LEAST_STEM):
        return "with something added" if now.startswith(was) else "cut off"
    initials = "".join(word[0] for word in re.split(r"[\s_\-.]+", old.casefold()) if word)
    return "as initials" if len(initials) > 1 and initials == now else None
