"""What people must hear of, waiting to be sent: written with the results, taken out when it was delivered.

A message that a silence keeps back waits aside and holds no other up; what is dropped was never attempted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from service.alerting.holding import Letter, settle
from service.messages import State
from service.store.engine import transaction
from service.store.incident_words import silences_in_force, silent_by
from service.store.tables import outbox

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Select


_MOST_NEW = 1_000
_OF_ALERTS = (State.FIRING.value, State.RESOLVED.value)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that was not delivered yet."""

    id: int
    attempts: int
    message: Mapping[str, Any]


class Outbox:
    """The messages of all models, oldest first. Each goes at least once; its `id` and `state` tell repeats."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def waiting(self, most: int = 10) -> list[Waiting]:
        """The oldest messages that were not delivered yet; few, since a slow receiver holds the evaluator up."""
        query = select(outbox.c.id, outbox.c.attempts, outbox.c.message).where(
            outbox.c.delivered_at.is_(None), outbox.c.held_at.is_(None)
        )
        with transaction(self._engine) as connection:
            return [Waiting(*row) for row in connection.execute(query.order_by(outbox.c.id).limit(most))]

    def hold_what_is_silent(self) -> list[Waiting]:
        """Keep back what a silence covers, and let go what one has kept; returns what is kept back from now on."""
        with transaction(self._engine) as connection:
            now = connection.execute(select(func.now())).scalar_one()
            holding = silences_in_force(connection, now)
            if not (holding or _holds_some(connection)):
                return []
            letters = _letters(connection)
            incidents = {one.incident: model for one, model in letters if one.incident}
            settled = settle([one for one, _ in letters], set(silent_by(connection, holding, incidents)))
            for ids, values in (
                (settled.hold, {"held_at": now}),
                (settled.release, {"held_at": None}),
                (settled.drop, {"delivered_at": now}),
            ):
                if ids:
                    connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(**values))
            kept = {one.id for one, _ in letters if not one.held} & {*settled.hold, *settled.drop}
            if not kept:
                return []
            query = select(outbox.c.id, outbox.c.attempts, outbox.c.message)
            held = query.where(outbox.c.id.in_(kept)).order_by(outbox.c.id)
            return [Waiting(*row) for row in connection.execute(held)]

    def delivered(self, message: Waiting) -> None:
        """Take a message out."""
        self._mark(message, delivered_at=func.now())

    def failed(self, message: Waiting) -> None:
        """Count an attempt; the message stays."""
        self._mark(message)

    def _mark(self, message: Waiting, **values: object) -> None:
        with transaction(self._engine) as connection:
            connection.execute(
                update(outbox)
                .where(outbox.c.id == message.id)
                .values(attempts=outbox.c.attempts + 1, **values)
            )


def _holds_some(connection: Connection) -> bool:
    held = select(outbox.c.id).where(outbox.c.delivered_at.is_(None), outbox.c.held_at.is_not(None))
    return connection.execute(held.limit(1)).first() is not None


def _letters(connection: Connection) -> list[tuple[Letter, str]]:
    """All that is held and the oldest of what is not, of alerts, in order, each with its model."""
    waits = _waiting_letters()
    held = waits.where(outbox.c.held_at.is_not(None))
    new = waits.where(outbox.c.held_at.is_(None)).order_by(outbox.c.id).limit(_MOST_NEW)
    found = [*connection.execute(held), *connection.execute(new)]
    return [(Letter(*row[:-1]), row[-1]) for row in sorted(found, key=lambda row: row.id)]


def _waiting_letters() -> Select[Any]:
    c, before, later = outbox.c, outbox.alias("before").c, outbox.alias("later").c
    was_sent = (before.delivered_at.is_not(None), before.attempts > 0)
    told = select(before.id).where(
        before.alert_id == c.alert_id, before.state == State.FIRING.value, *was_sent
    )
    superseded = select(later.id).where(
        later.alert_id == c.alert_id, later.id > c.id, later.state.in_(_OF_ALERTS)
    )
    incident, model, held = c.message["incident"].astext, c.message["model"].astext, c.held_at.is_not(None)
    return select(
        c.id,
        c.alert_id,
        c.state,
        func.coalesce(incident, ""),
        held,
        told.exists(),
        superseded.exists(),
        model,
    ).where(c.delivered_at.is_(None), c.state.in_(_OF_ALERTS))
