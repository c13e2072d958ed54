"""How far the performance of a model is judged, what was found in it, and the states to go on from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from service.alerting.rules import OUTCOMES
from service.alerting.state import Incident
from service.messages import Cause, Role, Severity, State
from service.performance.label_bias import Kind
from service.store.outcomes import tell_performance
from service.store.results import write_alerts
from service.store.tables import (
    alert,
    join_share,
    label_delay,
    outcome,
    performance_course,
    performance_finding,
    performance_state,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.evaluation.ripe import Judged
    from service.messages import SliceResult

# Ids are hashes: a range of them is a sample, and the primary key finds it without reading all that waits.
_KINDS = text("""
    WITH predicted AS MATERIALIZED (
        SELECT class, score, value, label_ms IS NOT NULL AS labelled FROM waiting_prediction
        WHERE model = :model AND id BETWEEN 0 AND :last_id AND start_ms >= :start_ms AND start_ms < :end_ms
    ), tenths AS MATERIALIZED (
        SELECT percentile_disc(ARRAY[.1, .2, .3, .4, .5, .6, .7, .8, .9]) WITHIN GROUP (ORDER BY value) AS at
        FROM predicted WHERE value <> 'NaN'
    )
    SELECT class, CASE WHEN score <> 'NaN' THEN width_bucket(score, 0, 1, 10) END AS score,
        CASE WHEN value <> 'NaN' THEN width_bucket(value, tenths.at) END AS value,
        count(*) FILTER (WHERE labelled) AS labelled, count(*) FILTER (WHERE NOT labelled) AS unlabelled
    FROM predicted CROSS JOIN tenths GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")
_LARGEST_ID = 2**63 - 1
_MOST_IDS = 40_000
"""So many waiting predictions are looked at to compare those that have a label with all."""


@dataclass(frozen=True, slots=True)
class Reached:
    """All windows that end by `judged_ms` are judged; labels have changed some since, the first at `again_ms`."""

    judged_ms: int | None = None
    again_ms: int | None = None


def reached(connection: Connection, model: str) -> Reached:
    """How far the model is judged."""
    c = performance_course.c
    row = connection.execute(select(c.judged_ms, c.again_ms).where(c.model == model)).first()
    return Reached() if row is None else Reached(row.judged_ms, row.again_ms)


def have_changed(connection: Connection, model: str, start_ms: int) -> None:
    """Labels have changed panes from this one on: what was judged of them is judged again."""
    c = performance_course.c
    judged = (c.model == model, c.judged_ms > start_ms)
    connection.execute(
        update(performance_course).where(*judged, or_(c.again_ms.is_(None), c.again_ms > start_ms))
        .values(again_ms=start_ms)
    )  # fmt: skip


def label_delays_of(connection: Connection, model: str) -> dict[int, int]:
    """How many labels took how long, by the bins of `service.performance.delays`."""
    c = label_delay.c
    return {row.bin: row.n for row in connection.execute(select(c.bin, c.n).where(c.model == model))}


def first_outcome_ms(connection: Connection, model: str) -> int | None:
    """The start of the first pane with a labelled prediction."""
    return connection.execute(select(func.min(outcome.c.start_ms)).where(outcome.c.model == model)).scalar()


def panes_with_outcomes(connection: Connection, model: str, from_ms: int, until_ms: int) -> list[int]:
    """Their starts within [from_ms, until_ms), in order."""
    c = outcome.c
    within = (c.model == model, c.start_ms >= from_ms, c.start_ms < until_ms)
    return list(
        connection.execute(select(c.start_ms).distinct().where(*within).order_by(c.start_ms)).scalars()
    )


def state_at(connection: Connection, model: str, end_ms: int) -> tuple[int, bytes] | None:
    """The newest state after windows that end by then, or else the oldest that is kept; with its end."""
    c = performance_state.c
    mine = select(c.end_ms, c.state).where(c.model == model)
    for query in (
        mine.where(c.end_ms <= end_ms).order_by(c.end_ms.desc()),
        mine.order_by(c.end_ms),
    ):
        row = connection.execute(query.limit(1)).first()
        if row is not None:
            return row.end_ms, bytes(row.state)
    return None


def incidents_of_inputs(connection: Connection, model: str, from_ms: int, until_ms: int) -> list[Incident]:
    """The incidents in what the model is told and says that were open within [from_ms, until_ms), the first first."""
    c = alert.c
    overlaps = (c.since_ms < until_ms, or_(c.state != State.RESOLVED.value, c.at_ms > from_ms))
    rows = connection.execute(
        select(c.incident, c.since_ms, c.at_ms, c.state, c.role, c.feature, c.cause, c.severity)
        .where(c.model == model, c.fired_ms.is_not(None), c.rule.not_in(OUTCOMES), *overlaps)
        .order_by(c.since_ms, c.id)
    )
    found: dict[str, Incident] = {}
    for row in rows:
        last_ms = row.at_ms if row.state == State.RESOLVED.value else until_ms
        one = found.setdefault(row.incident, Incident(row.incident, row.since_ms, last_ms))
        one.last_ms = max(one.last_ms, last_ms)
        one.columns += [(Role(row.role), row.feature)] if row.role else []
        one.causes += [Cause(row.cause)]
        one.paged |= row.severity == Severity.PAGE.value
    return list(found.values())


def kinds_of(connection: Connection, model: str, start_ms: int, end_ms: int) -> list[Kind]:
    """A sample of the predictions of some panes by what they said, with and without a label."""
    share = connection.execute(select(join_share).where(join_share.c.model == model)).first()
    waiting, joined = (share.waiting, 2.0**-share.halvings) if share is not None else (0, 1.0)
    last_id = min(_LARGEST_ID, int(2**64 * joined * min(1.0, _MOST_IDS / max(1, waiting))))
    where = {"model": model, "start_ms": start_ms, "end_ms": end_ms, "last_id": last_id}
    return [Kind(*row) for row in connection.execute(_KINDS, where)]


def keep_judged(connection: Connection, model: str, judged: Judged, now: Reached, kept: int) -> None:
    """All that judging came to, up to `now`; whoever does so holds the model's lease. `kept` states stay."""
    _write_findings(connection, judged.results)
    tell_performance(connection, judged.naive)
    write_alerts(connection, judged.alerts)
    c = performance_state.c
    if judged.states:
        connection.execute(delete(performance_state).where(c.model == model, c.end_ms >= judged.states[0][0]))
        rows = [{"model": model, "end_ms": end_ms, "state": state} for end_ms, state in judged.states]
        connection.execute(insert(performance_state), rows)
        last = select(c.end_ms).where(c.model == model).order_by(c.end_ms.desc()).offset(kept - 1).limit(1)
        connection.execute(
            delete(performance_state).where(c.model == model, c.end_ms < last.scalar_subquery())
        )
    at = {"judged_ms": now.judged_ms, "again_ms": now.again_ms}
    statement = upsert(performance_course).values(model=model, **at)
    connection.execute(statement.on_conflict_do_update(index_elements=[performance_course.c.model], set_=at))


def _write_findings(connection: Connection, results: Sequence[SliceResult]) -> None:
    """Replace those of these windows."""
    c = performance_finding.c
    windows = {(one.key.model, one.key.window, one.key.end_ms) for one in results}
    connection.execute(delete(performance_finding).where(tuple_(c.model, c.window, c.end_ms).in_(windows)))
    rows = [
        {**one.key._asdict(), "method": f.method, "value": f.value, "limit": f.limit, "n": f.n, "m": f.m,
         "verdict": f.verdict.value, "reason": f.reason}
        for one in results
        for f in one.findings
    ]  # fmt: skip
    if rows:
        connection.execute(insert(performance_finding), rows)
