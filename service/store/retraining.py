"""What the advice to train again rests on, and the advice itself: a row, and a message in the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, text

from service.labelling.retraining import CAUSES, Advice, Confirmed, Evidence, Labelled, Ringing
from service.messages import iso
from service.performance.delays import RIPE, delay_seconds
from service.store.tables import label_delay, outbox, retraining
from service.store.texts import storable

if TYPE_CHECKING:
    from sqlalchemy import Connection

ADVISED = "advised"
"""The state of such a message in the outbox."""
_CAUSES = [cause.value for cause in CAUSES]

# An alert that was told of with data is done with; one without is looked at again.
_CONFIRMED = text("""
    SELECT a.id, a.incident, a.model, a.version, a.cause, a.since_ms, a.summary, told.labels IS NOT NULL AS told
    FROM alert a
    LEFT JOIN LATERAL (SELECT max(r.labels) AS labels FROM retraining r
        WHERE r.model = a.model AND r.alert_id = a.id) told ON TRUE
    WHERE a.model = :model AND a.state = 'firing' AND a.cause = ANY(:causes) AND NOT a.consequence
        AND coalesce(told.labels, 0) = 0
    ORDER BY told.labels IS NOT NULL, coalesce(a.fired_ms, a.at_ms), a.id
    LIMIT 1
""")
_OTHERS = text("""
    SELECT since_ms, CASE WHEN state = 'resolved' THEN at_ms END AS until_ms FROM alert
    WHERE model = :model AND fired_ms IS NOT NULL AND NOT consequence AND cause <> ALL(:causes)
        AND (state <> 'resolved' OR at_ms > :since_ms)
""")
_WINDOWS = text("""
    SELECT p.start_ms, p.end_ms, sum(p.labels)::bigint AS labels, coalesce(bool_or(w.incomplete), false) AS incomplete
    FROM (SELECT version, start_ms, end_ms, max(n) AS labels FROM performance
        WHERE model = :model AND segment = '' AND "window" = :window AND basis = 'realized'
            AND start_ms >= :since_ms AND end_ms > :since_ms AND end_ms <= :until_ms
        GROUP BY version, start_ms, end_ms) p
    LEFT JOIN window_result w ON w.model = :model AND w.version = p.version AND w.segment = ''
        AND w."window" = :window AND w.end_ms = p.end_ms
    GROUP BY p.start_ms, p.end_ms
    ORDER BY p.start_ms
""")


def confirmed(connection: Connection, model: str) -> tuple[Confirmed, bool] | None:
    """The first alert that asks for another training and is not done with, and whether it was told of before."""
    row = connection.execute(_CONFIRMED, {"model": model, "causes": _CAUSES}).one_or_none()
    return None if row is None else (Confirmed(*row[:-1]), row.told)


def last_advice_ms(connection: Connection, model: str) -> int | None:
    """Event time of the newest advice for a model."""
    c = retraining.c
    query = select(c.at_ms).where(c.model == model).order_by(c.id.desc()).limit(1)
    return connection.execute(query).scalar()


def evidence_since(
    connection: Connection, model: str, window: str, since_ms: int, position_ms: int
) -> Evidence:
    """What is known of the data of windows of this kind since then."""
    found = select(label_delay.c.bin, label_delay.c.n).where(label_delay.c.model == model)
    delay = delay_seconds({row.bin: row.n for row in connection.execute(found)}, RIPE)
    delay_ms = None if delay is None else round(delay * 1000)
    values = {
        "model": model, "causes": _CAUSES, "window": window, "since_ms": since_ms, "until_ms": position_ms
    }  # fmt: skip
    return Evidence(
        tuple(Labelled(*row) for row in connection.execute(_WINDOWS, values)),
        tuple(Ringing(*row) for row in connection.execute(_OTHERS, values)),
        None if delay_ms is None else position_ms - delay_ms,
        delay_ms,
    )


def keep_advice(connection: Connection, advice: Advice) -> None:
    """Write it, and leave it for whoever hears of alerts."""
    why, summary = advice.why, storable(advice.summary)
    spans = [
        {"from_ms": span.from_ms, "until_ms": span.until_ms, "labels": span.labels} for span in advice.spans
    ]
    row = {
        "model": why.model, "version": why.version, "alert_id": why.alert_id, "incident": why.incident,
        "cause": why.cause, "since_ms": why.since_ms, "at_ms": advice.at_ms, "summary": summary, "spans": spans,
        "labels": advice.labels, "ready_ms": advice.ready_ms,
    }  # fmt: skip
    connection.execute(insert(retraining).values(row))
    message = {"alert_id": why.alert_id, "state": ADVISED, "message": _message(advice, summary)}
    connection.execute(insert(outbox).values(message))


def _message(advice: Advice, summary: str) -> dict[str, Any]:
    """In the words of an alert's message, so that one receiver can read both; `kind` tells them apart."""
    why = advice.why
    return {
        "kind": "retraining", "id": f"{why.alert_id}-retraining-{advice.at_ms}", "incident": why.incident,
        "state": ADVISED, "severity": "info", "cause": why.cause, "model": why.model, "version": why.version,
        "since": iso(why.since_ms), "at": iso(advice.at_ms), "summary": summary, "labels": advice.labels,
        "spans": [
            {"from": iso(span.from_ms), "until": iso(span.until_ms), "labels": span.labels} for span in advice.spans
        ],
        "ready": None if advice.ready_ms is None else iso(advice.ready_ms),
    }  # fmt: skip
