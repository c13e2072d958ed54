"""Monitors saved by a person who has looked at the stored ones, or looked at as if they were saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from service.configuration import ALWAYS_MS
from service.store.configuration import apply_within, only_we_configure
from service.store.engine import transaction
from service.store.queries import MonitorRow, find_monitor
from service.store.tables import model_version

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.monitor import Monitor


@dataclass(frozen=True, slots=True)
class Saved:
    """What became, or would become, of one monitor: its number, and the event time from which on it holds.

    A `since_ms` of None: from the model's first event on. `before` is what was stored until then.
    """

    model: str
    action: str
    number: int
    since_ms: int | None
    before: MonitorRow | None


def save_monitors(
    engine: Engine, monitors: Sequence[Monitor], expected: Mapping[str, int], now_ms: int
) -> tuple[Saved, ...] | MonitorRow:
    """Save all in one transaction, or nothing and give the stored monitor that is not of the number expected of it."""
    with transaction(engine) as connection:
        only_we_configure(connection)
        stored = {one.model: find_monitor(connection, one.model) for one in monitors}
        for model, number in expected.items():
            row = stored.get(model)
            if row is not None and row.number != number:
                return row
        return _applied(connection, monitors, stored, now_ms)


def look_at_monitors(engine: Engine, monitors: Sequence[Monitor], now_ms: int) -> tuple[Saved, ...]:
    """What saving them now would come to; nothing is kept."""
    with transaction(engine) as connection:
        only_we_configure(connection)
        stored = {one.model: find_monitor(connection, one.model) for one in monitors}
        with connection.begin_nested() as attempt:
            found = _applied(connection, monitors, stored, now_ms)
            attempt.rollback()
        return found


def _applied(
    connection: Connection, monitors: Sequence[Monitor], stored: Mapping[str, MonitorRow | None], now_ms: int
) -> tuple[Saved, ...]:
    applied = apply_within(connection, monitors, (), now_ms)
    row = model_version.c
    numbers = select(row.model, row.number).where(row.model.in_([one.model for one in applied]))
    found = connection.execute(numbers.order_by(row.model, row.number))
    newest = {one.model: one.number for one in found}
    return tuple(
        Saved(
            one.model,
            one.action,
            newest[one.model],
            None if one.since_ms == ALWAYS_MS else one.since_ms,
            stored[one.model],
        )
        for one in applied
    )
