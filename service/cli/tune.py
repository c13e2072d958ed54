"""Propose a monitor's limits from history: what each setting would have rung against what it still finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.text import Text

from service.cli import tables
from service.cli.gameday import prepare, rings
from service.cli.monitors import MonitorFile, read_monitors
from service.cli.progress import progress
from service.cli.whole_numbers import WholeNumber
from service.errors import ConfigurationError
from service.injection.columns import Columns
from service.injection.tuning import FAMILIES, PER_MS, Setting, Trial, Tuning, goal_in, proposed, settings_for
from service.messages import Severity
from service.monitor import DAY_MS
from service.monitor_file import dump_monitors, parse_monitors

if TYPE_CHECKING:
    from rich.progress import Progress

    from service.injection.gameday import GameDay
    from service.messages import Alert
    from service.monitor import Monitor

_BUDGET = ("false pages / 30 d", "tolerance", "pages / 30 d", "tickets / 30 d")


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
    "--events", required=True, help="History: JSONL file or folder, plain, .gz or .zst, or topic:NAME."
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the monitors with the proposed setting here."
)
@click.option("--model", help="Which model (needed when there are several).")
@click.option("--feature", help="Where the faults go (default: the most important number).")
@click.option(
    "--find",
    "finds",
    multiple=True,
    help="What must be found, such as missing:1% (may be given again; default: missing:2% shift:0.25 unit:20%).",
)
@click.option(
    "--windows", type=WholeNumber(min=4), help="Only so many windows (the shortest) from history's begin."
)
@click.option("--quick", is_flag=True, help="Three budgets only.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is random.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def tune(  # noqa: PLR0913, PLR0917 - click hands over every option
    monitors: Path, references: tuple[Path, ...], events: str, out: Path | None, model: str | None,
    feature: str | None, finds: tuple[str, ...], windows: int | None, quick: bool, seed: int, as_json: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Replay history under a ladder of budgets and tolerances, with and without faults, and propose one setting.

    It is the one that rings least on history and still finds what you ask for. History is taken to be free of
    trouble: what really broke in it counts as pages, too.

    \b
    driftbell tune --monitors monitors.yaml --events history.jsonl.gz --out tuned.yaml
    driftbell tune --monitors monitors.yaml --events topic:inference-log --find missing:1% --find unit:5% --quick
    """  # noqa: D301 - click reads \b
    goals = dict(map(goal_in, finds)) or {name: family.usual for name, family in FAMILIES.items()}
    _require_place(out)
    read = read_monitors(monitors, references)
    with TemporaryDirectory(prefix="driftbell-tune-") as folder, progress(quiet=quiet) as bar:
        day, asked = prepare(read, model, events, windows, Path(folder), seed, bar)
        where = feature or _feature(Columns(asked, day.monitor))
        asked.numbers(where, "tune")
        tuning = _tuning(day, where, goals, read, bar, quick=quick)
        if not as_json:
            click.echo(
                f"at most {tuning.most_replays} replays of {asked.inferences + asked.labels_count:,} events",
                err=True,
            )
        trials = tuning.run()
    best = proposed(trials, goals)
    span_ms = max(1, asked.last_ms - asked.at(0.0))
    if as_json:
        click.echo(msgspec.json.encode(_document(trials, best, goals, span_ms)))
    else:
        _print(trials, best, goals, span_ms)
    if out is not None:
        _write(out, monitors, day.monitor.model, best, list(asked.features))
        click.echo(f"written to {out}", err=as_json)


def _require_place(out: Path | None) -> None:
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        raise ConfigurationError(f"cannot write {out}: it is a folder, or in none that exists")


def _feature(columns: Columns) -> str:
    if not columns.numbers:
        raise ConfigurationError("the model has no number feature that varies, which tune needs")
    return columns.numbers[0].name


def _tuning(
    day: GameDay,
    feature: str,
    goals: Mapping[str, float],
    read: MonitorFile,
    bar: Progress,
    *,
    quick: bool,
) -> Tuning:
    def replay(monitor: Monitor, path: Path) -> Sequence[Alert]:
        return rings(read, monitor, path)

    def tell(doing: str) -> None:
        bar.update(task, description=doing, advance=1)

    made = Tuning(day, feature, settings_for(day.monitor, quick=quick), goals, replay, tell)
    task = bar.add_task("history", total=made.most_replays)
    return made


def _print(trials: Sequence[Trial], best: Trial, goals: Mapping[str, float], span_ms: int) -> None:
    console = Console(highlight=False, soft_wrap=True)
    columns = (*tables.whole(""), *tables.numbers(*_BUDGET, *goals), *tables.whole("finds all"))
    rows = (
        [Text(cell, "bold" if one is best else "") for cell in _cells(one, best, goals, span_ms)]
        for one in trials
    )
    tables.show(tables.table_of(columns, rows))
    asked = ", ".join(f"{name} of {FAMILIES[name].shown(goal)}" for name, goal in goals.items())
    console.print(
        f"Each fault's column: the weakest that was found, and after how many windows. Asked for: {asked}."
    )
    if not best.finds(goals):
        console.print(
            "No setting finds all of it; the one marked finds most. Longer windows would find fainter faults."
        )


def _cells(trial: Trial, best: Trial, goals: Mapping[str, float], span_ms: int) -> tuple[str, ...]:
    return (
        "->" if trial is best else "", _budget(trial.setting), f"x{trial.setting.tolerance:g}",
        *(f"{trial.count(s) * PER_MS / span_ms:.1f}" for s in (Severity.PAGE, Severity.TICKET)),
        *(_smallest(trial, name) for name in goals), "yes" if trial.finds(goals) else "no",
    )  # fmt: skip


def _budget(setting: Setting) -> str:
    return "as it is" if setting.false_pages is None else f"{setting.false_pages:g}"


def _smallest(trial: Trial, family: str) -> str:
    if family not in trial.smallest:
        return "none"
    strength, delay = trial.smallest[family]
    return f"{FAMILIES[family].shown(strength)} ({delay:.0f})"


def _document(
    trials: Sequence[Trial], best: Trial, goals: Mapping[str, float], span_ms: int
) -> dict[str, object]:
    return {
        "days": span_ms / DAY_MS, "goals": goals, "proposed": trials.index(best), "finds_all": best.finds(goals),
        "trials": [
            {
                "false_pages": t.setting.false_pages, "tolerance": t.setting.tolerance,
                "pages": t.count(Severity.PAGE), "tickets": t.count(Severity.TICKET),
                "smallest": {n: {"strength": s, "delay_windows": d} for n, (s, d) in t.smallest.items()},
                "finds_all": t.finds(goals),
            }
            for t in trials
        ],
    }  # fmt: skip


def _write(out: Path, monitors: Path, model: str, best: Trial, features: Sequence[str]) -> None:
    """All monitors of the file, with their references named as there."""
    written = parse_monitors(monitors.read_text(encoding="utf-8"), monitors.name)
    tuned = [best.setting.applied(m, features) if m.model == model else replace(m) for m in written]
    try:
        out.write_text(dump_monitors(tuned), encoding="utf-8")
    except OSError as why:
        raise ConfigurationError(f"cannot write {out}: {why.strerror}") from why
