"""Gaps of the log, offsets that never held a record, records that kill, replayed dead letters, API keys and logins.

Runs beside collectors and evaluators of the version before: it only adds. Those stop at their next start.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PARTITION = {
    "holes": "BIGINT DEFAULT 0 NOT NULL",
    "truncated": "BIGINT DEFAULT 0 NOT NULL",
    "jumps": "INTEGER DEFAULT 0 NOT NULL",
    "trying_offset": "BIGINT",
    "trying_records": "INTEGER",
    "trying_epoch": "BIGINT",
    "dead_accepted": "BOOLEAN DEFAULT false NOT NULL",
}
# What was consumed before and is in no count was never there: compaction and transactions leave holes.
_COUNT_HOLES = """
UPDATE source_partition SET holes =
    next_offset - first_offset - accepted - duplicate - late - dead - tombstone - lost
"""
_TABLES = """
CREATE TABLE gap (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset" BIGINT NOT NULL,
    kind TEXT NOT NULL,
    records BIGINT NOT NULL,
    from_ms BIGINT,
    until_ms BIGINT,
    noted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (topic, partition, "offset", kind)
);

CREATE TABLE api_key (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    scopes TEXT[] NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id)
);

CREATE TABLE login (
    token_hash BYTEA NOT NULL,
    key_id TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (token_hash),
    FOREIGN KEY(key_id) REFERENCES api_key (id) ON DELETE CASCADE
)
"""


def upgrade() -> None:
    """Add columns and tables."""
    for name, kind in _PARTITION.items():
        op.execute(f"ALTER TABLE source_partition ADD COLUMN {name} {kind}")
    op.execute(_COUNT_HOLES)
    op.execute("ALTER TABLE dead_letter ADD COLUMN replayed_at TIMESTAMP WITH TIME ZONE")
    op.execute("CREATE INDEX dead_letter_by_reason ON dead_letter (topic, reason, id)")
    for statement in _TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for name in ("login", "api_key", "gap"):
        op.execute(f"DROP TABLE {name}")
    op.execute("DROP INDEX dead_letter_by_reason")
    op.execute("ALTER TABLE dead_letter DROP COLUMN replayed_at")
    for name in _PARTITION:
        op.execute(f"ALTER TABLE source_partition DROP COLUMN {name}")
