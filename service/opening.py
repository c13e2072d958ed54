"""What every command begins with: the system clock and the database. All else it imports when it needs it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from service.errors import ConfigurationError
from service.store.engine import connect
from service.store.migrate import require_current

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.settings import Settings


def now_ms() -> int:
    """The system clock."""
    return time.time_ns() // 1_000_000


def make_engine(settings: Settings) -> Engine:
    """The database. Raises ConfigurationError when none is configured."""
    if settings.database.url is None:
        raise ConfigurationError(
            "no database is configured; set DRIFTBELL_DATABASE_URL to postgresql://user@host/database"
        )
    return connect(settings.database.url, settings.database.password)


def ready_engine(settings: Settings) -> Engine:
    """The database, migrated to what this version needs. Raises ConfigurationError or Unavailable."""
    engine = make_engine(settings)
    require_current(engine)
    return engine
