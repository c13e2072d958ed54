"""Which dead letters a command is about, and the database that it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from service.cli.times import ago_or_time
from service.cli.whole_numbers import WholeNumber
from service.messages import Reason
from service.opening import now_ms, ready_engine
from service.settings import load_from_environment
from service.store.dead_letters import DeadLetterFilter
from service.store.engine import transaction

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.settings import Settings

_REASONS = click.Choice([reason.value for reason in Reason])


@contextmanager
def database(settings: Settings) -> Iterator[Engine]:
    """The configured database, let go in the end. Raises ConfigurationError or Unavailable."""
    engine = ready_engine(settings)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def reading() -> Iterator[Connection]:
    """One transaction on it."""
    with database(load_from_environment()) as engine, transaction(engine) as connection:
        yield connection


def _when(_: click.Context, option: click.Parameter, text: str | None) -> int | None:
    """Milliseconds since 1970 of `2h` (ago) or an ISO 8601 time."""
    return None if text is None else ago_or_time(text, f"--{option.name}", now_ms())


_FILTERS = (
    click.option("--topic", help="Only of this topic."),
    click.option("--partition", type=WholeNumber(0, 2**31 - 1), help="Only of this partition."),
    click.option("--reason", type=_REASONS, help="Only with this reason.", metavar="REASON"),
    click.option("--since", callback=_when, help="Only seen after this: 2h (ago), or ISO 8601."),
    click.option("--until", callback=_when, help="Only seen before this."),
)


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options that choose letters, as one `wanted`."""

    @wraps(command)
    def call(
        topic: str | None, partition: int | None, reason: str | None, since: int | None, until: int | None,
        **others: Any,
    ) -> None:  # fmt: skip
        wanted = DeadLetterFilter(
            topic=topic, partition=partition, reason=reason, since_ms=since, until_ms=until
        )
        command(wanted, **others)

    for option in reversed(_FILTERS):
        call = option(call)
    return call
