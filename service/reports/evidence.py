"""Evidence as ranked tables: what rang, how far over its limit, of how many rows, against how many of the reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from service.messages import Verdict
from service.plurals import counted
from service.reports.document import Cells, Section, Table
from service.reports.phrases import column, minute, number, place, share, times_over

if TYPE_CHECKING:
    from service.store.report_scores import Score

MOST_ROWS, MOST_MISSING = 20, 12
_COLUMNS = (
    "about", "method", "value", "limit", "by its limit", "n", "reference rows", "windows that rang", "where", "window",
)  # fmt: skip
_NUMBERS = frozenset(("value", "limit", "by its limit", "n", "reference rows", "windows that rang", "share"))


def evidence(scores: Sequence[Score], *, what: str) -> Section:
    """Those that rang; where none did, those that came nearest."""
    rang = [one for one in scores if one.verdict == Verdict.DRIFT]
    some = (rang or list(scores))[:MOST_ROWS]
    if not some:
        return Section("Evidence", (f"No score of {what} is stored.",))
    columns = len({(one.role, one.feature) for one in rang})
    ranked = f"The worst scores in {what}, a few of each column, the farthest over its limit first"
    came = f"{counted(columns, 'column')} rang" if rang else "none rang, these came nearest"
    said = [f"{ranked}; {came}."]
    if len(rang) > len(some):
        said.append(f"{len(rang) - len(some):,} more are not shown.")
    return Section("Evidence", tuple(said), Table(_COLUMNS, tuple(map(_row, some)), _NUMBERS))


def _row(one: Score) -> Cells:
    return (
        column(one.role, one.feature), one.method, number(one.value), number(one.limit), times_over(one.ratio),
        f"{one.n:,}", f"{one.m:,}", f"{one.windows:,}", place(one.version, one.segment),
        f"{one.window} until {minute(one.end_ms)}",
    )  # fmt: skip


def missing(scores: Iterable[Score]) -> Section | None:
    """The worst windows of each kind of missing value, the most missing first; None: nothing is missing."""
    some = sorted((one for one in scores if one.value), key=lambda one: -(one.value or 0.0))
    if not some:
        return None
    rows = tuple(
        (
            column(one.role, one.feature), one.method.removeprefix("missing_").replace("_", " "), share(one.value or 0),
            share(one.limit) if one.limit is not None else "\N{EN DASH}", f"{one.n:,}",
            f"{one.window} until {minute(one.end_ms)}",
        )
        for one in some[:MOST_MISSING]
    )  # fmt: skip
    said = "The share of values that are missing, by column and kind, in its worst window."
    columns = ("about", "kind", "share", "usual at most", "n", "window")
    return Section("Missing values", (said,), Table(columns, rows, _NUMBERS | {"usual at most"}))
