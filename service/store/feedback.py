"""What was chosen to be labelled, and the advice to train again: listed for people, and waiting for the topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from service.labelling.delivery import Unsent
from service.messages import iso
from service.store.engine import transaction
from service.store.paging import Chunk, Order, Paging, columns_of
from service.store.tables import feedback, retraining

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, RowMapping, Select, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackFilter:
    """Which rows (None: any); those of windows that ended after `since_ms`."""

    model: str | None = None
    kind: str | None = None
    since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """A prediction that a person should label."""

    id: int
    model: str
    version: str
    window: str
    end_ms: int
    kind: str
    inference_id: str
    ts_ms: int
    features: Mapping[str, Any]
    features_left_out: bool
    answer: Mapping[str, Any]
    value: float | None
    why: str
    chosen_at: datetime
    sent_at: datetime | None
    refused_at: datetime | None


@dataclass(frozen=True, slots=True)
class RetrainingRow:
    """The advice to train a model again; `ready_ms`: from when on there may be data for it, where there are none."""

    id: int
    model: str
    version: str
    alert_id: str
    incident: str
    cause: str
    since_ms: int
    at_ms: int
    summary: str
    spans: Sequence[Mapping[str, int]]
    labels: int
    ready_ms: int | None
    created_at: datetime
    sent_at: datetime | None
    refused_at: datetime | None


def list_feedback(connection: Connection, wanted: FeedbackFilter, paging: Paging) -> Chunk[FeedbackRow]:
    """Rows to label, the newest first."""
    c = feedback.c
    rows = select(*columns_of(feedback, FeedbackRow))
    for name, value in (("model", wanted.model), ("kind", wanted.kind)):
        rows = rows if value is None else rows.where(c[name] == value)
    if wanted.since_ms is not None:
        rows = rows.where(c.end_ms > wanted.since_ms)
    return Order((c.id,)).read(connection, rows, paging, lambda row: FeedbackRow(**row))


def list_retraining(connection: Connection, model: str | None, paging: Paging) -> Chunk[RetrainingRow]:
    """Advice to train again, the newest first."""
    rows = select(*columns_of(retraining, RetrainingRow))
    rows = rows if model is None else rows.where(retraining.c.model == model)
    return Order((retraining.c.id,)).read(connection, rows, paging, lambda row: RetrainingRow(**row))


class FeedbackQueue:
    """`service.labelling.delivery.Queue` in Postgres."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unsent(self, most: int) -> Sequence[Unsent]:
        with transaction(self._engine) as connection:
            rows = [
                Unsent("feedback", row["id"], row["model"], feedback_document(FeedbackRow(**row)))
                for row in connection.execute(_waiting(feedback, FeedbackRow, most)).mappings()
            ]
            advice = connection.execute(_waiting(retraining, RetrainingRow, most - len(rows))).mappings()
            return rows + [_advised(row) for row in advice]

    def sent(self, rows: Sequence[Unsent]) -> None:
        self._mark("sent_at", rows)

    def refused(self, rows: Sequence[Unsent]) -> None:
        self._mark("refused_at", rows)

    def _mark(self, column: str, rows: Sequence[Unsent]) -> None:
        with transaction(self._engine) as connection:
            for table in (feedback, retraining):
                ids = [one.id for one in rows if one.kind == table.name]
                if ids:
                    connection.execute(update(table).where(table.c.id.in_(ids)).values({column: func.now()}))


def _waiting(table: Table, row_class: type[Any], most: int) -> Select[Any]:
    rows = select(*columns_of(table, row_class)).where(
        table.c.sent_at.is_(None), table.c.refused_at.is_(None)
    )
    return rows.order_by(table.c.id).limit(most)


def _advised(row: RowMapping) -> Unsent:
    return Unsent("retraining", row["id"], row["model"], retraining_document(RetrainingRow(**row)))


def feedback_document(row: FeedbackRow) -> dict[str, Any]:
    """The row as the topic has it: what the API answers, with times as ISO 8601 beside."""
    values = {name: value for name, value in asdict(row).items() if name not in _OURS}
    return {"type": "feedback", **values, "ts": iso(row.ts_ms), "end": iso(row.end_ms)}


def retraining_document(row: RetrainingRow) -> dict[str, Any]:
    """The advice as the topic has it."""
    values = {name: value for name, value in asdict(row).items() if name not in _OURS}
    return {"type": "retraining", **values, "since": iso(row.since_ms), "at": iso(row.at_ms)}


_OURS = {"chosen_at", "created_at", "sent_at", "refused_at"}
