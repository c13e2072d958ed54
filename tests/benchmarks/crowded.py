"""A database as after months of work with a thousand models, made in SQL: rows as evaluators write them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from service.monitor import DAY_MS, HOUR_MS, Monitor
from service.monitor_file import dump_monitors
from service.store.engine import take_time, transaction
from service.store.migrate import downgrade, migrate
from service.store.partitions import ensure_partitions

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

NOW_MS = 1_795_305_600_000
LARGE = "model-0000"
"""It has two hundred features and a month of windows of an hour; the others have a few dozen and a day or two."""
LARGE_FEATURES, METHODS = 200, ("evidence", "psi")


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many models, each with so many windows of five minutes, of so many features."""

    models: int = 1_000
    windows: int = 97
    features: int = 50
    large_windows: int = 720
    alerts: int = 20_000

    @property
    def findings(self) -> int:
        """All of them."""
        of_others = self.models * self.windows * self.features
        return (of_others + self.large_windows * LARGE_FEATURES) * len(METHODS)


_MODELS = """
INSERT INTO reference (name, model, grid_id, profile, rows)
SELECT m || '-ref', m, 'g', '', 10000 FROM unnest(CAST(:names AS text[])) m;
INSERT INTO model_version (model, number, since_ms, monitor, reference_name, grid_id)
SELECT m, n, :now_ms - 90 * 86400000::bigint + n, y, m || '-ref', 'g'
FROM unnest(CAST(:names AS text[]), CAST(:monitors AS text[])) x (m, y), generate_series(1, 3) n;
INSERT INTO evaluation (model, position_ms) SELECT m, :now_ms FROM unnest(CAST(:names AS text[])) m;
INSERT INTO source_partition (topic, partition, next_offset, first_offset, owner_epoch, highest_ms, lag, accepted)
SELECT 'events', p, 1000000, 0, 1, :now_ms, 3, 1000000 FROM generate_series(0, 31) p;
INSERT INTO pane (topic, partition, model, version, segment, start_ms, end_ms, grid_id, inferences, labels, last_ms,
    sketch)
SELECT 'events', 0, m, '1', '', s, s + 60000, 'g', 100, CASE WHEN s % 600000 = 0 THEN 5 ELSE 0 END, s + 59000, ''
FROM unnest(CAST(:names AS text[])) m, generate_series(:now_ms - 300 * 60000, :now_ms - 60000, 60000) s
WHERE m NOT LIKE '%77';
"""

_WINDOWS = """
INSERT INTO window_result (model, version, segment, "window", end_ms, start_ms, inferences, labels, revision,
    incomplete)
SELECT m, v, '', '5m', e, e - 300000, 500, 20, 0, e % 7500000 = 0
FROM unnest(CAST(:names AS text[])) m, unnest(ARRAY['1']) v,
    generate_series(:now_ms - (:windows - 1) * 300000::bigint, :now_ms, 300000) e;
INSERT INTO window_result (model, version, segment, "window", end_ms, start_ms, inferences, labels, revision,
    incomplete)
SELECT :large, '1', '', '1h', e, e - 3600000, 6000, 200, 0, false
FROM generate_series(:now_ms - (:large_windows - 1) * 3600000::bigint, :now_ms, 3600000) e;
"""

_FINDINGS = """
INSERT INTO finding (model, version, segment, "window", end_ms, role, feature, method, start_ms, value, "limit",
    p_value, n, m, resolution, verdict, revision)
SELECT w.model, w.version, w.segment, w."window", w.end_ms, 'feature', 'feature_' || lpad(f::text, 3, '0'), method,
    w.start_ms, r * 16, 16, 0.5, w.inferences, 10000, 0.01, CASE WHEN r > 1 THEN 'drift' ELSE 'ok' END, 0
FROM window_result w
CROSS JOIN LATERAL generate_series(1, CASE WHEN w."window" = '1h' THEN :large_features ELSE :features END) f
CROSS JOIN unnest(CAST(:methods AS text[])) method
CROSS JOIN LATERAL (SELECT 1.02 * abs(sin(w.end_ms / 60000 * f + length(method))) AS r) drawn
WHERE w.end_ms >= :from_ms AND w.end_ms < :to_ms
"""

_ALERTS = """
INSERT INTO alert (id, incident, model, version, segment, "window", role, feature, rule, cause, severity, state,
    since_ms, at_ms, summary, fired_ms)
SELECT 'a' || n, 'i' || n / 3, m[1 + (n / 3) % array_length(m, 1)], '1', '', '5m', 'feature', 'feature_001', 'drift',
    'data_drift', CASE WHEN n % 5 = 0 THEN 'page' ELSE 'ticket' END,
    CASE WHEN n / 3 % 40 = 0 THEN 'firing' ELSE 'resolved' END,
    :now_ms - n * 100000::bigint, :now_ms - n * 100000::bigint + 60000, 'feature_001 has drifted since then',
    :now_ms - n * 100000::bigint
FROM (SELECT CAST(:names AS text[]) AS m) x, generate_series(1, :alerts) n;
INSERT INTO incident_mark (incident, model, verdict, who, why)
SELECT DISTINCT incident, model, CASE WHEN since_ms % 200000 = 0 THEN 'false_alarm' ELSE 'true_alarm' END, 'anna',
    'looked'
FROM alert WHERE state = 'resolved' AND severity = 'page';
INSERT INTO dead_letter (topic, partition, "offset", timestamp_ms, key, value, size, reason, detail)
SELECT 'events', n % 32, n, :now_ms, '', '{', 1, 'bad_json', 'ends too early' FROM generate_series(1, :alerts) n;
INSERT INTO performance (model, version, segment, "window", end_ms, basis, metric, start_ms, value, low, high, n,
    resolution)
SELECT w.model, w.version, w.segment, w."window", w.end_ms, b, metric, w.start_ms, 0.9, 0.88, 0.92, 500, 0.01
FROM window_result w, unnest(ARRAY['realized', 'estimated']) b,
    unnest(ARRAY['accuracy', 'precision', 'recall']) metric;
"""

_KEY = '(model, version, segment, "window", end_ms, role, feature, method)'
_WITHOUT = (
    "ALTER TABLE finding DROP CONSTRAINT finding_pkey", "DROP INDEX finding_by_end", "DROP INDEX finding_by_time"
)  # fmt: skip
_WITH = (
    f"ALTER TABLE finding ADD CONSTRAINT finding_pkey PRIMARY KEY {_KEY}",
    "CREATE INDEX finding_by_end ON finding (model, end_ms)",
    "CREATE INDEX finding_by_time ON finding (end_ms)",
)


def fill(engine: Engine, crowd: Crowd) -> float:
    """Fill an empty database as the version before would have, and migrate it; gives the seconds that this took."""
    ensure_partitions_of_before(engine, crowd)
    names = [f"model-{number:04}" for number in range(crowd.models)]
    values = {
        "names": names, "monitors": [dump_monitors([Monitor(name)]) for name in names], "now_ms": NOW_MS,
        "windows": crowd.windows, "large": LARGE, "large_windows": crowd.large_windows, "alerts": crowd.alerts,
        "features": crowd.features, "large_features": LARGE_FEATURES, "methods": list(METHODS),
    }  # fmt: skip
    with _unhurried(engine) as connection:
        connection.execute(text("INSERT INTO grid (id, definition) VALUES ('g', '')"))
        for statement in (_MODELS + _WINDOWS + _ALERTS).split(";"):
            if statement.strip():
                used = {name: value for name, value in values.items() if f":{name}" in statement}
                connection.execute(text(statement), used)
        for statement in _WITHOUT:
            connection.execute(text(statement))
    for from_ms, to_ms in _days(crowd):
        with _unhurried(engine) as connection:
            used = {name: values[name] for name in ("features", "large_features", "methods")}
            connection.execute(text(_FINDINGS), used | {"from_ms": from_ms, "to_ms": to_ms})
    with _unhurried(engine) as connection:
        for statement in _WITH:
            connection.execute(text(statement))
    begun = time.perf_counter()
    migrate(engine)
    return time.perf_counter() - begun


def ensure_partitions_of_before(engine: Engine, crowd: Crowd) -> None:
    """Those that the tables of the version before had."""
    first_ms = NOW_MS - crowd.large_windows * HOUR_MS
    migrate(engine)
    ensure_partitions(engine, first_ms, NOW_MS + DAY_MS)
    downgrade(engine, "0005")


def _days(crowd: Crowd) -> Iterator[tuple[int, int]]:
    first_ms = NOW_MS - crowd.large_windows * HOUR_MS
    for from_ms in range(first_ms, NOW_MS + 1, 5 * DAY_MS):
        yield from_ms, from_ms + 5 * DAY_MS


@contextmanager
def _unhurried(engine: Engine) -> Iterator[Connection]:
    with transaction(engine) as connection:
        take_time(connection)
        connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        yield connection
