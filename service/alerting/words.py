"""What people say of incidents while they last, and what of it holds: who has it, and what is silent until when.

A word is only ever added. The last of `acknowledged` and `released` says who has the incident. A silence, and what is
marked as expected, holds until its time, until somebody ends it, and what is expected at the latest until the model
gets another reference. A silence covers its incident as a whole; said widely, it covers causes on columns, too: then
also incidents that come later, and each only as long as all that is wrong in it is covered, so that what is new still
rings. What is expected covers causes on columns only, in its own incident as in later ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from service.errors import ConfigurationError
from service.moments import time_at

LONGEST_SILENCE = timedelta(days=366)
MOST_COVERS = 200


class Word(StrEnum):
    """The kinds of words."""

    ACKNOWLEDGED = "acknowledged"
    RELEASED = "released"
    SILENCED = "silenced"
    EXPECTED = "expected"
    ENDED = "ended"
    ACCEPTED = "accepted"


SILENCING = (Word.SILENCED, Word.EXPECTED)


class Cover(NamedTuple):
    """A cause on a column of a slice; without a segment in all of them."""

    cause: str
    role: str
    feature: str
    segment: str

    def includes(self, other: Cover) -> bool:
        """Whether whoever speaks of this one speaks of the other, too."""
        return self == other or self == other._replace(segment="")


@dataclass(frozen=True, slots=True)
class Said:
    """One word. `until_at`, `covers` and `reference_name` are those of a silence; `ends` is the silence it ends.

    Without `covers` it is about its incident as a whole.
    """

    id: int
    incident: str
    model: str
    word: Word
    who: str
    why: str
    said_at: datetime
    until_at: datetime | None = None
    covers: tuple[Cover, ...] = ()
    reference_name: str | None = None
    ends: int | None = None


def who_has_it(words: Iterable[Said]) -> Said | None:
    """The acknowledgement of an incident that holds, of its words with the last one first."""
    last = next((one for one in words if one.word in {Word.ACKNOWLEDGED, Word.RELEASED}), None)
    return last if last is not None and last.word is Word.ACKNOWLEDGED else None


def covers_of(wrong: Collection[Cover]) -> tuple[Cover, ...]:
    """What to speak of in order to speak of all that is wrong; the first of it where that is very much."""
    whole = sorted(one for one in wrong if not one.segment or one._replace(segment="") not in wrong)
    return tuple(whole[:MOST_COVERS])


def end_of_silence(now_ms: int, lasts_ms: int | None, until_ms: int | None) -> datetime | None:
    """When it is over that lasts so long, or until then; None for neither. Raises ConfigurationError."""
    if lasts_ms is not None:
        until_ms = now_ms + lasts_ms
    if until_ms is None:
        return None
    if not now_ms < until_ms <= now_ms + LONGEST_SILENCE / timedelta(milliseconds=1):
        raise ConfigurationError(f"the end must lie ahead, by {LONGEST_SILENCE.days} days at most")
    return time_at(until_ms)


def is_silent_by(silence: Said, incident: str, model: str, wrong: Collection[Cover]) -> bool:
    """Whether a silence that holds is about this incident: as a whole, or about all that is wrong in it."""
    if silence.incident == incident and _is_of_the_whole(silence):
        return True
    return (
        silence.model == model
        and bool(wrong)
        and bool(silence.covers)
        and all(any(cover.includes(one) for cover in silence.covers) for one in wrong)
    )


def _is_of_the_whole(silence: Said) -> bool:
    """What is expected is about its columns only, unless they are too many to be told."""
    return silence.word is Word.SILENCED or not 0 < len(silence.covers) < MOST_COVERS


def silences_of(
    silences: Sequence[Said], incident: str, model: str, wrong: Collection[Cover]
) -> tuple[Said, ...]:
    """Those of the silences that hold which this incident is silent by."""
    return tuple(one for one in silences if is_silent_by(one, incident, model, wrong))
