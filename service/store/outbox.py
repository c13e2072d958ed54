"""What people must hear of, waiting to be sent: written with the results, taken out when it was delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from service.store.engine import transaction
from service.store.tables import outbox

if TYPE_CHECKING:
    from sqlalchemy import Engine


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
            outbox.c.delivered_at.is_(None)
        )
        with transaction(self._engine) as connection:
            return [Waiting(*row) for row in connection.execute(query.order_by(outbox.c.id).limit(most))]

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
