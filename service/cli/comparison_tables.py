"""The tables below a verdict on two versions. Names are shown as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.table import Column, Table
from rich.text import Text

from service.cli.times import minute
from service.comparison.wording import loss_named
from service.dead_letters.readable import visible

if TYPE_CHECKING:
    from service.comparison.answers import Answers
    from service.comparison.report import Measured, VersionsBeside
    from service.comparison.verdict import Comparison

_METRICS = (
    "accuracy", "balanced_accuracy", "f1", "macro_f1", "precision", "recall", "roc_auc", "log_loss", "brier", "mae",
    "rmse", "mape", "bias", "r2",
)  # fmt: skip


def tables_of(found: VersionsBeside) -> Iterator[Table]:
    """Traffic and answers, metrics, and segments, each where something is known."""
    yield _beside(found)
    if any(one.metric in _METRICS for one in found.metrics):
        yield _metrics(found)
    if found.segments:
        yield _segments(found)


def _table(title: str, *columns: str) -> Table:
    table = Table(
        *(Column(Text(visible(name))) for name in columns), box=None, pad_edge=False, title=Text(visible(title)),
        title_justify="left", title_style="bold",
    )  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text(visible(cell)) for cell in cells))  # a name is no markup


def _beside(found: VersionsBeside) -> Table:
    of = f" of {found.segment}" if found.segment else ""
    title = f"{found.model}{of}, {minute(found.since_ms)} to {minute(found.until_ms)} UTC"
    table = _table(title, "", found.version, found.against, "apart")
    traffic = {one.version: one for one in found.traffic}
    names = (found.version, found.against)
    _add(table, "rows", *(f"{traffic[name].rows:,}" if name in traffic else "0" for name in names), "")
    shares = (f"{traffic[name].share:.1%}" if name in traffic else "" for name in names)
    _add(table, "share of traffic", *shares, "")
    for one in found.answers.columns:
        apart = "" if one.distance is None else f"{one.method} {one.distance:.3g}, p {one.p_value:.2g}"
        for label, mine, theirs in _lines(one.version, one.against):
            _add(table, f"{one.column} {label}", mine, theirs, apart)
            apart = ""
    return table


def _lines(version: Answers, against: Answers) -> Iterator[tuple[str, str, str]]:
    for share in version.quantiles:
        label = f"p{float(share) * 100:g}"
        yield label, f"{version.quantiles[share]:.4g}", f"{against.quantiles[share]:.4g}"
    for name in version.classes:
        yield repr(name), f"{version.classes[name]:.1%}", f"{against.classes[name]:.1%}"


def _metrics(found: VersionsBeside) -> Table:
    title = f"performance, with 95 % intervals for one look; realized in the {found.hours} hours with labels of both"
    table = _table(title, "metric", found.version, "interval", found.against, "interval", "rows")
    order: Mapping[str, int] = {name: place for place, name in enumerate(_METRICS)}
    chosen = [one for one in found.metrics if one.metric in order]
    for one in sorted(chosen, key=lambda one: (one.basis != "realized", order[one.metric])):
        rows = f"{one.version.n:,} and {one.against.n:,}"
        cells = (*_cells(one.version), *_cells(one.against))
        _add(table, f"{one.metric}, {one.basis}", *cells, rows)
    return table


def _cells(one: Measured) -> tuple[str, str]:
    value = (one.reason or "").replace("_", " ") if one.value is None else f"{one.value:.4g}"
    return value, "" if one.low is None or one.high is None else f"{one.low:.4g} to {one.high:.4g}"


def _segments(found: VersionsBeside) -> Table:
    title = "segments, with intervals that hold for all of them and all looks together"
    table = _table(title, "segment", "stands", "loss", found.version, found.against, "apart", "rows")
    for one in found.segments:
        of = one.comparison
        rows = f"{of.rows:,} and {of.other_rows:,}"
        name = "" if of.loss is None else loss_named(of.loss)
        _add(
            table,
            one.segment,
            of.standing.value,
            name,
            _number(of.mean),
            _number(of.other_mean),
            _apart(of),
            rows,
        )
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _apart(one: Comparison) -> str:
    return "too few labels" if one.low is None or one.high is None else f"{one.low:+.4g} to {one.high:+.4g}"
