"""Hold what the database says against the log, partition by partition and window by window."""

from __future__ import annotations

import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.cli import tables
from service.cli.progress import progress
from service.cli.whole_numbers import WholeNumber
from service.errors import Unavailable
from service.settings import load_from_environment
from service.verification.report import IDENTICAL, NOT_VERIFIED, Report
from service.verification.verifier import Asked
from service.wiring import make_log_reader, make_verifier

if TYPE_CHECKING:
    from service.verification.verdict import PartitionVerdict

_MOST_SENTENCES = 50
_COLUMNS = (
    *tables.texts("partition"),
    *tables.numbers(
        "offsets", "accepted", "duplicate", "late", "dead", "tombstone", "panes", "lost", "duplicated", "skipped",
    ),
    *tables.whole("verdict"),
)  # fmt: skip


@click.command()
@click.option("--topic", "topics", multiple=True, help="Only this topic (may be given again).")
@click.option("--no-windows", is_flag=True, help="Partitions only: counts, panes, ids and dead letters.")
@click.option(
    "--events", type=click.Path(path_type=Path), help="The file log that was read, in place of Kafka."
)
@click.option(
    "--partitions",
    default=1,
    show_default=True,
    type=WholeNumber(1, 1024),
    help="With --events: how many partitions the file was split into.",
)
@click.option("--strict-revisions", is_flag=True, help="Compare how often windows were restated, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def verify(
    topics: tuple[str, ...], no_windows: bool, events: Path | None, partitions: int, strict_revisions: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Recompute everything from the log in one pass, and say where the database differs from it.

    Collectors and evaluators may run meanwhile: the database is read as of one moment, and nothing is written.
    What retention took from the log or the database is said to be unverifiable, and is no difference.
    Run it with the settings of the collectors. Exit code 0: identical, 1: differences, 2: could not verify.

    \b
    driftbell verify
    driftbell verify --topic inference-log --no-windows
    driftbell verify --events log.jsonl.gz --json
    """  # noqa: D301 - click reads \b
    settings = load_from_environment()
    asked = Asked(topics, windows=not no_windows, revisions=strict_revisions)
    try:
        with progress() as bar:
            task = bar.add_task("verifying", total=None)
            advance = partial(bar.update, task)
            with closing(make_log_reader(settings, events, partitions)) as reader:
                report = make_verifier(
                    settings, reader, asked, lambda n, of: advance(advance=n, total=of)
                ).run()
    except Unavailable as why:
        click.secho(f"driftbell: {why}", fg="red", err=True)
        sys.exit(NOT_VERIFIED)
    if as_json:
        click.echo(msgspec.json.encode(report.document()))
    else:
        _print(report)
    sys.exit(report.exit_code)


def _print(report: Report) -> None:
    console = Console(highlight=False, soft_wrap=True)
    tables.show(_table(report))
    for one in report.partitions:
        for note in one.notes:
            console.print(f"partition {one.partition.number} of {one.partition.topic}: {note}", markup=False)
    for model in report.models:
        said = f"{model.windows:,} windows, {model.findings:,} findings, {len(model.wrong):,} differences"
        console.print(model.blocked or f"model {model.model}: {said}", markup=False)
        for note in () if model.blocked else model.notes:
            console.print(f"model {model.model}: {note}", markup=False)
    for wrong in report.wrong[:_MOST_SENTENCES]:
        console.print(wrong.sentence, markup=False, style="red")
    more = report.counted.total() - _MOST_SENTENCES
    if more > 0:
        console.print(f"and {more:,} more; --json lists up to a thousand for each partition and model")
    if report.exit_code == IDENTICAL:
        console.print("The database says what the log says.", style="green")


def _table(report: Report) -> Table:
    return tables.table_of(_COLUMNS, map(_cells, report.partitions))


def _cells(one: PartitionVerdict) -> tuple[str | Text, ...]:
    counts = one.stored
    numbers = (
        counts.accepted, counts.duplicate, counts.late, counts.dead, counts.tombstone, one.panes.compared,
        one.panes.lost, one.panes.duplicated, one.skipped,
    )  # fmt: skip
    verdict = Text(f"{len(one.wrong):,} differences", "red") if one.wrong else Text("identical", "green")
    name = f"{one.partition.topic} {one.partition.number}"
    return name, f"{one.read_from} to {one.next_offset}", *(f"{n:,}" for n in numbers), verdict
