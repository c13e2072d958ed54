"""What /metrics reads: each model's last news, newest windows, worst findings and incidents, and what fires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, func, select, text

from service.monitor import DAY_MS
from service.store.partition_rows import has_position
from service.store.queries import NEWEST
from service.store.tables import label_delay, source_partition

WINDOWS_UNTIL_STALE = 3
"""A series of a window goes when so many windows have come without news."""


_LOOKED_BACK_MS = 32 * DAY_MS
"""The newest ripe window is sought so far back: the longest kind is a month."""


class Horizon(NamedTuple):
    """Windows of this kind that end before `end_ms` are stale."""

    model: str
    window: str
    end_ms: int


@dataclass(frozen=True, slots=True)
class LastNews:
    """The event times of a model's last inference and last label."""

    model: str
    last_event_ms: int | None
    last_label_ms: int | None


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """What fires; many alerts that differ in window or rule only are one."""

    model: str
    version: str
    segment: str
    role: str
    feature: str
    cause: str
    severity: str


class Period(NamedTuple):
    """A model's budget is for what happens after `since_ms`."""

    model: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class IncidentCount:
    """How many incidents of one kind fire, or fired in the period; `paged` of them woke somebody in it."""

    model: str
    severity: str
    state: str
    verdict: str
    incidents: int
    paged: int


class NewestWindow(NamedTuple):
    """The newest window of one kind and slice."""

    model: str
    version: str
    segment: str
    window: str
    end_ms: int
    inferences: int


@dataclass(frozen=True, slots=True)
class ScoredColumn:
    """A score of a newest window, with its limit if it has one."""

    model: str
    version: str
    segment: str
    window: str
    role: str
    feature: str
    method: str
    value: float
    limit: float | None


@dataclass(frozen=True, slots=True)
class WorstFindings:
    """The worst findings, and how many series all of them are: scores, limits and missing ratios."""

    rows: tuple[ScoredColumn, ...]
    all_series: int


@dataclass(frozen=True, slots=True)
class NewestMetric:
    """A metric of the newest window with labels; `coverage` is the share of its inferences that have one."""

    model: str
    version: str
    segment: str
    window: str
    basis: str
    metric: str
    value: float
    n: int
    coverage: float | None


class PartitionCounts(NamedTuple):
    """How many partitions wait for a person, are somebody's, and are nobody's."""

    halted: int
    read: int
    unread: int


class Joining(NamedTuple):
    """A model that joins this share of its ids; windows that end after `ripe_until_ms` still wait for labels.

    What was judged of windows that end by `judged_since_ms` is stale.
    """

    model: str
    sample: float
    ripe_until_ms: int
    judged_since_ms: int


@dataclass(frozen=True, slots=True)
class JoinBacklog:
    """What a model's join has before it: rows in the inbox, rows that wait for each other, and its share of the ids."""

    model: str
    inbox: int
    waiting: int
    share: float


_MONITORS = text("""
    SELECT DISTINCT ON (model) model, monitor FROM model_version
    WHERE since_ms <= :now_ms ORDER BY model, number DESC
""")

_NEWS = text(f"""
    SELECT v.model, event.last_ms AS last_event_ms, label.last_ms AS last_label_ms
    FROM (SELECT DISTINCT model FROM model_version) v
    CROSS JOIN LATERAL ({NEWEST.format(counted="inferences")}) event
    CROSS JOIN LATERAL ({NEWEST.format(counted="labels")}) label
    ORDER BY v.model
""")  # noqa: S608 - only constants

_FIRING = text("""
    SELECT DISTINCT model, version, segment, role, feature, cause, severity FROM alert WHERE state = 'firing'
    ORDER BY severity, model, version, segment, role, feature, cause
""")

# An evaluator of the version before does not write when an alert fired.
_FIRED_MS = "coalesce(a.fired_ms, CASE WHEN a.state = 'firing' THEN a.at_ms END)"
_INCIDENTS = text(f"""
    SELECT model, severity, state, coalesce(verdict, 'unmarked') AS verdict,
        count(*) AS incidents, count(*) FILTER (WHERE paged_ms > since_ms) AS paged
    FROM (
        SELECT a.model, a.incident, period.since_ms,
            CASE WHEN bool_or(a.severity = 'page') THEN 'page'
                WHEN bool_or(a.severity = 'ticket') THEN 'ticket' ELSE 'info' END AS severity,
            CASE WHEN bool_or(a.state = 'firing') THEN 'firing' ELSE 'resolved' END AS state,
            max({_FIRED_MS}) AS last_fired_ms, min({_FIRED_MS}) FILTER (WHERE a.severity = 'page') AS paged_ms
        FROM unnest(CAST(:models AS text[]), CAST(:since_ms AS bigint[])) AS period (model, since_ms)
        CROSS JOIN LATERAL (SELECT * FROM alert b WHERE b.model = period.model OFFSET 0) a
        WHERE {_FIRED_MS} IS NOT NULL
        GROUP BY a.model, a.incident, period.since_ms
    ) incident
    LEFT JOIN LATERAL (
        SELECT mark.verdict FROM incident_mark mark WHERE mark.incident = incident.incident
        ORDER BY mark.id DESC LIMIT 1
    ) mark ON true
    WHERE state = 'firing' OR last_fired_ms > since_ms
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
""")  # noqa: S608 - only the constant above

_WINDOWS = text("""
    SELECT DISTINCT ON (w.model, w.version, w.segment, w."window")
        w.model, w.version, w.segment, w."window", w.end_ms, w.inferences
    FROM unnest(CAST(:models AS text[]), CAST(:windows AS text[]), CAST(:ends_ms AS bigint[]))
        AS fresh (model, "window", end_ms)
    JOIN window_result w ON w.model = fresh.model AND w."window" = fresh."window" AND w.end_ms >= fresh.end_ms
    WHERE w.end_ms >= :earliest_ms
    ORDER BY w.model, w.version, w.segment, w."window", w.end_ms DESC
""")

_PERFORMANCE = text("""
    SELECT p.model, p.version, p.segment, p."window", p.basis, p.metric, p.value, p.n,
        newest.n / nullif(w.inferences * least(newest.sample, power(0.5, coalesce(share.halvings, 0))), 0)
            AS coverage
    FROM (
        SELECT DISTINCT ON (p.model, p.version, p.segment, p."window")
            p.model, p.version, p.segment, p."window", p.end_ms, p.n, joined.sample
        FROM unnest(CAST(:models AS text[]), CAST(:samples AS float8[]), CAST(:ripe_until_ms AS bigint[]))
            AS joined (model, sample, ripe_until_ms)
        JOIN performance p ON p.model = joined.model AND p.end_ms <= joined.ripe_until_ms
            AND p.end_ms > joined.ripe_until_ms - :looked_back_ms
        WHERE p.basis = 'realized' AND p.computed_at > now() - interval '1 day'
        ORDER BY p.model, p.version, p.segment, p."window", p.end_ms DESC, p.n DESC
    ) newest
    JOIN performance p USING (model, version, segment, "window", end_ms)
    LEFT JOIN window_result w USING (model, version, segment, "window", end_ms)
    LEFT JOIN join_share share ON share.model = p.model
    WHERE p.value IS NOT NULL AND p.basis <> 'estimated'
    ORDER BY p.model, p.version, p.segment, p."window", p.basis, p.metric
""")

_ESTIMATES = text("""
    SELECT p.model, p.version, p.segment, p."window", p.basis, p.metric, p.value, p.n, NULL AS coverage
    FROM unnest(
        CAST(:models AS text[]), CAST(:versions AS text[]), CAST(:segments AS text[]),
        CAST(:windows AS text[]), CAST(:ends_ms AS bigint[])
    ) AS newest (model, version, segment, "window", end_ms)
    JOIN performance p USING (model, version, segment, "window", end_ms)
    WHERE p.basis = 'estimated' AND p.value IS NOT NULL
    ORDER BY p.model, p.version, p.segment, p."window", p.metric
""")

_JUDGED = text("""
    SELECT DISTINCT ON (f.model, f.version, f.segment, f."window", f.method)
        f.model, f.version, f.segment, f."window", '' AS role, '' AS feature, f.method, f.value, f."limit"
    FROM unnest(CAST(:models AS text[]), CAST(:fresh_ms AS bigint[])) AS joined (model, fresh_ms)
    JOIN performance_finding f ON f.model = joined.model AND f.end_ms > joined.fresh_ms
    WHERE f.value IS NOT NULL
    ORDER BY f.model, f.version, f.segment, f."window", f.method, f.end_ms DESC
""")

_JOINS = text("""
    SELECT model, coalesce(inbox.rows, 0), coalesce(share.waiting, 0), power(0.5, coalesce(share.halvings, 0))
    FROM (SELECT model, sum(rows)::bigint AS rows FROM join_inbox GROUP BY model) inbox
    FULL JOIN join_share share USING (model)
    ORDER BY model
""")

# The division is bounded so that no score can overflow it; an infinite or NaN score counts as the worst.
_FINDINGS = text("""
    SELECT f.model, f.version, f.segment, f."window", f.role, f.feature, f.method, f.value, f."limit",
        sum(1 + CAST(f."limit" IS NOT NULL AS int) + CAST(starts_with(f.method, 'missing_') AS int)) OVER ()
            AS all_series
    FROM unnest(
        CAST(:models AS text[]), CAST(:versions AS text[]), CAST(:segments AS text[]),
        CAST(:windows AS text[]), CAST(:ends_ms AS bigint[])
    ) AS newest (model, version, segment, "window", end_ms)
    JOIN finding f USING (model, version, segment, "window", end_ms)
    WHERE f.value IS NOT NULL AND f.end_ms >= :earliest_ms AND f.end_ms <= :latest_ms
    ORDER BY f."limit" IS NULL, least(f.value, 1e150) / greatest(f."limit", 1e-150) DESC,
        f.model, f.version, f.segment, f."window", f.role, f.feature, f.method
    LIMIT :most
""")


def monitors_in_force(connection: Connection, now_ms: int) -> dict[str, str]:
    """The YAML of the monitor that each model has now."""
    return {row.model: row.monitor for row in connection.execute(_MONITORS, {"now_ms": now_ms})}


def last_news(connection: Connection) -> tuple[LastNews, ...]:
    """When each model was last heard of, silent ones included."""
    return tuple(LastNews(*row) for row in connection.execute(_NEWS))


def firing_alerts(connection: Connection) -> tuple[FiringAlert, ...]:
    """What fires now, pages before tickets."""
    return tuple(FiringAlert(*row) for row in connection.execute(_FIRING))


def incident_counts(connection: Connection, periods: Sequence[Period]) -> tuple[IncidentCount, ...]:
    """The incidents of these models that fire, or fired in their period, by what people say of them."""
    if not periods:
        return ()
    models, since_ms = (list(column) for column in zip(*periods, strict=True))
    rows = connection.execute(_INCIDENTS, {"models": models, "since_ms": since_ms})
    return tuple(IncidentCount(*row) for row in rows)


def newest_windows(connection: Connection, horizons: Sequence[Horizon]) -> tuple[NewestWindow, ...]:
    """The newest window of each kind and slice that is not stale."""
    if not horizons:
        return ()
    models, windows, ends_ms = (list(column) for column in zip(*horizons, strict=True))
    values = {
        "models": models,
        "windows": windows,
        "ends_ms": ends_ms,
        "earliest_ms": min(h.end_ms for h in horizons),
    }
    return tuple(NewestWindow(*row) for row in connection.execute(_WINDOWS, values))


def partition_counts(connection: Connection) -> PartitionCounts:
    """Of all topics."""
    c = source_partition.c
    running, owned = c.halted.is_(None), c.owner.is_not(None)
    counted = select(
        func.count().filter(~running), func.count().filter(running & owned), func.count().filter(running & ~owned)
    )  # fmt: skip
    halted, read, unread = connection.execute(counted.where(has_position)).one()
    return PartitionCounts(halted, read, unread)


def label_delays(connection: Connection) -> dict[str, dict[int, int]]:
    """Of each model how many labels took how long, by the bins of `service.performance.delays`."""
    found: dict[str, dict[int, int]] = {}
    for row in connection.execute(select(label_delay)):
        found.setdefault(row.model, {})[row.bin] = row.n
    return found


def newest_performance(connection: Connection, joining: Sequence[Joining]) -> tuple[NewestMetric, ...]:
    """The metrics of the newest ripe windows that labels have come for within a day."""
    if not joining:
        return ()
    names = ("models", "samples", "ripe_until_ms")
    values = {name: list(column) for name, column in zip(names, zip(*joining, strict=True), strict=False)}
    where = values | {"looked_back_ms": _LOOKED_BACK_MS}
    return tuple(NewestMetric(*row) for row in connection.execute(_PERFORMANCE, where))


def newest_estimates(connection: Connection, windows: Sequence[NewestWindow]) -> tuple[NewestMetric, ...]:
    """What these windows are expected to come to before their labels have."""
    if not windows:
        return ()
    names = ("models", "versions", "segments", "windows", "ends_ms")
    values = {name: list(column) for name, column in zip(names, zip(*windows, strict=True), strict=False)}
    return tuple(NewestMetric(*row) for row in connection.execute(_ESTIMATES, values))


def judged_findings(connection: Connection, joining: Sequence[Joining]) -> tuple[ScoredColumn, ...]:
    """What was found in the newest windows whose labels have come, of models that are not long behind."""
    values = {
        "models": [one.model for one in joining],
        "fresh_ms": [one.judged_since_ms for one in joining],
    }
    return tuple(ScoredColumn(*row) for row in connection.execute(_JUDGED, values))


def join_backlogs(connection: Connection) -> tuple[JoinBacklog, ...]:
    """Of each model whose labels are joined."""
    return tuple(JoinBacklog(*row) for row in connection.execute(_JOINS))


def worst_findings(connection: Connection, windows: Sequence[NewestWindow], most: int) -> WorstFindings:
    """At most so many findings of these windows, those furthest over their limit first."""
    if not windows:
        return WorstFindings((), 0)
    models, versions, segments, names, ends_ms, _ = (list(column) for column in zip(*windows, strict=True))
    ends = [window.end_ms for window in windows]
    values = {
        "models": models, "versions": versions, "segments": segments, "windows": names, "ends_ms": ends_ms,
        "earliest_ms": min(ends), "latest_ms": max(ends), "most": most,
    }  # fmt: skip
    rows = connection.execute(_FINDINGS, values).all()
    return WorstFindings(tuple(ScoredColumn(*row[:-1]) for row in rows), rows[0].all_series if rows else 0)
