"""What a person sees before and after accepting a reference: differences, warnings, and what was accepted before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from service.cli import tables
from service.dead_letters.readable import visible
from service.messages import Role
from service.reference.column_summary import SHARES
from service.reports.phrases import minute

if TYPE_CHECKING:
    from service.reference.column_summary import ColumnSummary
    from service.reference.profile import ReferenceProfile
    from service.scoring.differences import Difference
    from service.store.acceptance import Acceptance
    from service.store.incidents import IncidentRow

_MOST_SHOWN = 15
_MOST_NAMED = 3
_TOP_SHOWN = 2
_LONGEST = 30
_QUARTILES = tuple(SHARES.index(share) for share in (0.25, 0.5, 0.75))


def differences_table(found: Sequence[Difference]) -> Table:
    """A line a column, those that differ most first; the rest in one line."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("column", no_wrap=True, overflow="ellipsis", max_width=_LONGEST)
    table.add_column("values moved", justify="right", no_wrap=True)
    table.add_column("missing", justify="right", no_wrap=True)
    for name in ("was", "is"):
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=_LONGEST)
    for one in found[:_MOST_SHOWN]:
        column = Text(visible(one.column.name), style="" if one.column.role is Role.FEATURE else "bold cyan")
        moved = "-" if one.moved is None else _share(one.moved)
        table.add_row(column, moved, _missing(one), _values(one.was), _values(one.now))
    rest = found[_MOST_SHOWN:]
    if rest:
        table.caption = f"{len(rest)} other columns differ by {_share(rest[0].size)} at most"
    return table


def worth_knowing(
    before: ReferenceProfile | None,
    made: ReferenceProfile,
    watched: Sequence[str],
    incidents: Sequence[IncidentRow],
) -> Iterator[str]:
    """What becomes normal with it, and what it cannot do that the one before could."""
    for one in incidents[:_MOST_NAMED]:
        until = "now" if one.until_ms is None else minute(one.until_ms)
        told = visible(f"incident {one.id} ({one.cause}: {one.summary})")
        yield f"{told} lies in that time, from {minute(one.since_ms)} to {until}: it becomes normal"
    if len(incidents) > _MOST_NAMED:
        yield f"and {len(incidents) - _MOST_NAMED} more incidents in that time"
    known = before.segments if before is not None else {}
    lost = [name for name in known if name.partition("=")[0] in watched and name not in made.segments]
    if lost:
        named = visible(", ".join(lost[:_MOST_NAMED])) + (", ..." if len(lost) > _MOST_NAMED else "")
        yield f"too few events of {named}: of these only what is missing is compared from now on"
    yield from made.warnings


def history_table(found: Sequence[Acceptance]) -> Table:
    """A line an acceptance."""
    columns = (
        *tables.whole("accepted (UTC)"), *tables.texts("reference", "instead of"), *tables.whole("learned from", "to"),
        *tables.numbers("events"), *tables.texts("who", "why"),
    )  # fmt: skip
    rows = (
        (
            one.accepted_at.strftime("%Y-%m-%d %H:%M"), one.name or "none", one.replaces or "none",
            "back" if one.from_ms is None else minute(one.from_ms),
            "" if one.to_ms is None else minute(one.to_ms), f"{one.rows:,}", one.who, one.why,
        )
        for one in found
    )  # fmt: skip
    return tables.table_of(columns, rows)


def _values(summary: ColumnSummary | None) -> Text:
    if summary is None:
        return Text("not there", style="yellow")
    if summary.numeric:
        if not summary.quantiles:
            return Text("no value")
        low, middle, high = (f"{summary.quantiles[place]:.4g}" for place in _QUARTILES)
        return Text(f"{middle} ({low} to {high})")
    present = max(1, summary.rows - sum(summary.missing))
    return Text(visible(", ".join(f"{name} {_share(n / present)}" for name, n in summary.top[:_TOP_SHOWN])))


def _missing(one: Difference) -> str:
    ratios = [None if side is None else side.missing_ratio for side in (one.was, one.now)]
    if not any(ratios):
        return ""
    return " -> ".join("-" if ratio is None else _share(ratio) for ratio in ratios)


def _share(share: float) -> str:
    if share == 0:
        return "0 %"
    return "<0.1 %" if share < 0.001 else f"{100 * share:.1f} %"
