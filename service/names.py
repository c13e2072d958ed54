"""Makes one clean name of hostile text, so that every table, metric and page can show it."""

from __future__ import annotations

import unicodedata

LONGEST_NAME = 200
LONGEST_NAME_BYTES = 450
"""An index entry of PostgreSQL holds 2704 bytes: a model, a version, a segment (two names) and a feature together."""

# Normalising and dropping shorten a text at most so far in earnest; what is longer is given up unread.
_LONGEST_RAW = 4 * LONGEST_NAME

# Control, format (which holds the bidirectional ones), lone surrogate, line separator, paragraph separator.
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean_name(text: str) -> str | None:
    """The text in NFC without invisible characters, None if that leaves none, over 200 or over 450 bytes."""
    if text.isascii() and text.isprintable():
        return text if 0 < len(text) <= LONGEST_NAME else None
    if len(text) > _LONGEST_RAW:
        return None
    if not text.isprintable():
        text = "".join(mark for mark in text if unicodedata.category(mark) not in _DROPPED)
    text = unicodedata.normalize("NFC", text)
    return text if 0 < len(text) <= LONGEST_NAME and len(text.encode()) <= LONGEST_NAME_BYTES else None
