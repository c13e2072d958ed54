"""Scores by their limits, a row for each slice window, for pages that show a month of two hundred columns at once.

What is stored already is filled in first, which may take minutes and only reads what others write. Then the indexes
are built: while one is, nobody writes to its table, and nobody writes to any of the four until the end (evaluators
wait as long, or begin their turn anew); only at the very end, for as long as two indexes are dropped, nobody reads.
What collectors and evaluators of the version before write from the filling on until they are replaced has no row here.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE window_score (
    model TEXT NOT NULL,
    "window" TEXT NOT NULL,
    end_ms BIGINT NOT NULL,
    segment TEXT NOT NULL,
    version TEXT NOT NULL,
    start_ms BIGINT NOT NULL,
    inferences BIGINT NOT NULL,
    labels BIGINT NOT NULL,
    revision INTEGER NOT NULL,
    incomplete BOOLEAN NOT NULL,
    columns_id BYTEA NOT NULL,
    ratios REAL[] NOT NULL,
    worst REAL,
    PRIMARY KEY (model, "window", end_ms, segment, version)
) PARTITION BY RANGE (end_ms);

CREATE TABLE score_columns (
    model TEXT NOT NULL,
    id BYTEA NOT NULL,
    roles TEXT[] NOT NULL,
    names TEXT[] NOT NULL,
    last_end_ms BIGINT NOT NULL,
    PRIMARY KEY (model, id)
)
"""

# In the order in which evaluators write; what nobody can read or write beside stands last.
_INDEXES = """
CREATE INDEX new_window_result_by_time ON window_result (end_ms, model);

CREATE INDEX new_finding_by_time ON finding (end_ms, model);

CREATE INDEX performance_by_time ON performance (end_ms, model);

CREATE INDEX alert_open ON alert (model, incident) WHERE state IN ('pending', 'firing');

CREATE INDEX alert_by_since ON alert (since_ms, incident);

DROP INDEX window_result_by_time;

DROP INDEX finding_by_time;

ALTER INDEX new_window_result_by_time RENAME TO window_result_by_time;

ALTER INDEX new_finding_by_time RENAME TO finding_by_time
"""

_PARTITIONS = """
DO $$
DECLARE week bigint;
BEGIN
    FOR week IN
        SELECT DISTINCT CAST(substring(child.relname FROM '_w([0-9]+)$') AS bigint)
        FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent IN (to_regclass('window_result'), to_regclass('finding'))
    LOOP
        EXECUTE format(
            'CREATE TABLE window_score_w%s PARTITION OF window_score FOR VALUES FROM (%s) TO (%s)',
            week, week * 604800000, (week + 1) * 604800000
        );
    END LOOP;
END
$$
"""

# What no number of 8 bytes can hold, or none of 4, is an error in PostgreSQL: hence the bounds around the division.
_WORST = """
SELECT model, "window", end_ms, segment, version, role, feature, min(start_ms) AS start_ms,
    max(revision) AS revision,
    max(CASE WHEN verdict = 'drift' THEN
            CASE WHEN "limit" > 0 AND value <> 'NaN' THEN least(1e9, greatest(1.0001, ratio)) ELSE 1e9 END
        WHEN verdict = 'ok' AND value IS NOT NULL AND "limit" <> 'Infinity' THEN
            CASE WHEN "limit" > 0 AND ratio >= 1e-9 THEN least(1, ratio) ELSE 0 END
        END) AS ratio
FROM (
    SELECT *, greatest(least(value, 1e150), 1e-150) / least(greatest("limit", 1e-150), 1e150) AS ratio FROM finding
) judged
GROUP BY model, "window", end_ms, segment, version, role, feature
"""

_IN_ORDER = 'ORDER BY role COLLATE "C", feature COLLATE "C"'
_SCORES = f"""
CREATE TEMPORARY TABLE filled ON COMMIT DROP AS
SELECT model, "window", end_ms, segment, version, min(start_ms) AS start_ms, max(revision) AS revision,
    substring(sha256(string_agg(sha256(convert_to(role || '/' || feature, 'UTF8')), ''::bytea {_IN_ORDER})) FOR 16)
        AS columns_id,
    array_agg(role {_IN_ORDER}) AS roles, array_agg(feature {_IN_ORDER}) AS names,
    array_agg(CAST(ratio AS real) {_IN_ORDER}) AS ratios, CAST(max(ratio) AS real) AS worst
FROM ({_WORST}) worst_of_columns
GROUP BY model, "window", end_ms, segment, version
"""

_COLUMNS = """
INSERT INTO score_columns
SELECT DISTINCT ON (model, columns_id) model, columns_id, roles, names,
    max(end_ms) OVER (PARTITION BY model, columns_id)
FROM filled
"""

_NONE = "sha256(''::bytea)"
_ROWS = f"""
INSERT INTO window_score
SELECT model, "window", end_ms, segment, version, coalesce(w.start_ms, f.start_ms), coalesce(w.inferences, 0),
    coalesce(w.labels, 0), coalesce(w.revision, f.revision), coalesce(w.incomplete, false),
    coalesce(f.columns_id, substring({_NONE} FOR 16)), coalesce(f.ratios, '{{}}'), f.worst
FROM window_result w FULL JOIN filled f USING (model, "window", end_ms, segment, version)
"""

_NO_COLUMNS = f"""
INSERT INTO score_columns
SELECT model, substring({_NONE} FOR 16), '{{}}', '{{}}', max(end_ms) FROM window_score
WHERE columns_id = substring({_NONE} FOR 16) GROUP BY model
"""


def upgrade() -> None:
    """Add tables, fill them, and change indexes."""
    filling = (_PARTITIONS, _SCORES, _COLUMNS, _ROWS, _NO_COLUMNS)
    for statement in (*_TABLES.split(";"), *filling, *_INDEXES.split(";")):
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for table in ("finding", "window_result"):
        op.execute(f"DROP INDEX {table}_by_time")
        op.execute(f"CREATE INDEX {table}_by_time ON {table} (end_ms)")
    for index in ("alert_open", "alert_by_since", "performance_by_time"):
        op.execute(f"DROP INDEX {index}")
    op.execute("DROP TABLE score_columns")
    op.execute("DROP TABLE window_score")
