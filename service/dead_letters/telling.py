"""What a person is told of dead letters: a table, one letter in full, bars, and what a replay would do."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size

from service.dead_letters.readable import hex_dump, visible, visible_lines
from service.dead_letters.whole import is_kept_whole, place_of
from service.intake.limits import KEPT_KEY_BYTES
from service.messages import Outcome, iso
from service.plurals import counted

if TYPE_CHECKING:
    from service.dead_letters.replaying import Tried
    from service.store.dead_letters import DeadLetterCount, DeadLetterRow

_BAR = 40
_START = 1_000
_WIDEST = (19, 48, 32, 48)
"""The most columns of a terminal for all but the value."""
_NARROWEST = 24
_GAP = "  "
_TROUBLES = 10


# ---------------------------------------------------------------- letters
def table_of(letters: Sequence[DeadLetterRow], width: int) -> Iterator[str]:
    """A heading and a line a letter, none wider than `width`; the start of the value takes the room that is left."""
    heading = ("seen (UTC)", "place", "reason", "detail", "value")
    rows = [heading, *map(_cells, letters)]
    wide = [min(most, max(cell_len(row[at]) for row in rows)) for at, most in enumerate(_WIDEST)]
    wide.append(max(_NARROWEST, width - sum(wide) - len(_GAP) * len(wide)))
    for row in rows:
        yield _GAP.join(map(_fitted, row, wide)).rstrip()


def _cells(letter: DeadLetterRow) -> tuple[str, ...]:
    place = f"{letter.topic} {letter.partition} {letter.offset}"
    reason = f"{letter.reason} (replayed)" if letter.replayed_at else letter.reason
    return (
        _clock(letter.seen_at),
        visible(place),
        visible(reason),
        visible(letter.detail),
        visible(letter.value[:_START]),
    )


def _fitted(text: str, width: int) -> str:
    """The text in so many columns of a terminal, in which some characters take two."""
    return set_cell_size(text, width) if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def lines_of(letter: DeadLetterRow) -> Iterator[str]:
    """Everything about one letter. What is its own text is indented, so that it cannot pass for ours."""
    yield visible(place_of(letter))
    yield f"  seen         {_clock(letter.seen_at)} UTC"
    yield f"  record time  {iso(letter.timestamp_ms) if letter.timestamp_ms >= 0 else 'none'}"
    yield f"  reason       {visible(letter.reason)}: {visible(letter.detail)}"
    yield f"  key          {visible(letter.key) or 'none'}{_cut(letter)}"
    yield f"  size         {_size(letter)}"
    yield f"  replayed     {_clock(letter.replayed_at) + ' UTC' if letter.replayed_at else 'no'}"
    yield from _indented("value as text, what is invisible escaped", visible_lines(letter.value))
    yield from _indented("value as bytes", hex_dump(letter.value))


def document_of(letter: DeadLetterRow) -> dict[str, Any]:
    """One letter for programs: its bytes, as far as they are kept, in base64."""
    replayed = letter.replayed_at
    return {
        "id": letter.id, "topic": letter.topic, "partition": letter.partition, "offset": letter.offset,
        "timestamp_ms": letter.timestamp_ms, "seen_at": letter.seen_at.astimezone(UTC).isoformat(),
        "replayed_at": replayed.astimezone(UTC).isoformat() if replayed else None, "reason": letter.reason,
        "detail": letter.detail, "size": letter.size, "kept_whole": is_kept_whole(letter),
        "key_base64": b64encode(letter.key).decode(), "value_base64": b64encode(letter.value).decode(),
    }  # fmt: skip


def _size(letter: DeadLetterRow) -> str:
    if len(letter.value) >= letter.size:
        return f"{letter.size:,} bytes"
    kept = f"the first {len(letter.value):,} are kept"
    return f"{letter.size:,} bytes; {kept}, the log has the rest until retention takes it"


def _cut(letter: DeadLetterRow) -> str:
    return f" (the first {KEPT_KEY_BYTES:,} bytes)" if len(letter.key) >= KEPT_KEY_BYTES else ""


def _indented(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"{title}:"
    found = False
    for line in lines:
        found = True
        yield f"  {line}"
    if not found:
        yield "  (no bytes)"


def _clock(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


# ---------------------------------------------------------------- counts
def bars(counts: Sequence[DeadLetterCount]) -> Iterator[str]:
    """A line each: its name, its number, a bar as long as its share of the largest, and when the last one came."""
    if not counts:
        return
    most = max(one.count for one in counts)
    names = [visible(one.name) for one in counts]
    wide, figures = max(map(len, names)), len(f"{most:,}")
    for name, one in zip(names, counts, strict=True):
        bar = "█" * max(1, round(_BAR * one.count / most))
        yield f"{name:<{wide}}  {one.count:>{figures},}  {bar:<{_BAR}}  last {_clock(one.last_seen_at)}"


# ---------------------------------------------------------------- replays
@dataclass
class Tally:
    """What would become, or became, of many letters; the first few troubles in their own words."""

    letters: int = 0
    decode: int = 0
    written: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    still: Counter[str] = field(default_factory=Counter)
    troubled: int = 0
    troubles: list[str] = field(default_factory=list)

    def add(self, tried: Tried) -> None:
        """Count one letter."""
        prospect = tried.prospect
        self.letters += 1
        self.written += tried.written
        if tried.trouble is not None:
            self.troubled += 1
            if len(self.troubles) < _TROUBLES:
                self.troubles.append(visible(f"{place_of(tried.letter)}: {tried.trouble}"))
        if prospect is not None and prospect.decodes:
            self.decode += 1
            self.outcomes[prospect.outcome] += 1
        elif prospect is not None and prospect.reason is not None:
            self.still[prospect.reason.value] += 1

    @property
    def unread(self) -> int:
        """Letters whose bytes cannot be had."""
        return self.letters - self.decode - sum(self.still.values())


def prospects_of(tally: Tally) -> str:
    """What would become of the letters, in one sentence."""
    told = [
        _many(tally.outcomes[Outcome.ACCEPTED], "would be accepted", "would be accepted"),
        _many(tally.outcomes[Outcome.DUPLICATE], "is a duplicate", "are duplicates"),
        _many(tally.outcomes[Outcome.LATE], "would be late (its window is closed)",
              "would be late (their windows are closed)"),
        *(_many(n, f"is still {reason}", f"are still {reason}") for reason, n in tally.still.most_common()),
        _many(tally.unread, "cannot be had whole", "cannot be had whole"),
    ]  # fmt: skip
    said = ", ".join(one for one in told if one)
    return f"{_many(tally.letters, 'dead letter', 'dead letters') or 'no dead letters'}{': ' if said else ''}{said}"


def _many(count: int, one: str, many: str) -> str:
    return counted(count, one, many) if count else ""
