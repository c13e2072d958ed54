"""Results of evaluation: written under a lease, one model at a time, all of a step in one transaction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from service.alerting.news import Told, untold
from service.messages import (
    Alert,
    Cause,
    Column,
    Evaluated,
    Finding,
    Loss,
    PaneRow,
    Role,
    Severity,
    SliceResult,
    State,
    Verdict,
    WindowKey,
    WindowTotal,
)
from service.store.checkpoint import loss_of, pane_row
from service.store.engine import transaction
from service.store.partitions import ensure_partitions, weeks_apart
from service.store.tables import (
    alert,
    evaluation,
    finding,
    fold_state,
    gap,
    outbox,
    pane,
    window_result,
    window_score,
)
from service.store.texts import storable
from service.store.window_scores import write_window_scores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Engine, RowMapping

LEASE = "30 seconds"
_window, _finding = window_result.c, finding.c


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a model's results until it expires or somebody else takes it."""

    model: str
    token: UUID
    position_ms: int | None = None


@contextmanager
def lease(engine: Engine, model: str, owner: str) -> Iterator[Lease | None]:
    """Take the model's lease, or None when another evaluator holds it; given back at the end."""
    token = uuid4()
    free = or_(evaluation.c.token.is_(None), evaluation.c.expires_at < func.now())
    expires = func.now() + text(f"interval '{LEASE}'")
    values = {"token": token, "owner": owner, "expires_at": expires}
    statement = upsert(evaluation).values(model=model, **values)
    with transaction(engine) as connection:
        taken = connection.execute(
            statement.on_conflict_do_update(index_elements=[evaluation.c.model], set_=values, where=free)
            .returning(evaluation.c.position_ms)
        ).first()  # fmt: skip
    if taken is None:
        yield None
        return
    try:
        yield Lease(model, token, taken.position_ms)
    finally:
        with transaction(engine) as connection:
            mine = (evaluation.c.model == model, evaluation.c.token == token)
            connection.execute(
                update(evaluation).where(*mine).values(token=None, owner=None, expires_at=None)
            )


def hold(connection: Connection, held: Lease, **also: int) -> None:
    """Keep the lease for this transaction and beyond it; raises LeaseLost when somebody else has it."""
    mine = (evaluation.c.model == held.model, evaluation.c.token == held.token)
    values = {"expires_at": func.now() + text(f"interval '{LEASE}'"), **also}
    if connection.execute(update(evaluation).where(*mine).values(values)).rowcount == 0:
        raise LeaseLost(held.model)


def keep_lease(engine: Engine, held: Lease) -> None:
    """Keep it while nothing is written; raises LeaseLost when somebody else has it."""
    with transaction(engine) as connection:
        hold(connection, held)


class LeaseLost(Exception):
    """Another evaluator has taken the model over; nothing was written."""


class PostgresResults:
    """`Results` of one model in Postgres."""

    def __init__(self, engine: Engine, held: Lease) -> None:
        self._engine = engine
        self._held = held
        self._model = held.model
        self._position_ms = held.position_ms

    def position_ms(self) -> int | None:
        return self._position_ms

    def pane_totals(self, since_ms: int) -> Mapping[int, int]:
        rows = func.sum(pane.c.inferences + pane.c.labels)
        query = (
            select(pane.c.start_ms, rows)
            .where(pane.c.model == self._model, pane.c.segment == "", pane.c.start_ms >= since_ms)
            .group_by(pane.c.start_ms)
        )
        with transaction(self._engine) as connection:
            return {start: int(total) for start, total in connection.execute(query)}

    def panes(self, start_ms: int, end_ms: int, segment: str | None = None) -> Iterable[PaneRow]:
        query = select(pane).where(
            pane.c.model == self._model, pane.c.start_ms >= start_ms, pane.c.start_ms < end_ms
        )
        if segment is not None:
            query = query.where(pane.c.segment == segment)
        order = (pane.c.start_ms, pane.c.topic, pane.c.partition, pane.c.version, pane.c.segment)
        with transaction(self._engine) as connection:
            return [pane_row(row) for row in connection.execute(query.order_by(*order)).mappings()]

    def window_totals(self, since_ms: int) -> Mapping[tuple[int, str], WindowTotal]:
        rows = func.sum(_window.inferences + _window.labels)
        query = (
            select(
                _window.end_ms,
                _window.window,
                rows,
                func.max(_window.revision),
                func.bool_or(_window.incomplete),
            )
            .where(_window.model == self._model, _window.segment == "", _window.end_ms > since_ms)
            .group_by(_window.end_ms, _window.window)
        )
        with transaction(self._engine) as connection:
            return {
                (end, name): WindowTotal(int(total), int(revision), incomplete)
                for end, name, total, revision, incomplete in connection.execute(query)
                if total
            }

    def stored(self, since_ms: int) -> Mapping[tuple[int, str], Sequence[SliceResult]]:
        with transaction(self._engine) as connection:
            windows = connection.execute(
                select(window_result).where(_window.model == self._model, _window.end_ms >= since_ms)
                .order_by(_window.end_ms, _window.version, _window.segment)
            ).mappings().all()  # fmt: skip
            findings = connection.execute(
                select(finding).where(_finding.model == self._model, _finding.end_ms >= since_ms)
                .order_by(_finding.end_ms, _finding.role, _finding.feature, _finding.method)
            ).mappings()  # fmt: skip
            by_key: dict[WindowKey, list[Finding]] = {}
            revisions: dict[WindowKey, int] = {}
            for row in findings:
                by_key.setdefault(_key(row), []).append(_finding_of(row))
                revisions[_key(row)] = row["revision"]
        made: dict[tuple[int, str], list[SliceResult]] = {}
        for row in windows:
            key = _key(row)
            result = SliceResult(
                key, row["inferences"], row["labels"], by_key.get(key, ()), row["revision"], row["incomplete"]
            )
            made.setdefault((key.end_ms, key.window), []).append(result)
        for key in by_key.keys() - {r.key for results in made.values() for r in results}:
            of_all = by_key[key]
            said = SliceResult(key, of_all[0].n, 0, of_all, revisions[key], aggregate=True)
            made.setdefault((key.end_ms, key.window), []).append(said)
        return made

    def state_before(self, end_ms: int) -> bytes | None:
        query = (
            select(fold_state.c.state)
            .where(fold_state.c.model == self._model, fold_state.c.end_ms < end_ms)
            .order_by(fold_state.c.end_ms.desc())
            .limit(1)
        )
        with transaction(self._engine) as connection:
            found = connection.execute(query).scalar()
        return None if found is None else bytes(found)

    def losses(self, since_ms: int) -> Sequence[Loss]:
        mine = select(pane.c.model).where(
            pane.c.topic == gap.c.topic, pane.c.partition == gap.c.partition, pane.c.model == self._model
        )
        reaches = gap.c.until_ms.is_(None) | (gap.c.until_ms >= since_ms)
        with transaction(self._engine) as connection:
            query = select(gap).where(reaches, mine.exists()).order_by(gap.c.offset)
            return [loss_of(row) for row in connection.execute(query).mappings()]

    def save(self, evaluated: Evaluated) -> None:
        """Raises LeaseLost when another evaluator has taken the model, and writes nothing then."""
        for first_ms, last_ms in weeks_apart([r.key.end_ms for r in evaluated.results]):
            ensure_partitions(self._engine, first_ms, last_ms)
        with transaction(self._engine) as connection:
            hold(connection, self._held, position_ms=evaluated.position_ms)
            _write_results(connection, evaluated.results)
            self._write_states(connection, evaluated)
            write_alerts(connection, evaluated.alerts)
        self._position_ms = evaluated.position_ms

    def _write_states(self, connection: Connection, evaluated: Evaluated) -> None:
        if not evaluated.states:
            return
        of_model = fold_state.c.model == self._model
        connection.execute(delete(fold_state).where(of_model, fold_state.c.end_ms >= evaluated.states[0][0]))
        rows = [{"model": self._model, "end_ms": end, "state": state} for end, state in evaluated.states]
        connection.execute(insert(fold_state), rows)
        kept = select(func.max(fold_state.c.end_ms)).where(
            of_model, fold_state.c.end_ms < evaluated.keep_states_after_ms
        )
        connection.execute(delete(fold_state).where(of_model, fold_state.c.end_ms < kept.scalar_subquery()))


def _write_results(connection: Connection, results: Sequence[SliceResult]) -> None:
    """Replace the results of these windows: a restated window leaves nothing of its former revision."""
    if not results:
        return
    windows = {(r.key.model, r.key.window, r.key.end_ms) for r in results}
    for table in (finding, window_result, window_score):
        connection.execute(
            delete(table).where(tuple_(table.c.model, table.c.window, table.c.end_ms).in_(sorted(windows)))
        )
    write_slices(connection, results)


def write_slices(connection: Connection, results: Sequence[SliceResult]) -> None:
    """The rows of slice windows of which nothing is stored."""
    slices = [_window_row(r) for r in results if not r.aggregate]
    if slices:
        connection.execute(insert(window_result), slices)
    rows = [_finding_row(r, f) for r in results for f in r.findings]
    if rows:
        connection.execute(insert(finding), rows)
    write_window_scores(connection, results)


def _window_row(result: SliceResult) -> dict[str, Any]:
    return {
        **result.key._asdict(), "inferences": result.inferences, "labels": result.labels, "revision": result.revision,
        "incomplete": result.incomplete,
    }  # fmt: skip


def _finding_row(result: SliceResult, f: Finding) -> dict[str, Any]:
    role, feature = f.column or ("", "")
    return {
        **result.key._asdict(), "role": str(role), "feature": feature, "method": f.method, "value": f.value,
        "limit": f.limit,
        "p_value": f.p_value, "n": f.n, "m": f.m, "resolution": f.resolution, "verdict": f.verdict.value,
        "reason": f.reason,
        "revision": result.revision,
    }  # fmt: skip


def _key(row: RowMapping) -> WindowKey:
    return WindowKey(
        row["model"], row["version"], row["segment"], row["window"], row["start_ms"], row["end_ms"]
    )


def _finding_of(row: RowMapping) -> Finding:
    column = Column(Role(row["role"]), row["feature"]) if row["role"] else None
    return Finding(
        column, row["method"], row["value"], row["limit"], row["p_value"], row["n"], row["m"], row["resolution"],
        Verdict(row["verdict"]), row["reason"],
    )  # fmt: skip


def write_alerts(connection: Connection, alerts: Sequence[Alert]) -> None:
    """The newest state of each alert as a row, and what people must hear of, but were not told yet, into the outbox."""
    alerts = [replace(a, summary=storable(a.summary)) for a in alerts]
    heard = [
        a for a in untold(_told(connection, alerts), alerts) if a.state is not State.PENDING and a.summary
    ]
    if alerts:
        newest = [_alert_row(a) for a in alerts]
        statement = upsert(alert)
        changing: dict[str, ColumnElement[Any]] = {
            name: statement.excluded[name] for name in newest[0] if name != "id"
        }
        changing["fired_ms"] = func.coalesce(alert.c.fired_ms, statement.excluded.fired_ms)
        statement = statement.on_conflict_do_update(
            index_elements=[alert.c.id], set_={**changing, "updated_at": func.now()}
        )
        connection.execute(statement, newest)
    if heard:
        rows = [{"alert_id": a.id, "state": a.state.value, "message": a.document()} for a in heard]
        connection.execute(insert(outbox), rows)


def _told(connection: Connection, alerts: Sequence[Alert]) -> dict[str, Told]:
    known = select(alert.c.id, alert.c.state, alert.c.cause, alert.c.severity)
    rows = connection.execute(known.where(alert.c.id.in_({a.id for a in alerts})))
    return {row.id: Told(State(row.state), Cause(row.cause), Severity(row.severity)) for row in rows}


def _storable(value: float | str) -> float | str | None:
    """What JSONB takes: no NUL, no lone surrogate, no NaN."""
    if isinstance(value, str):
        return storable(value)
    return value if math.isfinite(value) else None


def _alert_row(a: Alert) -> dict[str, Any]:
    return {
        "id": a.id, "incident": a.incident, "model": a.model, "version": a.version, "segment": a.segment,
        "window": a.window, "role": str(a.column.role) if a.column else "", "feature": a.feature or "", "rule": a.rule,
        "cause": a.cause.value,
        "severity": a.severity.value, "state": a.state.value, "since_ms": a.since_ms, "at_ms": a.at_ms,
        "summary": a.summary, "fired_ms": a.at_ms if a.state is State.FIRING else None,
        "consequence": a.consequence, "confidence": a.confidence,
        "evidence": {name: _storable(value) for name, value in a.evidence.items()},
    }  # fmt: skip
