"""A report as Markdown for a ticket: tables and small pictures of letters; names in it are text and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from service.dead_letters.readable import visible
from service.reports.document import Cells, Table
from service.reports.phrases import minute, share

if TYPE_CHECKING:
    from service.reports.document import Histogram, Report, Section, Timeline

_MEANT = re.compile(r"([\\`*\[\]|~#$!@]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_LEADING = re.compile(r"^(?:[-+=]|\d+[.)](?=\s|$))")
_STEPS = "▁▂▃▄▅▆▇█"
_LOWEST_OVER = 4
_HISTOGRAM_COLUMNS = ("value", "reference", "now")


def markdown_of(report: Report) -> str:
    """The whole page."""
    return "\n".join(_lines(report)) + "\n"


def text(name: str) -> str:
    """Any text on one line, of which a reader of Markdown makes no markup, link, mention or picture."""
    safe = _MEANT.sub(r"\\\1", visible(name).strip())
    safe = safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Bare addresses become links by themselves.
    safe = safe.replace("://", ":\\//")
    return re.sub(r"(?i)\bwww\.", lambda found: found[0].replace(".", "\\."), safe)


def line(name: str) -> str:
    """Such a text that begins a line, or a list's item: it is no list and no heading."""
    return _LEADING.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", text(name))


def _lines(report: Report) -> Iterator[str]:
    yield f"# {line(report.title)}"
    yield ""
    yield f"**{text(report.sentence)}**"
    yield ""
    yield from (f"- {line(name)}: {text(value)}" for name, value in report.facts)
    for section in report.sections:
        yield ""
        yield from _section(section)
    yield ""
    yield f"driftbell, {text(report.made)}"


def _section(section: Section) -> Iterator[str]:
    yield f"## {line(section.title)}"
    yield ""
    yield from (f"- {line(said)}" for said in section.lines)
    if section.table is not None:
        yield from [""] * bool(section.lines)
        yield from _table(section.table)
    if section.timeline is not None:
        yield ""
        yield from _timeline(section.timeline)
    for histogram in section.histograms:
        yield ""
        yield from _histogram(histogram)


def _table(table: Table) -> Iterator[str]:
    yield _row(table.columns)
    yield _row(tuple("--:" if name in table.numbers else "---" for name in table.columns), raw=True)
    yield from (_row(cells) for cells in table.rows)


def _row(cells: Cells, *, raw: bool = False) -> str:
    return f"| {' | '.join(cell if raw else text(cell) for cell in cells)} |"


def _timeline(timeline: Timeline) -> Iterator[str]:
    yield f"{minute(timeline.start_ms)} to {minute(timeline.end_ms)} UTC, from left to right; · is no window."
    if timeline.is_limited:
        yield f"From {_STEPS[_LOWEST_OVER]} on it is over its limit."
    yield ""
    strips = tuple(
        (one.name, "".join(_step(value, is_limited=timeline.is_limited) for value in one.values), one.said)
        for one in timeline.strips
    )
    yield from _table(Table(("what", "over time", "in words"), strips))


def _step(value: float | None, *, is_limited: bool) -> str:
    """Up to the limit the lower half, above it the upper, which is full at twice the limit."""
    if value is None:
        return "·"
    if not is_limited:
        return _STEPS[min(len(_STEPS) - 1, int(value * len(_STEPS)))]
    if value <= 1:
        return _STEPS[min(_LOWEST_OVER - 1, int(value * _LOWEST_OVER))]
    return _STEPS[min(len(_STEPS) - 1, _LOWEST_OVER + int((value - 1) * _LOWEST_OVER))]


def _histogram(histogram: Histogram) -> Iterator[str]:
    yield f"### {line(histogram.name)}"
    yield ""
    yield f"The reference has {histogram.m:,} rows, now there are {histogram.n:,}."
    yield ""
    rows = tuple((bar.name, share(bar.reference), share(bar.now)) for bar in histogram.bars)
    yield from _table(Table(_HISTOGRAM_COLUMNS, rows, frozenset(_HISTOGRAM_COLUMNS[1:])))
