"""What two databases say of the same log: all that must not depend on kills, workers or the clock."""

from __future__ import annotations

from typing import Any

import psycopg

QUERIES = {
    "partitions": """
        SELECT topic, partition, topic_id, first_offset, next_offset, highest_ms, halted,
               accepted, duplicate, late, dead, tombstone, lost, holes, truncated, jumps
        FROM source_partition""",
    "panes": "SELECT * FROM pane",
    "ids": """
        SELECT topic, partition, model, stream, start_ms, string_agg(hashes, ''::bytea ORDER BY i.next_offset)
        FROM pane_ids i JOIN source_partition USING (topic, partition)
        WHERE start_ms > highest_ms - %(open_ms)s GROUP BY 1, 2, 3, 4, 5""",
    "dead letters": """
        SELECT topic, partition, "offset", timestamp_ms, key, value, size, reason, detail FROM dead_letter""",
    "windows": """
        SELECT model, version, segment, "window", start_ms, end_ms, inferences, labels, incomplete, reference_name
        FROM window_result WHERE end_ms <= %(until_ms)s""",
    "findings": """
        SELECT model, version, segment, "window", start_ms, end_ms, role, feature, method, value, "limit", p_value,
               n, m, resolution, verdict, reason
        FROM finding WHERE end_ms <= %(until_ms)s""",
}
"""Left out: who owned it, when it was written, how often a window was restated (an evaluator that comes late does it
less), and the ids of closed panes, which are forgotten at some time."""
UNBALANCED = """
SELECT topic, partition FROM source_partition
WHERE next_offset - first_offset <> accepted + duplicate + late + dead + tombstone + lost + holes - truncated
"""

Picture = dict[str, frozenset[tuple[Any, ...]]]


def picture(database: str, until_ms: int, open_ms: int = 20_000) -> Picture:
    """All rows that are a function of the log and the monitors, of windows up to this end.

    `open_ms`: panes that started less than so long before the highest event time are open for certain.
    """
    with psycopg.connect(database) as connection:
        assert connection.execute(UNBALANCED).fetchall() == [], "records are not conserved"
        found = {
            name: connection.execute(query.encode(), {"until_ms": until_ms, "open_ms": open_ms}).fetchall()
            for name, query in QUERIES.items()
        }
    made = {name: frozenset(rows) for name, rows in found.items()}
    assert {n: len(rows) for n, rows in found.items()} == {n: len(rows) for n, rows in made.items()}
    return made


def differences(one: Picture, other: Picture) -> list[str]:
    """What is in one but not in the other, a few rows of each kind; nothing when they are identical."""
    said = []
    for name in QUERIES:
        for sign, rows in (("-", one[name] - other[name]), ("+", other[name] - one[name])):
            said += [f"{name} {sign} {str(row)[:300]}" for row in sorted(rows, key=str)[:3]]
            said += [f"{name} {sign} ... {len(rows)} in all"] if len(rows) > 3 else []
    return said
