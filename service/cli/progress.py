"""How far a long command is, on a terminal's standard error: how much of it, how fast, and how long it still takes."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text


def progress(*, quiet: bool = False, console: Console | None = None) -> Progress:
    """A bar that is gone when all is done. Where nobody looks nothing is written."""
    shown = console or Console(stderr=True)
    looked_at = shown.is_terminal if console else shown.is_terminal and sys.stderr.isatty()
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), _Done(), _Rate(),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
        console=shown, disable=quiet or not looked_at, transient=True,
    )  # fmt: skip


class _Done(ProgressColumn):
    """So many of so many."""

    def render(self, task: Task) -> Text:
        of = "" if task.total is None else f" of {task.total:,.0f}"
        return Text(f"{task.completed:,.0f}{of}")


class _Rate(ProgressColumn):
    """So many a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if speed is None:
            return Text("")
        return Text(f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.2g}/s")
