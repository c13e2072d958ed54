"""Who runs a command, for what people are asked to answer for."""

from __future__ import annotations

import os
import pwd

import click


def _somebody() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in containers that know no users
        return f"user {os.getuid()}"


who_option = click.option(
    "--who", default=_somebody, help="Who says so (default: your name on this machine).", metavar="NAME"
)
why_option = click.option("--why", required=True, help="Why, in one line for whoever reads it later.")
