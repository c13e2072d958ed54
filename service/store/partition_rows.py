"""What a person decides about a topic's partitions: go on, or begin anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, update

from service.store.engine import make_durable, transaction
from service.store.tables import dead_letter, feedback_candidate, gap, pane, pane_ids, source_partition

if TYPE_CHECKING:
    from sqlalchemy import Engine

_row = source_partition.c
_MORE = ("lost", "holes", "truncated", "jumps", "deaths")


def resume_partitions(engine: Engine, topic: str) -> int:
    """Let halted partitions of a topic go on where they stopped, once a person has looked. Returns how many.

    However many records are dead letters, they are read on until a stretch is good again.
    """
    with transaction(engine) as connection:
        make_durable(connection)
        return connection.execute(
            update(source_partition).where(_row.topic == topic, _row.halted.is_not(None))
            .values(halted=None, owner=None, claim_token=None, deaths=0, dead_accepted=True, updated_at=func.now())
        ).rowcount  # fmt: skip


FROM_START = -1
"""The position of a partition that is to be read from the log's start, wherever that is when it is claimed."""
has_position = _row.next_offset > FROM_START
"""Whether a partition was claimed since it was reset."""


def reset_partitions(engine: Engine, topic: str, *, recount: bool = False) -> int:
    """Forget the positions of all partitions of a topic, halted ones too. Returns how many there were.

    What was counted stays, which is right for a topic that was made anew. `recount`: it goes too, which is right for
    reading the same records again. Predictions that rows to label were not chosen from yet go with their offsets.
    """
    nothing = dict.fromkeys(("accepted", "duplicate", "late", "dead", "tombstone", *_MORE), 0)
    gone = dict.fromkeys(
        ("topic_id", "highest_ms", "halted", "owner", "claim_token", "idle_since", "trying_offset")
    )
    with transaction(engine) as connection:
        make_durable(connection)
        for table in (pane_ids, gap, feedback_candidate, *((pane, dead_letter) if recount else ())):
            connection.execute(delete(table).where(table.c.topic == topic))
        return connection.execute(
            update(source_partition).where(_row.topic == topic)
            .values(next_offset=FROM_START, first_offset=FROM_START, updated_at=func.now(), **nothing, **gone)
        ).rowcount  # fmt: skip
