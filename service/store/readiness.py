"""What the monitoring of one model has left behind, for its score: findings, labels, references, alerts sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text

from service.errors import ConfigurationError
from service.moments import ms_of
from service.monitor import Monitor
from service.monitor_file import parse_monitors
from service.performance.delays import ripe_after_ms
from service.performance.windows import REALIZED
from service.readiness.freshness import LABELLED_EVERY_MS, stale_ms, told_ms
from service.readiness.notification import Outbox, Pushed
from service.readiness.readiness import Compared, Known, Seen, Trace
from service.readiness.rubric import ERRORS
from service.store.acceptance import acceptances_of
from service.store.queries import find_model, find_reference
from service.store.standing import alertmanagers_within, outbox_within
from service.store.tables import label_delay, window_result

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.monitor import WindowSpec
    from service.store.queries import ModelRow

# Of each method, and of each rule of a contract by its name, the newest window with a verdict.
_NEWEST = """
    SELECT DISTINCT ON (role, method, name) role, method, "window", end_ms, n, columns, name
    FROM (
        SELECT role, method, "window", CASE WHEN role = 'rule' THEN feature ELSE '' END AS name, end_ms,
            max(n) AS n, count(DISTINCT feature) AS columns
        FROM finding
        WHERE model = :model AND segment = '' AND "window" = :window AND verdict <> 'too_little_data'
            AND end_ms > :after_ms AND end_ms <= :until_ms AND {chosen}
        GROUP BY role, method, "window", name, end_ms
    ) of_windows
    ORDER BY role, method, name, end_ms DESC
"""
_FINDINGS = text(_NEWEST.format(chosen="method <> :errors"))
_ERRORS = text(
    _NEWEST.format(chosen="method = :errors AND role = '' AND feature = '' AND version = ANY(:versions)")
)

_JUDGEMENTS = text("""
    SELECT DISTINCT ON (method, "window") '' AS role, method, "window", end_ms, n
    FROM performance_finding
    WHERE model = :model AND segment = '' AND n > 0 AND verdict <> 'too_little_data' AND end_ms > :after_ms
    ORDER BY method, "window", end_ms DESC, n DESC
""")

_MEASUREMENT = text("""
    SELECT '' AS role, metric, "window", end_ms, n FROM performance
    WHERE model = :model AND segment = '' AND basis = :realized AND value IS NOT NULL AND end_ms > :after_ms
    ORDER BY end_ms DESC, n DESC, metric LIMIT 1
""")


def known_of(connection: Connection, model: str, now_ms: int) -> Known | None:
    """What is known of one model now; None when there is none of this name."""
    row = find_model(connection, now_ms, model)
    if row is None:
        return None
    monitor = _monitor_of(row)
    after_ms, ripe_after_ms = now_ms - told_ms(monitor), _ripe_after_ms(connection, model)
    newest = {spec: _newest_end(connection, model, spec, after_ms) for spec in monitor.windows}
    ends = {spec: end_ms for spec, end_ms in newest.items() if end_ms is not None}
    return Known(
        monitor, now_ms, _reference(connection, row),
        tuple(trace for spec, end_ms in ends.items() for trace in _traces(connection, monitor, row, spec, end_ms)),
        tuple(_judgements(connection, model, after_ms - ripe_after_ms)),
        _measurement(connection, model, after_ms - ripe_after_ms),
        tuple(_versions(connection, row, ends)), row.last_label_ms, ripe_after_ms,
    )  # fmt: skip


def outbox_of(connection: Connection) -> Outbox:
    """How alerts leave: when one did last, how many were tried and wait, and which Alertmanagers take incidents."""
    seen = outbox_within(connection)
    now_ms, told = alertmanagers_within(connection)
    pushed = tuple(Pushed(one.name, one.reached_ms, one.takes_them(now_ms)) for one in told)
    return Outbox(seen.left_ms, seen.tried, seen.tried_since_ms, pushed)


def _monitor_of(row: ModelRow) -> Monitor:
    """The stored monitor; the defaults where an older driftbell wrote what we cannot read."""
    try:
        found = parse_monitors(row.monitor, row.model)
    except ConfigurationError:
        found = ()
    return next((one for one in found if one.model == row.model), Monitor(row.model))


# ---------------------------------------------------------------- findings
def _newest_end(connection: Connection, model: str, spec: WindowSpec, after_ms: int) -> int | None:
    c = window_result.c
    ends = select(c.end_ms).where(c.model == model, c.window == spec.name, c.end_ms > after_ms)
    found: int | None = connection.execute(ends.order_by(c.end_ms.desc()).limit(1)).scalar()
    return found


def _traces(
    connection: Connection, monitor: Monitor, row: ModelRow, spec: WindowSpec, end_ms: int
) -> list[Trace]:
    """Of the last windows of a kind; of what labels say, of a day."""
    back_ms = stale_ms(spec, monitor)
    asked = {"model": monitor.model, "window": spec.name, "until_ms": end_ms, "errors": ERRORS}
    others = connection.execute(_FINDINGS, asked | {"after_ms": end_ms - back_ms})
    of_labels = {"after_ms": end_ms - max(back_ms, LABELLED_EVERY_MS), "versions": list(row.versions)}
    return [Trace(*one) for one in (*others, *connection.execute(_ERRORS, asked | of_labels))]


def _judgements(connection: Connection, model: str, after_ms: int) -> list[Trace]:
    """The newest findings about labelled predictions, of each method and kind of window."""
    return [Trace(*one) for one in connection.execute(_JUDGEMENTS, {"model": model, "after_ms": after_ms})]


def _measurement(connection: Connection, model: str, after_ms: int) -> Trace | None:
    """The newest metric that labels gave."""
    asked = {"model": model, "realized": REALIZED, "after_ms": after_ms}
    one = connection.execute(_MEASUREMENT, asked).first()
    return None if one is None else Trace(*one)


def _ripe_after_ms(connection: Connection, model: str) -> int:
    counts = select(label_delay.c.bin, label_delay.c.n).where(label_delay.c.model == model)
    return ripe_after_ms({one.bin: one.n for one in connection.execute(counts)}) or 0


# ---------------------------------------------------------------- references and versions
def _reference(connection: Connection, row: ModelRow) -> Compared | None:
    if row.reference_name is None:
        return None
    stored = find_reference(connection, row.reference_name)
    if stored is None:
        return None
    accepted = (
        one
        for one in acceptances_of(connection, row.model)
        if one.name == stored.name and one.from_ms is not None
    )
    by = next((one.who for one in accepted), None)
    return Compared(stored.name, stored.rows, ms_of(stored.created_at), by)


def _versions(connection: Connection, row: ModelRow, ends: dict[WindowSpec, int]) -> list[Seen]:
    """Versions of late, and the start of the first window of each that is stored; by the key, one row of each."""
    if not ends:
        return []
    spec, c = min(ends, key=lambda one: one.length_ms), window_result.c
    of_kind = c.model == row.model, c.segment == "", c.window == spec.name, c.inferences > 0
    first = select(c.end_ms).where(*of_kind).order_by(c.end_ms).limit(1)
    found = {
        version: connection.execute(first.where(c.version == version)).scalar()
        for version in sorted(row.versions)
    }
    return [Seen(version, end - spec.length_ms) for version, end in found.items() if end is not None]
