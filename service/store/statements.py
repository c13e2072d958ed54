"""What a person says when they decide something: who it was, and why, on one line each."""

from __future__ import annotations

from dataclasses import dataclass

from service.errors import ConfigurationError

LONGEST_WHO = 100
LONGEST_WHY = 2_000


@dataclass(frozen=True, slots=True)
class Statement:
    """Who decided, and why, as `one_line` leaves it."""

    who: str
    why: str


def statement_of(who: str, why: str) -> Statement:
    """The words as they are kept. Raises ConfigurationError for what cannot be."""
    problems, kept = [], []
    for name, text, longest in (("who", who, LONGEST_WHO), ("why", why, LONGEST_WHY)):
        try:
            kept.append(one_line(text, longest))
        except ValueError as mistake:
            problems.append(f"{name} {mistake}")
    if problems:
        raise ConfigurationError(*problems)
    return Statement(*kept)


def one_line(text: str, longest: int) -> str:
    """The text with single spaces for all white space; a ValueError says what is wrong with it."""
    line = " ".join(text.split())
    if not line:
        raise ValueError("says nothing")
    if len(line) > longest:
        raise ValueError(f"is longer than {longest:,} characters")
    if not line.isprintable():
        raise ValueError("holds characters that cannot be shown")
    return line
