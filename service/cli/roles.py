"""The long-running roles: collect, evaluate, serve, and all three at once."""

from __future__ import annotations

import click

from service import runner
from service.cli.whole_numbers import WholeNumber
from service.opening import make_engine
from service.settings import load_from_environment
from service.store.migrate import migrate as migrate_database


@click.command()
def migrate() -> None:
    """Bring the database to the schema that this version needs.

    Safe to run again, and from several hosts at once.

    \b
    driftbell migrate
    """  # noqa: D301 - click reads \b
    engine = make_engine(load_from_environment())
    migrate_database(engine)
    click.echo("the database is current")


@click.command()
def collect() -> None:
    """Count events from Kafka into panes. Any number may run; they share the partitions.

    \b
    DRIFTBELL_KAFKA_TOPICS=inference-log driftbell collect
    """  # noqa: D301
    runner.run(load_from_environment(), {runner.Role.COLLECT})


@click.command()
def evaluate() -> None:
    """Score windows and fold alerts. Any number may run; they share the models.

    \b
    driftbell evaluate
    """  # noqa: D301
    runner.run(load_from_environment(), {runner.Role.EVALUATE})


@click.command()
@click.option("--host", help="Address to listen on (default: DRIFTBELL_HOST, 127.0.0.1).")
@click.option("--port", type=WholeNumber(1, 65535), help="Port to listen on (default: DRIFTBELL_PORT, 8765).")
def serve(host: str | None, port: int | None) -> None:
    """Serve the API, the pages and /metrics.

    \b
    driftbell serve
    driftbell serve --host 0.0.0.0 --port 8765
    """  # noqa: D301
    runner.run(load_from_environment(), {runner.Role.SERVE}, host=host, port=port)


@click.command()
@click.option("--host", help="Address to listen on (default: DRIFTBELL_HOST, 127.0.0.1).")
@click.option("--port", type=WholeNumber(1, 65535), help="Port to listen on (default: DRIFTBELL_PORT, 8765).")
def run(host: str | None, port: int | None) -> None:
    """Collect, evaluate and serve in one process, for one host.

    \b
    driftbell run
    """  # noqa: D301
    runner.run(load_from_environment(), set(runner.Role), host=host, port=port)
