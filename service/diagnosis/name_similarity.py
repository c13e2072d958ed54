"""How alike two fields' names are."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

_SPLIT = re.compile(r"[^0-9a-z]+|(?<=[a-z])(?=[0-9])")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LEAST_PART = 3


def name_similarity(old: str, new: str) -> float:
    """In [0, 1]: 1 for the same letters in another spelling (userEmail, user_email), 0.85 for one more word."""
    was, now = _words(old), _words(new)
    if "".join(was) == "".join(now):
        return 1.0
    if _contains(was, now) or _contains(now, was):
        return 0.85
    return SequenceMatcher(None, "".join(was), "".join(now), autojunk=False).ratio() ** 2


def _words(name: str) -> list[str]:
    return [word for word in _SPLIT.split(_CAMEL.sub("_", name).casefold()) if word] or [name]


def _contains(some: list[str], of: list[str]) -> bool:
    """Whether the words of one name are among the other's, none of them a mere letter."""
    return set(some) < set(of) and max(map(len, some)) >= _LEAST_PART
