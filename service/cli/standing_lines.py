"""Who has an incident, and what is silent until when, in words and lines for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from service.alerting.standing_words import covered, ending_of, minute_of
from service.alerting.words import who_has_it
from service.cli import tables
from service.dead_letters.readable import visible

if TYPE_CHECKING:
    from rich.table import Table

    from service.alerting.words import Said
    from service.store.alertmanagers import SilencedThere

_COLUMNS = (
    *tables.whole("silence", "kind", "until (UTC)"), *tables.texts("model"), *tables.whole("incident"),
    *tables.texts("covers", "who", "why"),
)  # fmt: skip


def standing_lines(
    words: Sequence[Said], silences: Sequence[Said], there: Sequence[SilencedThere]
) -> Iterator[str]:
    """What holds of one incident."""
    has_it = who_has_it(words)
    if has_it is not None:
        yield visible(f"  acknowledged by {has_it.who} at {minute_of(has_it.said_at)}: {has_it.why}")
    for one in silences:
        yield visible(f"  {one.word} by {one.who} {ending_of(one)}: {one.why} (silence {one.id})")
    for other in there:
        yield visible(
            f"  silenced in Alertmanager {other.alertmanager} by {other.who} until {minute_of(other.until_at)}: "
            f"{other.why}"
        )


def silences_table(ours: Sequence[Said], there: Sequence[SilencedThere]) -> Table:
    """A line a silence."""
    rows = [
        (
            str(one.id), one.word.value, _bare(ending_of(one)), one.model, one.incident,
            covered(one) or "the incident", one.who, one.why,
        )
        for one in ours
    ]  # fmt: skip
    rows += [
        (
            other.alertmanager, "silenced", _bare(minute_of(other.until_at)), other.model, other.incident,
            "the incident", other.who, other.why,
        )
        for other in there
    ]  # fmt: skip
    return tables.table_of(_COLUMNS, rows)


def _bare(ending: str) -> str:
    """Without what stands in the column's head."""
    return ending.removeprefix("until ").removesuffix(" UTC")
