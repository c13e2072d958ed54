"""Texts that stand for 'no value'."""

from __future__ import annotations

_SAY_NOTHING = (
    "unknown", "n/a", "na", "none", "null", "nil", "nan", "#n/a", "-", "--", "?", "undefined", "missing",
    "not available", "not applicable", "unspecified", "not specified", "not set", "no value", "no data", "empty",
    "default", "tbd", "unk", "unclassified", "uncategorized", "(none)", "(empty)", "<null>", "[null]", "\\n",
)  # fmt: skip
_MAY_SAY_NOTHING = (
    "",
    "other",
    "others",
    "misc",
    "0",
    "-1",
    "999",
    "-999",
    "9999",
    "99",
    "rest",
    "various",
    "any",
)


def _bare(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").split()).strip("()<>[]{}'\"")


_SURELY = frozenset(_bare(text) for text in _SAY_NOTHING)
_LIKELY = _SURELY | frozenset(_bare(text) for text in _MAY_SAY_NOTHING)


def says_nothing(text: str) -> bool:
    """Whether the text can only mean that there is no value: 'unknown', 'n/a'."""
    return _bare(text) in _SURELY


def may_be_default(text: str) -> bool:
    """Whether the text is often put where there is no value: also 'other', '0'."""
    return _bare(text) in _LIKELY
