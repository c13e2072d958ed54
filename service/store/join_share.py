"""What waits to be joined is bounded: when a model has too much of it, half of the inference ids are joined no more.

The half is chosen by the ids' hashes, alike for predictions and labels, so that rates stay what they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from service.store.tables import join_share, waiting_label, waiting_prediction

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection

_BITS = 64
_TURNS = 100


@dataclass(frozen=True, slots=True)
class Share:
    """Of the ids a model joins one in 2**`halvings`; `waiting` rows wait, none from before `forgotten_ms`."""

    halvings: int = 0
    waiting: int = 0
    forgotten_ms: int = -(2**62)

    def has(self, ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of these ids are joined."""
        if not self.halvings:
            return np.ones(len(ids), np.bool_)
        return np.asarray(ids < np.uint64(2 ** (_BITS - self.halvings)))


def share_of(connection: Connection, model: str) -> Share:
    """As it was left."""
    c = join_share.c
    row = connection.execute(
        select(c.halvings, c.waiting, c.forgotten_ms).where(c.model == model)
    ).one_or_none()
    return Share() if row is None else Share(*row)


def keep_share(connection: Connection, model: str, share: Share, most: int) -> Share:
    """Write it down; where more waits than is allowed, halve it until it fits."""
    while share.waiting > most and share.halvings < _BITS // 2:
        share = replace(share, halvings=share.halvings + 1)
        share = replace(share, waiting=share.waiting - _drop_half(connection, model, share.halvings))
    values = {"halvings": share.halvings, "waiting": share.waiting, "forgotten_ms": share.forgotten_ms}
    statement = upsert(join_share).values(model=model, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[join_share.c.model], set_=values))
    return share


def _drop_half(connection: Connection, model: str, halvings: int) -> int:
    """Ids are hashes of 64 bits, stored as signed numbers: those with the first bit set are negative."""
    gone, bound = 0, 2 ** (_BITS - halvings)
    for table in (waiting_prediction, waiting_label):
        beyond = or_(table.c.id < 0, table.c.id >= bound) if halvings > 1 else table.c.id < 0
        gone += connection.execute(delete(table).where(table.c.model == model, beyond)).rowcount
    return gone


def forget(connection: Connection, model: str, share: Share, before_ms: int, wait_ms: int) -> Share:
    """Drop what has waited for too long, from time to time: predictions by their panes, labels by their times."""
    if before_ms < share.forgotten_ms + wait_ms // _TURNS:
        return share
    gone = 0
    for table, when in (
        (waiting_prediction, waiting_prediction.c.start_ms),
        (waiting_label, waiting_label.c.label_ms),
    ):
        gone += connection.execute(delete(table).where(table.c.model == model, when < before_ms)).rowcount
    return replace(share, waiting=share.waiting - gone, forgotten_ms=before_ms)
