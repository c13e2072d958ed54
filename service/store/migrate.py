"""Brings the database to the schema that this version of driftbell needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import migrations
from service.errors import ConfigurationError
from service.store.engine import make_durable, place_of, transaction

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


def migrate(engine: Engine, to: str = "head") -> None:
    """Upgrade the database; two at once wait for each other. Does nothing when it is current."""
    config = _config()
    with transaction(engine) as connection:
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
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL lock_timeout = '5min'"))


def require_current(engine: Engine) -> None:
    """Raises ConfigurationError unless the database's schema is the one that this version needs."""
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    with transaction(engine) as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != wanted:
        state = (
            "has no driftbell tables"
            if found is None
            else f"is at migration {found}, this version needs {wanted}"
        )
        raise ConfigurationError(f"the database {place_of(engine.url)} {state}; run `driftbell migrate`")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config
