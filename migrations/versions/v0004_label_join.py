"""Predictions and labels that are joined by their inference id, and how the answers turned out.

Runs beside collectors and evaluators of the version before: it only adds. Those stop at their next start.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE join_inbox (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset BIGINT NOT NULL,
    place INTEGER NOT NULL,
    model TEXT NOT NULL,
    rows INTEGER NOT NULL,
    columns BYTEA NOT NULL,
    PRIMARY KEY (topic, partition, next_offset, place)
);

CREATE INDEX join_inbox_by_model ON join_inbox (model);

CREATE TABLE join_name (
    model TEXT NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (model, number),
    CONSTRAINT join_name_once UNIQUE (model, name)
);

CREATE TABLE join_share (
    model TEXT NOT NULL,
    halvings INTEGER NOT NULL,
    waiting BIGINT NOT NULL,
    forgotten_ms BIGINT NOT NULL,
    PRIMARY KEY (model)
);

CREATE TABLE waiting_prediction (
    model TEXT NOT NULL,
    id BIGINT NOT NULL,
    start_ms BIGINT NOT NULL,
    slices INTEGER NOT NULL,
    class INTEGER NOT NULL,
    score DOUBLE PRECISION NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    label_ms BIGINT,
    label INTEGER,
    label_value DOUBLE PRECISION,
    PRIMARY KEY (model, id)
)
 WITH (fillfactor = 70);

CREATE INDEX waiting_prediction_by_time ON waiting_prediction USING brin (start_ms);

CREATE TABLE waiting_label (
    model TEXT NOT NULL,
    id BIGINT NOT NULL,
    label_ms BIGINT NOT NULL,
    label INTEGER NOT NULL,
    label_value DOUBLE PRECISION NOT NULL
);

CREATE INDEX waiting_label_by_id ON waiting_label (model, id);

CREATE INDEX waiting_label_by_time ON waiting_label USING brin (label_ms);

CREATE TABLE label_delay (
    model TEXT NOT NULL,
    bin INTEGER NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (model, bin)
);

CREATE TABLE outcome (
    model TEXT NOT NULL,
    start_ms BIGINT NOT NULL,
    slices INTEGER NOT NULL,
    sketch BYTEA NOT NULL,
    PRIMARY KEY (model, start_ms, slices)
);

CREATE TABLE outcome_news (
    model TEXT NOT NULL,
    start_ms BIGINT NOT NULL,
    told_ms BIGINT,
    PRIMARY KEY (model, start_ms)
);

CREATE TABLE performance (
    model TEXT NOT NULL,
    version TEXT NOT NULL,
    segment TEXT NOT NULL,
    "window" TEXT NOT NULL,
    end_ms BIGINT NOT NULL,
    basis TEXT NOT NULL,
    metric TEXT NOT NULL,
    start_ms BIGINT NOT NULL,
    value DOUBLE PRECISION,
    low DOUBLE PRECISION,
    high DOUBLE PRECISION,
    n BIGINT NOT NULL,
    resolution DOUBLE PRECISION NOT NULL,
    reason TEXT,
    computed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (model, version, segment, "window", end_ms, basis, metric)
);

CREATE INDEX performance_by_end ON performance (model, end_ms)
"""


def upgrade() -> None:
    """Add tables."""
    for statement in _TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for name in (
        "performance",
        "outcome_news",
        "outcome",
        "label_delay",
        "waiting_label",
        "waiting_prediction",
        "join_share",
        "join_name",
        "join_inbox",
    ):
        op.execute(f"DROP TABLE {name}")
