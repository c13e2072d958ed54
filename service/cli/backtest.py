"""`driftbell replay --stored`: what monitors would have paged on the panes that the database keeps."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.backtest.backtest import Span
from service.backtest.summary import hindsight_said
from service.cli.dead_letter_filters import database
from service.cli.progress import progress
from service.cli.replay_output import opened, writer
from service.cli.replay_summary import summary_of
from service.cli.times import ago_or_time
from service.errors import ConfigurationError
from service.opening import now_ms
from service.replay import Sink
from service.settings import load_from_environment
from service.wiring import make_backtest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.backtest.backtest import Backtested
    from service.cli.monitors import MonitorFile


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which model (None: all of the file), which event times as they were typed, and where it is told."""

    model: str | None
    since: str | None
    until: str | None
    out: Path | None
    summary: bool

    def span(self) -> Span:
        """The times. Raises ConfigurationError."""
        now = now_ms()
        since = None if self.since is None else ago_or_time(self.since, "--from", now)
        until = None if self.until is None else ago_or_time(self.until, "--to", now)
        if since is not None and until is not None and since >= until:
            raise ConfigurationError("--from is not before --to")
        return Span(since, until)


def judge_stored(read: MonitorFile, wanted: Wanted, *, quiet: bool) -> None:
    """Judge, tell and count. Raises ConfigurationError with all that cannot be answered, before anything is judged."""
    if wanted.out is None and not wanted.summary:
        raise ConfigurationError(
            "say --summary for what would have paged, --out FILE for every window, or both"
        )
    span = wanted.span()
    chosen = _only(read, wanted.model)
    with database(load_from_environment()) as engine, ExitStack() as held:
        bar = held.enter_context(progress(quiet=quiet))
        task = bar.add_task("judging stored panes, days", total=None)
        sink: Sink = _nowhere if wanted.out is None else writer(held.enter_context(opened(wanted.out)))
        run = make_backtest(engine, chosen.monitors, chosen.profiles, span, sink)
        run.begun = lambda days: bar.update(task, total=days)
        run.progress = lambda days: bar.advance(task, days)
        judged = run.run()
    for one in judged:
        _print(one, summary=wanted.summary)
    click.echo(_counts(judged))


def _only(read: MonitorFile, model: str | None) -> MonitorFile:
    if model is None:
        return read
    monitors = tuple(one for one in read.monitors if one.model == model)
    if not monitors:
        known = ", ".join(one.model for one in read.monitors)
        raise ConfigurationError(f"the monitors name no model {model!r}; they name {known}")
    return replace(read, monitors=monitors)


def _nowhere(line: Mapping[str, Any]) -> None:
    """Nobody asked for the lines."""


def _print(one: Backtested, *, summary: bool) -> None:
    for note in one.notes:
        click.secho(f"driftbell: {note}", fg="yellow", err=True)
    if summary:
        for line in summary_of(one.tally, [one.monitor]):
            click.echo(line)
        click.echo(hindsight_said(one))


def _counts(judged: Sequence[Backtested]) -> str:
    panes, tallies = sum(one.panes for one in judged), [one.tally for one in judged]
    windows, findings, alerts = (
        sum(getattr(tally, name) for tally in tallies) for name in ("windows", "findings", "alerts")
    )
    return f"panes {panes}; windows {windows}; findings {findings}; alerts {alerts}"
