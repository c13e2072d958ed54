"""`driftbell doctor`: what a deployment rests on, looked at, and what to do about what is wrong."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from service.cli.json_lines import echo_json
from service.dead_letters.readable import visible
from service.doctor.check import Condition, exit_code_of, problems_of
from service.log_lines import HIDDEN, hidden_texts
from service.settings import read_from_environment
from service.wiring import make_examination

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from service.doctor.check import Check

_MARKS = {
    Condition.OK: ("✓", "green"),
    Condition.WARNING: ("!", "yellow"),
    Condition.FAILURE: ("✗", "bold red"),
    Condition.NOT_CHECKED: ("-", "dim"),
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object.")
def doctor(as_json: bool) -> None:
    """Check what this deployment rests on, and say what to do about what is wrong.

    Settings, database, broker, collectors, evaluators, monitors and references, dead letters, clocks, alerts on their
    way out. Run it with the settings of a role, where that role runs. It changes nothing, and each part has five
    seconds. Exit code 0: all is well, 1: warnings, or something could not be checked, 2: failures.

    \b
    driftbell doctor
    driftbell doctor --json | jq '.checks[] | select(.condition == "failure")'
    """  # noqa: D301 - click reads \b
    logging.getLogger("kafka").addHandler(logging.NullHandler())  # what a client has to say is in its check
    reading = read_from_environment()
    checks = _without_secrets(make_examination(reading).run(), hidden_texts(reading.settings))
    if as_json:
        echo_json({"exit_code": exit_code_of(checks), "checks": checks})
    else:
        _print(checks)
    sys.exit(exit_code_of(checks))


def _without_secrets(checks: Iterable[Check], hidden: Sequence[str]) -> list[Check]:
    """Drivers and servers say what they were given."""

    def clean(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, HIDDEN)
        return text

    return [replace(check, sentence=clean(check.sentence), advice=clean(check.advice)) for check in checks]


def _print(checks: Sequence[Check]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for check in checks:
        console.print(_line(check, console))
    problems = problems_of(checks)
    if not problems:
        console.print(Text("All is well.", "green"))
        return
    console.print(Text(f"\n{len(problems):,} to look at, the worst last:"))
    for check in problems:
        console.print(_line(check, console))
        console.print(Text(f"    {visible(check.advice)}"))


def _line(check: Check, console: Console) -> Text:
    """A mark in its colour on a terminal that has it, else a word; names of events are no markup, and end no line."""
    mark, style = _MARKS[check.condition]
    shown = (
        mark
        if console.is_terminal and "utf" in console.encoding
        else f"{check.condition.value.replace('_', ' '):<11}"
    )
    return Text.assemble((shown, style), " ", (visible(check.name), "bold"), f": {visible(check.sentence)}")
