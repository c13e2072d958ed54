"""What people's words on an incident come to, in words: the same on pages and at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from service.alerting.words import Said, Word

_WORDS = {
    Word.ACKNOWLEDGED: "has it",
    Word.RELEASED: "nobody has it any more",
    Word.SILENCED: "silenced",
    Word.EXPECTED: "expected, a planned change",
    Word.ENDED: "ended a silence, or what was expected",
    Word.ACCEPTED: "accepted as the new reference",
}


def minute_of(at: datetime) -> str:
    """The time to the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def ending_of(one: Said) -> str:
    """Until when it holds."""
    if one.until_at is not None:
        return f"until {minute_of(one.until_at)}"
    return "until there is a new reference" if one.word is Word.EXPECTED else "until somebody ends it"


def silent_words(silences: Sequence[Said]) -> list[str]:
    """Each in a few words."""
    return [f"{'expected' if one.word is Word.EXPECTED else 'silent'} {ending_of(one)}" for one in silences]


def word_of(one: Said) -> str:
    """What was said."""
    silences = one.word in {Word.SILENCED, Word.EXPECTED}
    return f"{_WORDS[one.word]} {ending_of(one)}" if silences else _WORDS[one.word]


def covered(one: Said) -> str:
    """What it is about beside its incident; nothing where it is about the incident alone."""
    return ", ".join(" ".join(filter(None, (c.cause, c.feature, c.segment))) for c in one.covers)
