"""The settings, as the environment gives them."""

from __future__ import annotations

import click

from service.cli.json_lines import echo_json
from service.settings import SETTINGS


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: a JSON object a line.")
def settings(as_json: bool) -> None:
    """List every setting: its variable, default and meaning.

    \b
    driftbell settings
    DRIFTBELL_KAFKA_TOPICS=inference-log driftbell collect
    """  # noqa: D301 - click reads \b
    if as_json:
        for one in SETTINGS:
            echo_json({"name": one.name, "default": one.default, "help": one.help})
        return
    for one in SETTINGS:
        default = f" [{one.default}]" if one.default else ""
        click.secho(one.name, bold=True, nl=False)
        click.echo(f"{default}\n    {one.help}")
