"""`driftbell top`: models, incidents and pipeline at one look, drawn anew every few seconds."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Event

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from service.cli.dead_letter_filters import database
from service.cli.json_lines import echo_json
from service.cli.keyboard import pressed_keys
from service.cli.live_frame import Room, frame_of
from service.cli.live_state import LiveState, look_at
from service.dead_letters.readable import visible
from service.errors import Unavailable
from service.opening import now_ms
from service.settings import load_from_environment
from service.stopping import stopping_on_signals

_PIPED_WIDTH = 120
_QUIT = {"q", "Q", "\x03", "\x04"}

Look = Callable[[], LiveState]


@click.command()
@click.option(
    "--every",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0.2, 3_600),
    help="Look again after so many seconds.",
)
@click.option("--once", is_flag=True, help="Print what there is now, and end.")
@click.option("--model", help="Only models whose name holds this.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object of what there is now.")
def top(every: float, model: str | None, *, once: bool, as_json: bool) -> None:
    """Watch everything in this terminal: models the worst first, open incidents, the pipeline. `q` ends it.

    A bar of the small line is a window: up to the limit six heights, above it two more. In a pipe each look is printed
    below the one before. It only reads the database.

    \b
    driftbell top
    driftbell top --model churn --every 10
    driftbell top --once
    driftbell top --json | jq '.models[] | select(.state != "well") | .model'
    """  # noqa: D301 - click reads \b
    with database(load_from_environment()) as engine:

        def look() -> LiveState:
            return look_at(engine, model, now_ms())

        if as_json:
            echo_json(look().document())
            return
        console = _console()
        if once:
            _print(console, look())
            return
        with stopping_on_signals() as stop:
            if console.is_terminal and not console.is_dumb_terminal:
                _watch(console, look, every, stop)
            else:
                _tell(console, look, every, stop)


def _console() -> Console:
    console = Console(highlight=False)
    if not sys.stdout.isatty():
        console = Console(
            highlight=False, width=shutil.get_terminal_size((_PIPED_WIDTH, 0)).columns, no_color=True
        )
    return console


def _room(console: Console) -> Room:
    return Room(console.width, plain="utf" not in console.encoding.lower())


def _print(console: Console, state: LiveState) -> None:
    console.print(frame_of(state, _room(console)), crop=False)


# ---------------------------------------------------------------- again and again
def _tell(console: Console, look: Look, every: float, stop: Event) -> None:
    """One look below the other, for a pipe."""
    while not stop.is_set():
        try:
            _print(console, look())
        except Unavailable as why:
            click.secho(f"driftbell: {why}", fg="red", err=True)
        console.print()
        stop.wait(every)


def _watch(console: Console, look: Look, every: float, stop: Event) -> None:
    """The whole screen, which is as it was before afterwards."""
    draw = partial(_drawn, console, every)
    last: LiveState | None = None
    with (
        pressed_keys(stop) as wait_for_key,
        Live(console=console, screen=True, auto_refresh=False, redirect_stderr=False) as live,
    ):
        while not stop.is_set():
            trouble = ""
            try:
                last = look()
            except Unavailable as why:
                trouble = str(why)
            live.update(draw(last, trouble), refresh=True)
            if wait_for_key(every) in _QUIT:
                return


def _drawn(console: Console, every: float, state: LiveState | None, trouble: str) -> Group:
    """The last look; where the database does not answer that is said above it, since what is below is old."""
    said = (
        [Text(f"NOT LIVE: {visible(trouble)}", "bold white on red", no_wrap=True, overflow="ellipsis")]
        if trouble
        else []
    )
    if state is None:
        return Group(*said)
    room = replace(_room(console), height=console.height - len(said))
    return Group(*said, frame_of(state, room, f"every {every:g} s, q ends it"))
