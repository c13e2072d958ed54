"""What a report holds, whatever it is shown in: plain texts and numbers, in the order in which they are read.

Texts may hold names out of events as they came: whoever shows them escapes them.
"""

from __future__ import annotations

from dataclasses import dataclass

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts under their columns' names; those of `numbers` are aligned to the right."""

    columns: Cells
    rows: tuple[Cells, ...]
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Strip:
    """One value after the other in time, each by what it may be at most: above 1 it is too high; None: no window."""

    name: str
    said: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Strips over the same time. `is_limited`: 1 is a limit, and not only the highest of them all."""

    start_ms: int
    end_ms: int
    strips: tuple[Strip, ...]
    is_limited: bool = True


@dataclass(frozen=True, slots=True)
class Bar:
    """The share of the rows that have this value, in the reference and now."""

    name: str
    reference: float
    now: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """One column's values in the reference's m rows and in n rows now; missing ones are counted, too."""

    name: str
    m: int
    n: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One question and its answer. An answer without anything to show is said in `lines`."""

    title: str
    lines: Cells = ()
    table: Table | None = None
    timeline: Timeline | None = None
    histograms: tuple[Histogram, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One page: what it is about, the sentence that matters, facts with their names, and sections."""

    title: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    made: str
