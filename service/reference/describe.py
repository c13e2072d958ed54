"""Shows a reference profile: for people as a header and a table, for programs as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from service.messages import Missing, Role
from service.moments import time_at
from service.reference.bins import BinnedColumn, binned, quantiles_of
from service.reference.column_summary import SHARES
from service.reference.regrid import regrid_counts

if TYPE_CHECKING:
    from rich.console import RenderableType

    from service.messages import Column
    from service.reference.column_summary import ColumnSummary
    from service.reference.profile import ReferenceProfile

_BARS = " ▁▂▃▄▅▆▇█"
_HISTOGRAM_BINS = 12
_TOP_SHOWN = 3
_LONGEST_TEXT = 14
_LONGEST_NAME = 22
_QUARTILES = (SHARES.index(0.25), SHARES.index(0.5), SHARES.index(0.75))


def describe(profile: ReferenceProfile) -> RenderableType:
    """What `driftbell reference show` prints: fits into 100 columns, reads the same without colours."""
    parts: list[RenderableType] = [_header(profile), Text()]
    numeric = [one for one in profile.columns if one.numeric]
    categorical = [one for one in profile.columns if not one.numeric]
    if numeric:
        parts += [_number_table(profile, numeric), Text()]
    if categorical:
        parts += [_category_table(categorical), Text()]
    parts += [Text(f"! {warning}", style="yellow") for warning in profile.warnings]
    return Group(*parts)


def _header(profile: ReferenceProfile) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    for name, value in (
        ("reference", profile.name),
        ("model", profile.model),
        ("task", profile.task.value),
        (
            "rows",
            f"{profile.rows:,}"
            + (f", {profile.sketch.labels:,} with a label" if profile.sketch.labels else ""),
        ),
        ("time", _time_range(profile)),
        ("blocks", _blocks(profile)),
    ):
        table.add_row(name, Text(value))
    return table


def _time_range(profile: ReferenceProfile) -> str:
    if profile.first_ms is None or profile.last_ms is None:
        return "not known: no time column was named"
    first, last = map(time_at, (profile.first_ms, profile.last_ms))
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def _blocks(profile: ReferenceProfile) -> str:
    if not profile.blocks:
        return "none"
    order = "in time order" if profile.ordered else "in the file's order, which may mean nothing"
    return f"{len(profile.blocks)} of {profile.blocks[0].inferences:,} rows, {order}"


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(names[0], no_wrap=True, overflow="ellipsis", max_width=_LONGEST_NAME)
    for name in names[1:]:
        is_text = name in {"histogram", "most frequent"}
        table.add_column(name, justify="left" if is_text else "right", no_wrap=True, overflow="ellipsis")
    return table


def _number_table(profile: ReferenceProfile, columns: list[ColumnSummary]) -> Table:
    table = _table("numeric", "missing", "distinct", "low", "25 %", "median", "75 %", "high", "histogram")
    for one in columns:
        quartiles = [one.quantiles[place] for place in _QUARTILES] if one.quantiles else [None] * 3
        bins = binned(profile.sketch.numbers, profile.grid.number_at[one.column])
        numbers = [_number(value) for value in (one.low, *quartiles, one.high)]
        table.add_row(
            _named(one.column), _share(one.missing_ratio), _distinct(one), *numbers, histogram(bins)
        )
    return table


def _category_table(columns: list[ColumnSummary]) -> Table:
    table = _table("categorical", "missing", "distinct", "most frequent")
    for one in columns:
        present = max(1, one.rows - sum(one.missing))
        shares = [f"{_short(text)} {_share(n / present)}" for text, n in one.top[:_TOP_SHOWN]]
        more = ["…"] if one.distinct > _TOP_SHOWN else []
        top = Text(", ".join([*shares, *more]))
        table.add_row(_named(one.column), _share(one.missing_ratio), _distinct(one), top)
    return table


def _named(column: Column) -> Text:
    return Text(column.name, style="" if column.role is Role.FEATURE else "bold cyan")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def _distinct(one: ColumnSummary) -> str:
    return f"{one.distinct:,}" if one.distinct_exact else f"~{float(f'{one.distinct:.2g}'):,.0f}"


def _share(share: float) -> str:
    if share in {0.0, 1.0}:
        return f"{share:.0%}".replace("%", " %")
    return "<0.1 %" if share < 0.001 else f"{100 * share:.1f} %"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return (
        f"{value:,.0f}" if (value.is_integer() or abs(value) >= 1000) and abs(value) < 1e7 else f"{value:.4g}"
    )


def histogram(bins: BinnedColumn) -> str:
    """Equally wide bars from the lowest to the highest value; an outlier does not flatten them, it ends them.

    They span the 1st to the 99th percentile where the extremes lie ten times as far apart.
    """
    if not bins.counts.any():
        return ""
    low, high = _span(bins)
    if low == high:
        return _BARS[-1]
    edges = np.linspace(low, high, _HISTOGRAM_BINS + 1)
    counts = regrid_counts(*bins, np.append(edges[:-1], np.nextafter(edges[-1], np.inf)))[1:-1]
    heights = np.ceil(counts / max(1, counts.max()) * (len(_BARS) - 1)).astype(int)
    return "".join(_BARS[height] for height in heights.tolist())


def _span(bins: BinnedColumn) -> tuple[float, float]:
    near = quantiles_of(bins, np.array([0.01, 0.99]))
    wide = bins.high - bins.low
    return (bins.low, bins.high) if wide <= 10 * (near[1] - near[0]) else (float(near[0]), float(near[1]))


def as_document(profile: ReferenceProfile) -> dict[str, object]:
    """Plain values for JSON: without counts in bins, which are for detectors."""
    return {
        "name": profile.name,
        "model": profile.model,
        "task": profile.task.value,
        "grid": profile.grid.id,
        "rows": profile.rows,
        "labels": profile.sketch.labels,
        "first_ms": profile.first_ms,
        "last_ms": profile.last_ms,
        "ordered": profile.ordered,
        "blocks": len(profile.blocks),
        "block_rows": profile.blocks[0].inferences if profile.blocks else 0,
        "columns": [_column_document(one) for one in profile.columns],
        "warnings": list(profile.warnings),
    }


def _column_document(one: ColumnSummary) -> dict[str, object]:
    document: dict[str, object] = {
        "role": one.column.role.value,
        "name": one.column.name,
        "kind": one.kind,
        "rows": one.rows,
        "missing": {kind.name.lower(): n for kind, n in zip(Missing, one.missing, strict=True)},
        "distinct": one.distinct,
        "distinct_exact": one.distinct_exact,
        "constant": one.constant,
    }
    if not one.numeric:
        return {**document, "top": [{"category": text, "rows": n} for text, n in one.top]}
    quantiles = {f"{share:g}": value for share, value in zip(SHARES, one.quantiles, strict=False)}
    extremes = {"low": one.low, "high": one.high, "mean": one.mean, "std": one.std}
    return {**document, "integer": one.integer, **extremes, "quantiles": quantiles}
