"""What to do with a halted partition."""

from __future__ import annotations

import click

from service.settings import load_from_environment
from service.store.checkpoint import reset_partitions, resume_partitions
from service.wiring import ready_engine


@click.group()
def partitions() -> None:
    """The partitions that collectors read."""


@partitions.command()
@click.argument("topic")
@click.confirmation_option(
    prompt="Forget the positions of all partitions of this topic, and read it from its start?"
)
def reset(topic: str) -> None:
    """Forget a topic's positions after it was deleted and made again. Panes that were counted stay.

    \b
    driftbell partitions reset inference-log
    """  # noqa: D301 - click reads \b
    count = reset_partitions(ready_engine(load_from_environment()), topic)
    click.echo(f"{topic}: {count} partitions forgotten")


@partitions.command()
@click.argument("topic")
def resume(topic: str) -> None:
    """Let the halted partitions of a topic go on where they stopped, once you know why they did.

    \b
    driftbell partitions resume inference-log
    """  # noqa: D301
    count = resume_partitions(ready_engine(load_from_environment()), topic)
    click.echo(f"{topic}: {count} partitions go on")
