"""The settings, as the environment gives them."""

from __future__ import annotations

import click

from service.settings import SETTINGS


@click.command()
def settings() -> None:
    """List every setting: its variable, default and meaning.

    \b
    driftbell settings
    DRIFTBELL_KAFKA_TOPICS=inference-log driftbell collect
    """  # noqa: D301 - click reads \b
    for one in SETTINGS:
        default = f" [{one.default}]" if one.default else ""
        click.secho(one.name, bold=True, nl=False)
        click.echo(f"{default}\n    {one.help}")
