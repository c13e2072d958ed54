"""The health of a model's answers for a person at a terminal, without labels: now beside the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli import tables
from service.cli.dead_letter_filters import database
from service.cli.json_lines import echo_json
from service.cli.known_names import known_version
from service.cli.times import ago_or_time
from service.inspection.health import REASONS, TITLES, health_of
from service.opening import now_ms
from service.settings import load_from_environment
from service.store.answered_span import SpanFilter, answered_span, reference_rows

if TYPE_CHECKING:
    from service.inspection.health import HealthLine, HealthReport

_COLUMNS = (
    *tables.texts("measure"), *tables.numbers("now", "95 % interval", "of", "reference", "of"),
    *tables.texts("in a word"),
)  # fmt: skip
_SHARES = frozenset({
    "commonest_answer", "mean_confidence", "saturated_scores", "contradicted_duplicates",
    "contradicted_near_duplicates",
})  # fmt: skip


@click.command()
@click.argument("model")
@click.option(
    "--since", default="1h", show_default=True, help="Predictions from then on: 1h (ago), or ISO 8601."
)
@click.option("--until", help="Predictions before then; else up to now.")
@click.option("--version", help="Only of this version of the model.")
@click.option("--segment", default="", help="Only of this segment, such as country=DE.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object.")
def health(model: str, since: str, until: str | None, *, as_json: bool, **chosen: str) -> None:
    """Show how a model's answers look beside the reference's, without labels.

    Whether they are all the same, how mixed and how sure they are, whether inputs that are alike are answered alike,
    and how long answers take. It never pages: prediction drift, stuck answers and latency ring by themselves
    (docs/prediction-health.md).

    \b
    driftbell health churn
    driftbell health churn --since 2d --segment country=DE --json
    """  # noqa: D301 - click reads \b
    now = now_ms()
    from_ms, until_ms = (
        ago_or_time(since, "--since", now),
        now if until is None else ago_or_time(until, "--until", now),
    )
    wanted = SpanFilter(model, from_ms, until_ms, chosen["version"], chosen["segment"])
    with database(load_from_environment()) as engine:
        version = known_version(engine, model)
        span = answered_span(engine, version.grid, wanted)
        report = health_of(span, reference_rows(engine, version, wanted.segment), version.monitor.task)
    if as_json:
        echo_json(report)
    elif not report.inferences:
        click.echo("no predictions are stored of that time; --since 1d asks for a day")
    else:
        _print(report)


def _print(report: HealthReport) -> None:
    tables.show(tables.table_of(_COLUMNS, map(_cells, report.lines)))
    told = f"{report.inferences:,} predictions; inputs are compared among {report.kept_rows:,} that were kept"
    if report.panes < report.of_panes:
        told += f"; of {report.panes:,} of {report.of_panes:,} panes, evenly over the time"
    click.echo(told)


def _cells(line: HealthLine) -> tuple[str, ...]:
    interval = (
        ""
        if line.low is None or line.high is None
        else f"{_said(line.name, line.low)} to {_said(line.name, line.high)}"
    )
    now = "" if line.value is None else _said(line.name, line.value)
    usual = "" if line.reference is None else _said(line.name, line.reference)
    rows = f"{line.reference_n:,}" if line.reference_n else ""
    reasons = (REASONS[one] for one in (line.reason, line.reference_reason) if one is not None)
    word = line.word or next(reasons, "")
    return TITLES[line.name], now, interval, f"{line.n:,}" if line.n else "", usual, rows, word


def _said(name: str, value: float) -> str:
    return f"{100 * value:.3g} %" if name in _SHARES else f"{value:.3g}"
