"""API keys: made, listed and revoked by whoever has the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from service.cli import tables
from service.cli.json_lines import echo_json
from service.errors import ConfigurationError
from service.moments import time_at
from service.monitor import DAY_MS, MINUTE_MS
from service.opening import now_ms, ready_engine
from service.parsers import duration
from service.settings import load_from_environment
from service.store.keys import ApiKey, Scope, create_key, list_keys, revoke_key

if TYPE_CHECKING:
    from sqlalchemy import Engine

_COLUMNS = (
    *tables.whole("id"),
    *tables.texts("name", "scope"),
    *tables.whole("created", "last used", "state"),
)
_lifetime_ms = duration(MINUTE_MS, 3660 * DAY_MS)


@click.group()
def keys() -> None:
    """The keys that open the API, the pages and /metrics."""


@keys.command()
@click.option("--name", required=True, help="Who uses it: one key a person or program.")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.READ.value,
    show_default=True,
    help="What it may do; write includes read, admin both.",
)
@click.option("--expires", help="How long it opens anything, such as 90d (default: until it is revoked).")
def create(name: str, scope: str, expires: str | None) -> None:
    """Make a key and print it, this once: only its SHA-256 is kept.

    \b
    driftbell keys create --name grafana
    driftbell keys create --name anna --scope write --expires 90d
    """  # noqa: D301 - click reads \b
    lifetime = None if expires is None else _lifetime(expires)
    with _database() as engine:
        click.echo(create_key(engine, name, Scope(scope), time_at(now_ms()), lifetime))
    click.echo("Keep it: it is not shown again.", err=True)


@keys.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="For programs: a JSON object a line.")
def list_(as_json: bool) -> None:
    """Show all keys without their secrets, and which of them open anything.

    \b
    driftbell keys list
    """  # noqa: D301
    with _database() as engine:
        found = list_keys(engine)
    now = time_at(now_ms())
    if as_json:
        for key in found:
            echo_json(_document(key, now))
        return
    if not found:
        click.echo("there is no key; make one with `driftbell keys create --name me --scope read`")
        return
    tables.show(tables.table_of(_COLUMNS, (_cells(key, now) for key in found)))


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Close a key, named by its id, for good; logins that it opened end, too.

    \b
    driftbell keys revoke 3f9a1c0b7d42
    """  # noqa: D301
    with _database() as engine:
        known = revoke_key(engine, key_id, time_at(now_ms()))
    if not known:
        raise ConfigurationError(f"there is no key {key_id!r}; `driftbell keys list` shows their ids")
    click.echo(f"{key_id} opens nothing any more")


@contextmanager
def _database() -> Iterator[Engine]:
    engine = ready_engine(load_from_environment())
    try:
        yield engine
    finally:
        engine.dispose()


def _lifetime(text: str) -> timedelta:
    try:
        return timedelta(milliseconds=_lifetime_ms(text))
    except ValueError as advice:
        raise ConfigurationError(f"--expires is {text!r}; {advice}") from None


def _document(key: ApiKey, now: datetime) -> dict[str, object]:
    times = {name: getattr(key, name) for name in ("created_at", "last_used_at", "expires_at", "revoked_at")}
    return {"id": key.id, "name": key.name, "scopes": sorted(key.scopes), "state": _state(key, now), **times}


def _cells(key: ApiKey, now: datetime) -> tuple[str, ...]:
    scopes = ", ".join(sorted(key.scopes))
    return key.id, key.name, scopes, _time(key.created_at), _time(key.last_used_at), _state(key, now)


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {_time(key.revoked_at)}"
    if key.expires_at is None:
        return "open"
    return f"{'expired' if key.expires_at <= now else 'open until'} {_time(key.expires_at)}"


def _time(at: datetime | None) -> str:
    return "never" if at is None else at.strftime("%Y-%m-%d %H:%M")
