"""Predictions that a person may be asked to label: left by collectors, chosen from by whoever holds the model's lease.

What is left of a pane goes once it was chosen from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from service.labelling.feedback import FeedbackKind
from service.messages import Candidate
from service.store.tables import feedback, feedback_candidate, feedback_course
from service.store.texts import storable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, RowMapping

    from service.labelling.feedback import Chosen
    from service.messages import Partition

_HALF, _ALL = 2**63, 2**64
EACH_PART = 64
"""So many predictions of a pane and partition are candidates: as many as a collector puts aside."""
_ROWS_AT_ONCE = 5_000
"""So many are forgotten in one transaction at most, well within the statement timeout."""

# Hashes are stored as signed numbers: those with the first bit set are negative, and the largest. They are read in the
# order of an index, and no further than is asked for. Whoever is labelled already, or was asked for, is left out.
_POOL = text("""
    SELECT c.* FROM feedback_candidate c
    WHERE c.model = :model AND c.start_ms >= :from_ms AND c.start_ms < :until_ms AND c.answer <> '{}'::jsonb
        AND NOT EXISTS (
            SELECT 1 FROM waiting_prediction w WHERE w.model = c.model AND w.id = c.id AND w.label_ms IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM feedback f WHERE f.model = c.model AND f.inference_id = c.inference_id)
    ORDER BY c.id < 0, c.id, c.ts_ms, topic, partition, "offset"
    LIMIT :most
""")

# After a restart a collector does not know how small the hashes were that it wrote before.
_DROP_BEYOND = text("""
    DELETE FROM feedback_candidate WHERE ctid = ANY(ARRAY(
        SELECT beyond.ctid
        FROM unnest(CAST(:models AS text[]), CAST(:starts AS bigint[])) AS written(model, start_ms),
            LATERAL (
                SELECT c.ctid FROM feedback_candidate c
                WHERE c.model = written.model AND c.start_ms = written.start_ms
                    AND c.topic = :topic AND c.partition = :partition
                ORDER BY c.id < 0, c.id, c."offset" OFFSET :each
            ) beyond
    ))
""")

# A row that a collector is about to drop is left to it: whoever waits for nobody cannot be in a deadlock.
_FORGET = text("""
    DELETE FROM feedback_candidate WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM feedback_candidate
        WHERE model = :model AND start_ms < :before_ms LIMIT :most FOR UPDATE SKIP LOCKED
    ))
""")


def add_candidates(connection: Connection, partition: Partition, candidates: Sequence[Candidate]) -> None:
    """Leave them, in the transaction of the checkpoint, and of each pane's part no more than those that count.

    An offset is reached twice only where the log was cut off.
    """
    rows = [
        {
            "topic": partition.topic, "partition": partition.number, "offset": one.offset, "model": one.model,
            "version": one.version, "start_ms": one.start_ms, "ts_ms": one.ts_ms,
            "id": one.priority - _ALL * (one.priority >= _HALF), "inference_id": storable(one.inference_id),
            "features": _storable(one.features), "answer": _storable(one.answer),
            "features_left_out": one.features_left_out,
        }
        for one in candidates
    ]  # fmt: skip
    statement = upsert(feedback_candidate)
    places = list(feedback_candidate.primary_key.columns)
    newest = {
        name: statement.excluded[name] for name in rows[0] if name not in feedback_candidate.primary_key
    }
    connection.execute(statement.on_conflict_do_update(index_elements=places, set_=newest), rows)
    _drop_beyond(connection, partition, sorted({(one.model, one.start_ms) for one in candidates}))


def _drop_beyond(connection: Connection, partition: Partition, panes: Sequence[tuple[str, int]]) -> None:
    models, starts = zip(*panes, strict=True)
    place = {"topic": partition.topic, "partition": partition.number}
    connection.execute(
        _DROP_BEYOND, place | {"models": list(models), "starts": list(starts), "each": EACH_PART}
    )


def _storable(cells: Mapping[str, float | str | None] | Mapping[str, float | str]) -> dict[str, object]:
    return {
        storable(name): storable(value) if isinstance(value, str) else value for name, value in cells.items()
    }


def chosen_until(connection: Connection, model: str) -> int | None:
    """Rows of panes that start before are chosen already; None: of none."""
    c = feedback_course.c
    return connection.execute(select(c.chosen_ms).where(c.model == model)).scalar()


def first_candidate_ms(connection: Connection, model: str, since_ms: int | None) -> int | None:
    """The first pane since then that has candidates."""
    c = feedback_candidate.c
    query = select(func.min(c.start_ms)).where(c.model == model)
    return connection.execute(query if since_ms is None else query.where(c.start_ms >= since_ms)).scalar()


def pool(connection: Connection, model: str, span_ms: tuple[int, int], most: int) -> list[Candidate]:
    """Those with the smallest hashes of the panes that start in the span, at most so many."""
    from_ms, until_ms = span_ms
    values = {"model": model, "from_ms": from_ms, "until_ms": until_ms, "most": most}
    return [_candidate(row) for row in connection.execute(_POOL, values).mappings()]


def _candidate(row: RowMapping) -> Candidate:
    return Candidate(
        row["model"], row["version"], row["start_ms"], row["ts_ms"], row["offset"], row["id"] % _ALL,
        row["inference_id"], _cells(row["features"]), _cells(row["answer"]), row["features_left_out"],
    )  # fmt: skip


def _cells(stored: Mapping[str, object]) -> dict[str, float | str]:
    """JSON of Postgres forgets that a number was no integer."""
    return {name: float(value) if isinstance(value, int) else value for name, value in stored.items()}  # type: ignore[misc]


def spent(connection: Connection, model: str, from_ms: int, until_ms: int) -> dict[FeedbackKind, int]:
    """How many rows were chosen of the windows that ended after `from_ms`, and before `until_ms`."""
    c = feedback.c
    mine = (c.model == model, c.end_ms > from_ms, c.end_ms < until_ms)
    query = select(c.kind, func.count().label("chosen")).where(*mine).group_by(c.kind)
    return {FeedbackKind(row.kind): row.chosen for row in connection.execute(query)}


def keep_chosen(
    connection: Connection, model: str, window: str, end_ms: int, chosen: Sequence[Chosen]
) -> None:
    """Write what was chosen of a window; candidates that start before its end are looked at no more."""
    rows = [
        {
            "model": model, "version": one.candidate.version, "window": window, "end_ms": end_ms,
            "kind": one.kind.value, "inference_id": one.candidate.inference_id, "ts_ms": one.candidate.ts_ms,
            "features": dict(one.candidate.features), "answer": dict(one.candidate.answer), "value": one.value,
            "why": storable(one.why), "features_left_out": one.candidate.features_left_out,
        }
        for one in chosen
    ]  # fmt: skip
    if rows:
        connection.execute(insert(feedback), rows)
    statement = upsert(feedback_course).values(model=model, chosen_ms=end_ms)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[feedback_course.c.model], set_={"chosen_ms": end_ms})
    )


def forget_candidates(connection: Connection, model: str, before_ms: int | None = None) -> bool:
    """Drop some of a model's candidates, of panes that start before or of all; whether there may be more."""
    values = {
        "model": model,
        "before_ms": _HALF - 1 if before_ms is None else before_ms,
        "most": _ROWS_AT_ONCE,
    }
    return connection.execute(_FORGET, values).rowcount == _ROWS_AT_ONCE
