"""The tables below a verdict on two versions. Names are shown as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.table import Table

from service.cli.tables import Column, numbers, table_of, texts
from service.comparison.wording import loss_named
from service.reports.phrases import minute

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


def _columns(name: str, *others: str) -> tuple[Column, ...]:
    return (*texts(name), *numbers(*others))


def _beside(found: VersionsBeside) -> Table:
    of = f" of {found.segment}" if found.segment else ""
    title = f"{found.model}{of}, {minute(found.since_ms)} to {minute(found.until_ms)} UTC"
    return table_of(_columns("", found.version, found.against, "apart"), _answers(found), title)


def _answers(found: VersionsBeside) -> Iterator[tuple[str, ...]]:
    traffic = {one.version: one for one in found.traffic}
    names = (found.version, found.against)
    yield "rows", *(f"{traffic[name].rows:,}" if name in traffic else "0" for name in names), ""
    shares = (f"{traffic[name].share:.1%}" if name in traffic else "" for name in names)
    yield "share of traffic", *shares, ""
    for one in found.answers.columns:
        apart = "" if one.distance is None else f"{one.method} {one.distance:.3g}, p {one.p_value:.2g}"
        for label, mine, theirs in _lines(one.version, one.against):
            yield f"{one.column} {label}", mine, theirs, apart
            apart = ""


def _lines(version: Answers, against: Answers) -> Iterator[tuple[str, str, str]]:
    for share in version.quantiles:
        label = f"p{float(share) * 100:g}"
        yield label, f"{version.quantiles[share]:.4g}", f"{against.quantiles[share]:.4g}"
    for name in version.classes:
        yield repr(name), f"{version.classes[name]:.1%}", f"{against.classes[name]:.1%}"


def _metrics(found: VersionsBeside) -> Table:
    title = f"performance, with 95 % intervals for one look; realized in the {found.hours} hours with labels of both"
    columns = _columns("metric", found.version, "interval", found.against, "interval", "rows")
    order: Mapping[str, int] = {name: place for place, name in enumerate(_METRICS)}
    chosen = [one for one in found.metrics if one.metric in order]
    rows = (
        (
            f"{one.metric}, {one.basis}", *_cells(one.version), *_cells(one.against),
            f"{one.version.n:,} and {one.against.n:,}",
        )
        for one in sorted(chosen, key=lambda one: (one.basis != "realized", order[one.metric]))
    )  # fmt: skip
    return table_of(columns, rows, title)


def _cells(one: Measured) -> tuple[str, str]:
    value = (one.reason or "").replace("_", " ") if one.value is None else f"{one.value:.4g}"
    return value, "" if one.low is None or one.high is None else f"{one.low:.4g} to {one.high:.4g}"


def _segments(found: VersionsBeside) -> Table:
    title = "segments, with intervals that hold for all of them and all looks together"
    columns = _columns("segment", "stands", "loss", found.version, found.against, "apart", "rows")
    return table_of(columns, (_segment(one.segment, one.comparison) for one in found.segments), title)


def _segment(name: str, of: Comparison) -> tuple[str, ...]:
    return (
        name, of.standing.value, "" if of.loss is None else loss_named(of.loss), _number(of.mean),
        _number(of.other_mean), _apart(of), f"{of.rows:,} and {of.other_rows:,}",
    )  # fmt: skip


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _apart(one: Comparison) -> str:
    return "too few labels" if one.low is None or one.high is None else f"{one.low:+.4g} to {one.high:+.4g}"
