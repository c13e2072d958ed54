"""What programs read: a JSON object a line."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click


def echo_json(document: object) -> None:
    """Print it in one line; dataclasses are objects and times are ISO 8601, wherever they stand in it."""
    click.echo(json.dumps(document, default=_plain))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else asdict(value)
