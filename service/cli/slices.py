"""Weak slices for a person at a terminal: where a model is wrong more often than elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli.dead_letter_filters import database
from service.cli.json_lines import echo_json
from service.cli.known_names import known_version
from service.cli.times import ago_or_time
from service.dead_letters.readable import visible
from service.inspection.weak_slices import NO_TASK, headline, no_report, report_of
from service.monitor import Task
from service.opening import now_ms
from service.settings import load_from_environment
from service.store.labelled_rows import labelled_rows

if TYPE_CHECKING:
    from service.inspection.weak_slices import SliceReport


@click.command()
@click.argument("model")
@click.option(
    "--since", default="7d", show_default=True, help="Predictions from then on: 7d (ago), or ISO 8601."
)
@click.option("--until", help="Predictions before then; else up to now.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object.")
def slices(model: str, since: str, until: str | None, *, as_json: bool) -> None:
    """Show where a model is wrong more often than elsewhere: slices of one or two features, found by themselves.

    A slice is found on one half of a sample of labelled rows and tested on the other; where nothing is weak, one is
    named in one of twenty looks at the most. It never pages (docs/slices.md).

    \b
    driftbell slices churn
    driftbell slices churn --since 2026-11-01 --until 2026-11-15 --json
    """  # noqa: D301 - click reads \b
    now = now_ms()
    span = (
        ago_or_time(since, "--since", now),
        now if until is None else ago_or_time(until, "--until", now),
    )
    with database(load_from_environment()) as engine:
        version = known_version(engine, model)
        if version.monitor.task is Task.NONE:
            report = no_report(NO_TASK)
        else:
            report = report_of(labelled_rows(engine, version, *span))
    if as_json:
        echo_json(report)
        return
    for line in _lines(report):
        click.echo(visible(line))


def _lines(report: SliceReport) -> list[str]:
    """Names out of events are no markup."""
    said = [headline(report), *(f"  {one.sentence}" for one in report.slices)]
    if report.panes < report.of_panes:
        said.append(f"(of {report.panes:,} of {report.of_panes:,} panes, evenly over the time)")
    return said
