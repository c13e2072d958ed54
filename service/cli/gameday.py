"""Put every kind of fault into a user's own log and say what their own monitor finds."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from service.cli import tables
from service.cli.log_places import open_log, records_in, share_in
from service.cli.monitors import MonitorFile, read_monitors
from service.cli.progress import progress
from service.cli.whole_numbers import WholeNumber
from service.errors import ConfigurationError
from service.injection.columns import Columns
from service.injection.drills import QUICK, Drill, drills
from service.injection.gameday import GameDay, ModelLog, Played, found_share
from service.injection.survey import Survey, survey
from service.injection.verdict import Clean, Outcome, Verdict
from service.messages import Severity, iso
from service.parsers import any_of
from service.wiring import make_replay

if TYPE_CHECKING:
    from service.injection.log import Log
    from service.messages import Alert
    from service.monitor import Monitor

_COLUMNS = (
    *tables.whole("fault", "outcome", "named"), *tables.numbers("windows", "false", "seconds"),
    *tables.texts("what was said"),
)  # fmt: skip
_STYLES = {Outcome.FOUND: "green", Outcome.QUIET: "green", Outcome.MISSED: "red", Outcome.RANG: "red"}


@click.command()
@click.option("--monitors", required=True, type=click.Path(path_type=Path), help="The monitors' YAML.")
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A profile file (may be given again).",
)
@click.option(
    "--events", required=True, help="The log: JSONL file or folder, plain, .gz or .zst, or topic:NAME."
)
@click.option("--model", help="Which model (needed when there are several).")
@click.option("--kinds", help="Only these kinds of faults, with commas between.")
@click.option("--features", help="Only into these features, with commas between.")
@click.option("--quick", is_flag=True, help="A dozen kinds only.")
@click.option(
    "--windows", type=WholeNumber(min=4), help="Only so many windows (the shortest) from the log's begin."
)
@click.option("--require", help="Exit with 1 when less than this share of the faults is found, such as 95%.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is random.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def gameday(  # noqa: PLR0913, PLR0917 - click hands over every option
    monitors: Path, references: tuple[Path, ...], events: str, model: str | None, kinds: str | None,
    features: str | None, quick: bool, windows: int | None, require: str | None, seed: int, as_json: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Put each kind of fault into the middle of a copy of your log, replay it under your monitor, and say what rang.

    Found: a page or ticket on the right column. Named: with the right cause. False: incidents that are neither in the
    clean log nor the fault's. Harmless faults (duplicates, late events) must ring nothing.

    \b
    driftbell gameday --monitors monitors.yaml --events log.jsonl.gz
    driftbell gameday --monitors monitors.yaml --events topic:inference-log --quick --windows 200 --require 95%
    """  # noqa: D301 - click reads \b
    least = share_in(require, "--require") if require else 0.0
    read = read_monitors(monitors, references)
    with TemporaryDirectory(prefix="driftbell-gameday-") as folder, progress(quiet=quiet) as bar:
        day, asked = prepare(read, model, events, windows, Path(folder), seed, bar)
        columns = Columns(asked, day.monitor, _names(features))
        wanted = drills(columns, _names(kinds) or (QUICK if quick else ()))
        if not wanted:
            raise ConfigurationError(
                "none of these faults fits the model's columns; leave --kinds or --features out"
            )
        console = Console(highlight=False, soft_wrap=True)
        if not as_json:
            _say_clean(console, day.clean)
        played = _play(day, wanted, bar)
    if as_json:
        click.echo(msgspec.json.encode(_document(day, played)))
    else:
        _print(console, played)
    sys.exit(int(found_share(played) < least))


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text else ()


def prepare(  # noqa: PLR0913, PLR0917 - what was said on the command line
    read: MonitorFile, model: str | None, events: str, windows: int | None, folder: Path, seed: int,
    bar: Progress,
) -> tuple[GameDay, Survey]:  # fmt: skip
    """A model's game day on its part of the log. Raises ConfigurationError."""
    monitor = _chosen(read, model)
    log: Log = ModelLog(open_log(events, monitor.ts_unit), monitor.model)
    task = bar.add_task(f"reading {events}", total=records_in(events, bar))
    asked = survey(log, monitor.model, lambda n: bar.advance(task, n))
    if windows is not None:
        window_ms = min(spec.length_ms for spec in monitor.windows)
        log = ModelLog(log, monitor.model, (asked.at(0.0) // window_ms + windows) * window_ms)
        asked = survey(log, monitor.model)
    bar.remove_task(task)
    day = GameDay(asked, log, monitor, partial(rings, read, monitor), folder, seed)
    if asked.last_ms - asked.at(0.0) < 3 * day.window_ms:
        raise ConfigurationError(
            "the log is shorter than four windows, so nothing can be learned of it; take a longer one"
        )
    return day, asked


def _chosen(read: MonitorFile, model: str | None) -> Monitor:
    by_name = {m.model: m for m in read.monitors}
    if model is None and len(by_name) > 1:
        raise ConfigurationError(
            f"the monitors are of {len(by_name)} models; say --model {any_of(sorted(by_name))}"
        )
    chosen = next(iter(by_name)) if model is None else model
    if chosen not in by_name:
        raise ConfigurationError(f"no monitor is of model {chosen!r}; write {any_of(sorted(by_name))}")
    monitor = by_name[chosen]
    if monitor.reference and monitor.reference not in read.profiles:
        raise ConfigurationError(
            f"{chosen}: the reference {monitor.reference!r} is neither a file nor given with --reference"
        )
    return monitor


def rings(read: MonitorFile, monitor: Monitor, path: Path) -> Sequence[Alert]:
    """The alerts that a file log fires under one monitor."""
    return make_replay([monitor], read.profiles, path, 1, lambda _: None).run().fired


def _play(day: GameDay, wanted: Sequence[Drill], bar: Progress) -> list[Played]:
    task = bar.add_task("the clean log", total=len(wanted))
    _ = day.clean
    played = []
    for drill in wanted:
        bar.update(task, description=str(drill))
        played.append(day.play(drill))
        bar.advance(task)
    return played


def _say_clean(console: Console, clean: Clean) -> None:
    pages = sum(a.severity is Severity.PAGE for a in clean.incidents)
    tickets = len(clean.incidents) - pages
    end = ":" if clean.incidents else "."
    console.print(
        f"On your clean log this monitor pages {_times(pages)} and opens {_count(tickets, 'ticket')}{end}"
    )
    for alert in clean.incidents:
        console.print(f"  {iso(alert.at_ms)} {alert.severity.value:6s} {alert.summary}", markup=False)


def _times(count: int) -> str:
    return "never" if count == 0 else "once" if count == 1 else f"{count} times"


def _count(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


def _print(console: Console, played: Sequence[Played]) -> None:
    tables.show(_table(played))
    for p in played:
        if p.verdict.masked:
            console.print(
                f"{p.drill}: the clean log rings on this column already, so the fault is not news",
                markup=False,
            )
    console.print(_summary(played), markup=False)


def _table(played: Sequence[Played]) -> Table:
    return tables.table_of(_COLUMNS, map(_cells, played))


def _cells(p: Played) -> tuple[str | Text, ...]:
    v = p.verdict
    delay = "" if v.delay_windows is None else f"{v.delay_windows:.1f}"
    said = v.alert.summary.partition(": ")[2] if v.alert is not None else ""
    return (
        str(p.drill), Text(v.outcome.value, _STYLES[v.outcome]), _named(v), delay,
        str(v.false_pages + v.false_tickets or ""), f"{p.seconds:.1f}", said,
    )  # fmt: skip


def _named(verdict: Verdict) -> str:
    if verdict.outcome is not Outcome.FOUND:
        return ""
    return "yes" if verdict.named else f"no, {verdict.alert.cause.value}" if verdict.alert else "no"


@dataclass(frozen=True)
class _Totals:
    found: int
    named: int
    rung: int
    quiet: int
    harmless: int
    false_pages: int
    false_tickets: int


def _totals(played: Sequence[Played]) -> _Totals:
    outcomes = [p.verdict.outcome for p in played]
    found, missed, quiet, rang = (outcomes.count(o) for o in Outcome)
    return _Totals(
        found, sum(p.verdict.named for p in played), found + missed, quiet, quiet + rang,
        sum(p.verdict.false_pages for p in played), sum(p.verdict.false_tickets for p in played),
    )  # fmt: skip


def _summary(played: Sequence[Played]) -> str:
    t = _totals(played)
    return (
        f"{t.found} of {t.rung} faults found, {t.named} named; {t.quiet} of {t.harmless} harmless ones left alone; "
        f"{_count(t.false_pages, 'false page')} and {_count(t.false_tickets, 'false ticket')} in {len(played)} replays"
    )


def _document(day: GameDay, played: Sequence[Played]) -> dict[str, object]:
    t = _totals(played)
    return {
        "model": day.monitor.model, "fault_begins": iso(day.from_ms),
        "clean": [alert.document() for alert in day.clean.incidents],
        "drills": [p.document() for p in played],
        "found": t.found, "should_ring": t.rung, "named": t.named, "quiet": t.quiet, "harmless": t.harmless,
        "false_pages": t.false_pages, "false_tickets": t.false_tickets, "found_share": found_share(played),
    }  # fmt: skip
