"""Makes any text one that PostgreSQL takes."""

from __future__ import annotations


def storable(text: str) -> str:
    """The text with NUL and lone surrogates, which no `text` or `jsonb` holds, marked as unreadable.

    Names are cleaned at intake; this is for sentences, so that no words of a message can break its transaction.
    """
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
