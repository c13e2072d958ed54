"""What to do with a halted partition."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from service.cli.dead_letter_filters import database
from service.cli.known_names import require_topic
from service.plurals import counted
from service.settings import load_from_environment
from service.store.engine import transaction
from service.store.partition_rows import reset_partitions, resume_partitions

if TYPE_CHECKING:
    from sqlalchemy import Engine


@click.group()
def partitions() -> None:
    """The partitions that collectors read."""


@partitions.command()
@click.argument("topic")
@click.option(
    "--recount", is_flag=True, help="Forget what was counted of the topic, too: its records are read again."
)
@click.confirmation_option(
    prompt="Forget the positions of all partitions of this topic, and read it from its start?"
)
def reset(topic: str, recount: bool) -> None:
    """Forget a topic's positions after it was deleted and made again. What was counted of the old one stays.

    With --recount that is forgotten, too: for the same records, which would be counted twice otherwise.

    \b
    driftbell partitions reset inference-log
    driftbell partitions reset inference-log --recount
    """  # noqa: D301 - click reads \b
    with _known(topic) as engine:
        count = reset_partitions(engine, topic, recount=recount)
    click.echo(f"{topic}: {counted(count, 'partition')} forgotten")


@partitions.command()
@click.argument("topic")
def resume(topic: str) -> None:
    """Let the halted partitions of a topic go on where they stopped, once you know why they did.

    However many of the records are dead letters, they are read on until a stretch is good again.

    \b
    driftbell partitions resume inference-log
    """  # noqa: D301
    with _known(topic) as engine:
        count = resume_partitions(engine, topic)
    click.echo(f"{topic}: {counted(count, 'partition goes', 'partitions go')} on")


@contextmanager
def _known(topic: str) -> Iterator[Engine]:
    """The database, in which there is such a topic. Raises ConfigurationError or Unavailable."""
    with database(load_from_environment()) as engine:
        with transaction(engine) as connection:
            require_topic(connection, topic)
        yield engine
