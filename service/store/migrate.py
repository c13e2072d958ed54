"""Brings the database to the schema that this version of driftbell needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import migrations
from service.errors import ConfigurationError
from service.store.engine import make_durable, place_of, take_time, transaction

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


def migrate(engine: Engine, to: str = "head") -> None:
    """Upgrade the database; two at once wait for each other. Does nothing when it is current.

    Raises ConfigurationError when it is of a later version than this one.
    """
    config = _config()
    with transaction(engine) as connection:
        if (found := _current(connection)) and found > _head():
            raise ConfigurationError(_of_later_version(engine, found))
        _take_time(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def downgrade(engine: Engine, to: str) -> None:
    """Take migrations back, and with them what only they can hold."""
    config = _config()
    with transaction(engine) as connection:
        _take_time(connection)
        config.attributes["connection"] = connection
        command.downgrade(config, to)


def _take_time(connection: Connection) -> None:
    """A migration may run longer than any statement of a loop, and wait longer for the one before it."""
    make_durable(connection)
    take_time(connection)


def require_current(engine: Engine) -> None:
    """Raises ConfigurationError unless the database's schema is the one that this version needs."""
    wanted = _head()
    with transaction(engine) as connection:
        found = _current(connection)
    if found is not None and found > wanted:
        raise ConfigurationError(_of_later_version(engine, found))
    if found != wanted:
        state = (
            "has no driftbell tables"
            if found is None
            else f"is at migration {found}, this version needs {wanted}"
        )
        raise ConfigurationError(f"the database {place_of(engine.url)} {state}; run `driftbell migrate`")


def schema_of(connection: Connection) -> tuple[str | None, str]:
    """The migration that the database is at (None: it has no tables of ours), and the one that this version needs."""
    return _current(connection), _head()


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _head() -> str:
    """The newest migration; their names are numbers of four digits, so that they sort."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _of_later_version(engine: Engine, found: str) -> str:
    place = place_of(engine.url)
    return (
        f"the database {place} is at migration {found}, which is of a later version: upgrade driftbell here"
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config
