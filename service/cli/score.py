"""How well a model is monitored, for a person at a terminal: the ML Test Score's seven tests of monitoring."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.cli.dead_letter_filters import database
from service.cli.json_lines import echo_json
from service.cli.known_names import no_model
from service.cli.prometheus import ask_prometheus
from service.dead_letters.readable import visible
from service.messages import iso
from service.opening import now_ms
from service.readiness.grading import score_of
from service.readiness.notification import notification_of
from service.settings import load_from_environment
from service.store.engine import transaction
from service.store.readiness import known_of, outbox_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from service.readiness.readiness import Grade, Ran, Score

_PIPED_WIDTH = 160
_COLUMNS = ("test", "points", "what it rests on", "what is missing")


@click.command()
@click.argument("model")
@click.option(
    "--prometheus",
    "prometheus_url",
    metavar="URL",
    help="Ask this Prometheus whether it evaluates driftbell's rules and has an Alertmanager.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object.")
def score(model: str, prometheus_url: str | None, *, as_json: bool) -> None:
    """Show how well a model is monitored, by the monitoring tests of the ML Test Score.

    A full point is for a test that runs by itself and tells somebody, half a point for one that somebody has to look
    at, or of which driftbell sees a part. What has not run within three windows counts for nothing
    (docs/ml-test-score.md).

    \b
    driftbell score churn
    driftbell score churn --prometheus http://prometheus:9090
    driftbell score churn --json
    """  # noqa: D301 - click reads \b
    settings = load_from_environment()
    asked = None if prometheus_url is None else ask_prometheus(prometheus_url, model)
    with database(settings) as engine, transaction(engine) as connection:
        known, outbox = known_of(connection, model, now_ms()), outbox_of(connection)
        if known is None:
            raise no_model(connection, model)
    webhook = settings.evaluator.alert_webhook_url is not None
    made = score_of(known, notification_of(outbox, webhook=webhook, prometheus=asked))
    if as_json:
        echo_json(made)
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPED_WIDTH
    console = Console(width=width, highlight=False)
    console.print(_table_of(made))
    for line in _lines_below(made):
        console.print(Text(visible(line)))


def _table_of(made: Score) -> Table:
    table = Table(*_COLUMNS, box=None, pad_edge=False, padding=(0, 2, 1, 0))
    table.columns[1].justify = "right"
    for column in table.columns:
        column.overflow = "fold"
    for grade in made.tests:
        test, points = f"{grade.number}. {grade.test}", f"{grade.points:g}"
        table.add_row(*(_cell(lines) for lines in ((test,), (points,), _evidence(grade), _missing(grade))))
    return table


def _cell(lines: Iterable[str]) -> Text:
    """Names out of events are no markup, and end no line."""
    shown = [visible(line) for line in lines]
    return Text(shown[0] if len(shown) == 1 else "\n".join(f"- {line}" for line in shown))


def _evidence(grade: Grade) -> Iterator[str]:
    yield from (_ran(one) for one in grade.evidence)
    yield from grade.remarks
    if not grade.evidence and not grade.remarks:
        yield "nothing"


def _ran(one: Ran) -> str:
    columns = f" of {one.columns} columns" if one.columns > 1 else ""
    old = "" if one.fresh else ", which is too long ago"
    return (
        f"rule {one.rule} ({', '.join(one.methods)}){columns}: {one.n:,} rows in the {one.window} window that ended "
        f"{iso(one.end_ms)}{old}"
    )


def _missing(grade: Grade) -> Iterator[str]:
    yield from grade.missing
    if grade.unseen is not None:
        yield f"(not seen here: {grade.unseen})"


def _lines_below(made: Score) -> Iterator[str]:
    yield f"{made.points:g} of 7 points for monitoring; driftbell alone can show {made.most:g}."
    yield from (f"Who is told: {sentence}." for sentence in made.notification.sentences)
    yield "The ML Test Score is the lowest of four sections; data, model and infrastructure are not looked at here."
