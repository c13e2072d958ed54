"""The newest version of one model's configuration, without reading those of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from service.configuration import ModelVersion
from service.monitor_file import parse_monitors
from service.sketches.codec import grid_from_bytes
from service.store.engine import transaction
from service.store.tables import grid, model_version

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine


def latest_version(engine: Engine, model: str) -> ModelVersion | None:
    """As it was stored last; None for an unknown model."""
    with transaction(engine) as connection:
        return _newest(connection, model_version.c.model == model)


def version_at(connection: Connection, model: str, ts_ms: int) -> ModelVersion | None:
    """The one in force at an event time; None for an unknown model, and before its first version."""
    c = model_version.c
    return _newest(connection, c.model == model, c.since_ms <= ts_ms)


def _newest(connection: Connection, *of: ColumnElement[bool]) -> ModelVersion | None:
    c = model_version.c
    query = select(c.model, c.monitor, c.number, c.since_ms, c.reference_name, grid.c.definition)
    query = query.join(grid, grid.c.id == c.grid_id).where(*of).order_by(c.number.desc()).limit(1)
    row = connection.execute(query).first()
    if row is None:
        return None
    monitor = parse_monitors(row.monitor, f"stored monitor {row.model}")[0]
    return ModelVersion(
        monitor, grid_from_bytes(row.definition), row.number, row.since_ms, row.reference_name
    )
