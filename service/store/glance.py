"""All models at one look, fast enough to be taken every few seconds; and of some of them their recent windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import text

from service.monitor import DAY_MS
from service.store.queries import NEWEST, VERSIONS, VERSIONS_SEEN_WITHIN_MS, ModelRow, OpenAlerts

if TYPE_CHECKING:
    from sqlalchemy import Connection

_RECENTLY_MS = DAY_MS

# The tables of a week are few, those of a year many: the latter are looked into only for who has been silent for long.
_NEWEST_WINDOW = """
    SELECT w.end_ms FROM window_result w WHERE w.model = v.model {recently} ORDER BY w.end_ms DESC LIMIT 1
"""

_MODELS = text(f"""
    SELECT v.model, v.number, v.monitor, v.reference_name, event.last_ms AS last_event_ms,
        coalesce(
            ({_NEWEST_WINDOW.format(recently="AND w.end_ms > :recent_ms AND w.end_ms <= :soon_ms")}),
            ({_NEWEST_WINDOW.format(recently="")})
        ) AS last_window_end_ms,
        coalesce(alerts.page, 0) AS page, coalesce(alerts.ticket, 0) AS ticket, coalesce(alerts.info, 0) AS info,
        coalesce(alerts.pending, 0) AS pending, coalesce(alerts.silence, 0) AS silence
    FROM (
        SELECT DISTINCT ON (model) model, number, monitor, reference_name FROM model_version
        ORDER BY model, number DESC
    ) v
    CROSS JOIN LATERAL ({NEWEST.format(counted="inferences")}) event
    LEFT JOIN (
        SELECT a.model,
            count(*) FILTER (WHERE a.state = 'firing' AND a.severity = 'page') AS page,
            count(*) FILTER (WHERE a.state = 'firing' AND a.severity = 'ticket') AS ticket,
            count(*) FILTER (WHERE a.state = 'firing' AND a.severity = 'info') AS info,
            count(*) FILTER (WHERE a.state = 'pending') AS pending,
            count(*) FILTER (WHERE a.state = 'firing' AND a.cause = 'silence' AND a.segment = '') AS silence
        FROM alert a WHERE a.state IN ('pending', 'firing') GROUP BY a.model
    ) alerts ON alerts.model = v.model
    ORDER BY v.model
""")  # noqa: S608 - only constants


def every_model(connection: Connection, now_ms: int) -> tuple[ModelRow, ...]:
    """All models by name, as `list_models` tells them, but for their versions and last label: see `details_of`."""
    values = {"recent_ms": now_ms - _RECENTLY_MS, "soon_ms": now_ms + _RECENTLY_MS}
    return tuple(_model_row(*row) for row in connection.execute(_MODELS, values).all())


def _model_row(
    model: str, number: int, monitor: str, reference_name: str | None, last_event_ms: int | None,
    last_window_end_ms: int | None, *alerts: int,
) -> ModelRow:  # fmt: skip
    return ModelRow(
        model,
        number,
        monitor,
        reference_name,
        (),
        last_event_ms,
        None,
        last_window_end_ms,
        OpenAlerts(*alerts),
    )


_DETAILS = text(f"""
    SELECT v.model, seen.versions, label.last_ms FROM unnest(CAST(:models AS text[])) AS v (model)
    CROSS JOIN LATERAL ({VERSIONS}) seen
    CROSS JOIN LATERAL ({NEWEST.format(counted="labels")}) label
""")  # noqa: S608 - only constants


class Details(NamedTuple):
    """The versions of a model that had windows in the last eight days, and the event time of its last label."""

    versions: tuple[str, ...]
    last_label_ms: int | None


def details_of(connection: Connection, models: Sequence[str], now_ms: int) -> Mapping[str, Details]:
    """What is told only of the models that are shown."""
    values = {"models": list(models), "seen_since": now_ms - VERSIONS_SEEN_WITHIN_MS}
    rows = connection.execute(_DETAILS, values)
    return {model: Details(tuple(versions or ()), last_ms) for model, versions, last_ms in rows}


# ---------------------------------------------------------------- recent windows
class Recent(NamedTuple):
    """Windows of this kind that end after `since_ms`, of the whole model."""

    model: str
    window: str
    since_ms: int


class WorstOfWindow(NamedTuple):
    """Of all versions of a model's window the worst ratio, None: no score; and its inferences."""

    end_ms: int
    worst: float | None
    inferences: int
    incomplete: bool


_RECENT = text("""
    SELECT r.model, array_agg(s.end_ms ORDER BY s.end_ms) AS ends_ms, array_agg(s.worst ORDER BY s.end_ms) AS worst,
        array_agg(s.inferences ORDER BY s.end_ms) AS inferences, array_agg(s.incomplete ORDER BY s.end_ms) AS incomplete
    FROM unnest(CAST(:models AS text[]), CAST(:windows AS text[]), CAST(:since_ms AS bigint[]))
        AS r (model, "window", since_ms)
    CROSS JOIN LATERAL (
        SELECT w.end_ms, max(w.worst) AS worst, sum(w.inferences)::bigint AS inferences,
            bool_or(w.incomplete) AS incomplete
        FROM window_score w
        WHERE w.model = r.model AND w."window" = r."window" AND w.segment = '' AND w.end_ms > r.since_ms
            AND w.end_ms > :earliest_ms AND w.end_ms <= :now_ms
        GROUP BY w.end_ms
    ) s
    GROUP BY r.model
""")


def recent_windows(
    connection: Connection, wanted: Sequence[Recent], now_ms: int
) -> Mapping[str, Sequence[WorstOfWindow]]:
    """Of each of these models, by their ends."""
    if not wanted:
        return {}
    models, windows, since_ms = (list(column) for column in zip(*wanted, strict=True))
    values = {"models": models, "windows": windows, "since_ms": since_ms, "earliest_ms": min(since_ms)}
    rows = connection.execute(_RECENT, values | {"now_ms": now_ms})
    found = {model: list(map(WorstOfWindow, *columns)) for model, *columns in rows}
    return {model: found.get(model, []) for model in models}


# ---------------------------------------------------------------- incidents
@dataclass(frozen=True, slots=True)
class IncidentsSeen:
    """The open incidents, each with a digest of its alerts; the last marks and words by number, with whose they are."""

    open: Mapping[str, str]
    marks: Mapping[int, str]
    words: Mapping[int, str]

    def changed_since(self, before: IncidentsSeen) -> set[str]:
        """Those that began, ended, changed, were marked, or of which somebody said something."""
        names = self.open.keys() | before.open.keys()
        moved = {name for name in names if self.open.get(name) != before.open.get(name)}
        return moved | _new(self.marks, before.marks) | _new(self.words, before.words)


def _new(now: Mapping[int, str], before: Mapping[int, str]) -> set[str]:
    return {now[number] for number in now.keys() - before.keys()}


_INCIDENTS = text("""
    SELECT incident, md5(string_agg(
        concat_ws('/', id, state, severity, cause, consequence, confidence, summary), E'\\n' ORDER BY id
    )) AS digest
    FROM alert WHERE state IN ('pending', 'firing') GROUP BY incident
""")
_MARKS = text("SELECT id, incident FROM incident_mark ORDER BY id DESC LIMIT 100")
_WORDS = text("SELECT id, incident FROM incident_word ORDER BY id DESC LIMIT 100")


def open_incidents_seen(connection: Connection) -> IncidentsSeen:
    """Enough to tell which incidents have changed when it is read again."""
    found = {row.incident: row.digest for row in connection.execute(_INCIDENTS)}
    marks, words = ({row.id: row.incident for row in connection.execute(said)} for said in (_MARKS, _WORDS))
    return IncidentsSeen(found, marks, words)
