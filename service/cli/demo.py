"""The demo: all of driftbell in one terminal, or only the traffic that goes wrong."""

from __future__ import annotations

from pathlib import Path

import click

from service.cli.whole_numbers import WholeNumber
from service.demo.play import Wishes, play
from service.demo.send import send_traffic
from service.demo.terminal import Terminal
from service.settings import load_from_environment
from service.stopping import stopping_on_signals

_SPEED = click.option(
    "--speed", default=1.0, show_default=True, type=click.FloatRange(0.05, 50),
    help="So many times the events a second, and the script in so much less time.",
)  # fmt: skip


@click.command()
@_SPEED
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Minutes of traffic (default: until Ctrl-C).",
)
@click.option(
    "--port",
    default=8765,
    show_default=True,
    type=WholeNumber(1, 65535),
    help="Port of pages and metrics.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the database here (default: keep nothing).",
)
def demo(speed: float, minutes: float | None, port: int, folder: Path | None) -> None:
    """Watch two models break, in this terminal and on http://127.0.0.1:8765/.

    Needs neither Kafka nor Postgres: both come with it, and leave with it.

    \b
    driftbell demo
    driftbell demo --speed 2 --minutes 3
    """  # noqa: D301 - click reads \b
    with stopping_on_signals() as stop:
        play(Wishes(speed, minutes, port, folder), stop, Terminal())


@click.command(name="demo-traffic")
@_SPEED
@click.option("--forever", is_flag=True, help="Begin the script again when it has ended.")
def demo_traffic(speed: float, forever: bool) -> None:
    """Send the demo's traffic to the first topic of DRIFTBELL_KAFKA_TOPICS.

    With DRIFTBELL_DATABASE_URL the two models' references and monitors are stored first.

    \b
    driftbell demo-traffic --forever
    """  # noqa: D301 - click reads \b
    settings = load_from_environment()
    with stopping_on_signals() as stop:
        send_traffic(settings, stop, Terminal(), speed=speed, forever=forever)
