"""Performance for a person at a terminal: metrics of windows, realized or estimated, with intervals and rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from service.cli import tables
from service.cli.dead_letter_filters import reading
from service.cli.json_lines import echo_json
from service.cli.known_names import require_metric
from service.cli.times import ago_or_time
from service.cli.whole_numbers import WholeNumber
from service.cli.windows import require_known
from service.opening import now_ms
from service.performance.baselines import LAST, SEASONAL, USUAL
from service.performance.estimating import ESTIMATED, assumed
from service.performance.windows import REALIZED
from service.reports.phrases import minute
from service.store.paging import Paging
from service.store.result_queries import PerformanceFilter, list_performance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from service.store.result_queries import PerformanceRow

_COLUMNS = (
    *tables.whole("window ends (UTC)", "window"), *tables.texts("version", "segment", "metric"),
    *tables.numbers("value", "95 % interval"),
)  # fmt: skip


@click.command()
@click.argument("model")
@click.option("--metric", help="Only this metric, such as accuracy, roc_auc or mae.")
@click.option("--window", help="Only windows of this kind, such as 1h.")
@click.option(
    "--segment", default="", help="Of this segment, such as country=DE, instead of the whole model."
)
@click.option(
    "--basis",
    default=REALIZED,
    show_default=True,
    type=click.Choice((REALIZED, ESTIMATED, USUAL, LAST, SEASONAL)),
    help="realized: by labels; estimated: before they come, if there is no concept drift; usual, last, seasonal: what "
    "a naive model would have made of the labels.",
)
@click.option("--since", help="Only windows that ended after this: 2d (ago), or ISO 8601.")
@click.option("--limit", default=20, show_default=True, type=WholeNumber(1, 10_000), help="The most lines.")
@click.option("--json", "as_json", is_flag=True, help="For programs: a JSON object a line.")
def performance(model: str, since: str | None, limit: int, *, as_json: bool, **chosen: str | None) -> None:
    """Show how a model's predictions turned out, once labels came, or are expected to; the latest window first.

    \b
    driftbell performance churn --metric accuracy --window 1h
    driftbell performance churn --metric recall --segment country=DE --since 7d
    driftbell performance churn --metric roc_auc --basis estimated
    """  # noqa: D301 - click reads \b
    since_ms = None if since is None else ago_or_time(since, "--since", now_ms())
    metric, window, segment, basis = (chosen[name] for name in ("metric", "window", "segment", "basis"))
    wanted = PerformanceFilter(
        model=model, segment=segment, window=window, since_ms=since_ms, metric=metric, basis=basis
    )
    with reading() as connection:
        found = list_performance(connection, wanted, Paging(limit)).rows
        if not found:
            require_known(connection, model, window)
            if metric is not None:
                require_metric(metric)
    if as_json:
        for one in found:
            told = asdict(one) | ({"assumption": assumed(one.metric)} if one.basis == ESTIMATED else {})
            echo_json(told)
    elif not found:
        no_label = "no label has come, or " if basis != ESTIMATED else ""
        click.echo(
            f"nothing is known: either {no_label}the monitor names no task, or its windows have not ended "
            "(docs/labels.md)"
        )
    else:
        tables.show(_table_of(found))
        if found[0].basis == ESTIMATED:
            for assumption in sorted({assumed(one.metric) for one in found}):
                click.echo(f"estimated without labels, assuming {assumption}")


def _table_of(rows: Sequence[PerformanceRow]) -> Table:
    counted = "rows" if rows[0].basis == ESTIMATED else "labels"
    return tables.table_of((*_COLUMNS, *tables.numbers(counted)), map(_cells, rows))


def _cells(one: PerformanceRow) -> tuple[str, ...]:
    return (
        minute(one.end_ms), one.window, one.version, one.segment, one.metric, _said(one), _interval(one), f"{one.n:,}",
    )  # fmt: skip


def _said(one: PerformanceRow) -> str:
    return (one.reason or "").replace("_", " ") if one.value is None else f"{one.value:.4g}"


def _interval(one: PerformanceRow) -> str:
    return "" if one.low is None or one.high is None else f"{one.low:.4g} to {one.high:.4g}"
