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
    from sqlalchemy import Connection, Engine


def latest_version(engine: Engine, model: str) -> ModelVersion | None:
    """As it was stored last; None for an unknown model."""
    c = model_version.c
    query = select(c.model, c.monitor, c.number, c.since_ms, c.reference_name, grid.c.definition)
    query = query.join(grid, grid.c.id == c.grid_id).where(c.model == model)
    with transaction(engine) as connection:
        row = connection.execute(query.order_by(c.number.desc()).limit(1)).first()
    if row is None:
        return None
    monitor = parse_monitors(row.monitor, f"stored monitor {row.model}")[0]
    return ModelVersion(
        monitor, grid_from_bytes(row.definition), row.number, row.since_ms, row.reference_name
    )


def reference_name_at(connection: Connection, model: str, ts_ms: int) -> str | None:
    """The reference in force at an event time; None where there is none, and before the model's first version."""
    c = model_version.c
    query = select(c.reference_name).where(c.model == model, c.since_ms <= ts_ms)
    return connection.execute(query.order_by(c.number.desc()).limit(1)).scalar()
