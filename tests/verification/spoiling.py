"""What can go wrong in a database, one statement each, and by which words a verification must name it."""

from __future__ import annotations

from typing import NamedTuple

from service.verification.discrepancies import Kind


class Wrong(NamedTuple):
    """A statement that changes one row, and the kind and a part of the sentence of what is found."""

    statement: str
    kind: Kind
    words: str


def one_of(table: str, which: str, order: str) -> str:
    """A condition that holds for the first such row of a table."""
    return f"(tableoid, ctid) = (SELECT tableoid, ctid FROM {table} WHERE {which} ORDER BY {order} LIMIT 1)"


OF_CHURN = "model = 'churn' AND segment = ''"
PANE = one_of("pane", f"{OF_CHURN} AND partition = 1", "start_ms, version")
IDS = one_of("pane_ids", "partition = 1", "start_ms DESC")
LETTER = one_of("dead_letter", "partition = 1 AND reason = 'missing_field'", '"offset" DESC')
WINDOW = one_of("window_result", f"{OF_CHURN} AND inferences > 0", "end_ms, version")
SCORED = one_of("finding", f"{OF_CHURN} AND value > 0 AND version = '1'", "end_ms, feature, method")
DRIFT = one_of("finding", f"{OF_CHURN} AND verdict = 'drift'", "end_ms, feature, method")
FIRING = one_of("alert", "state = 'firing'", "id")
ROW = "UPDATE source_partition SET {} WHERE partition = 1"
FIRST_PANE = "partition 1 of events, pane churn version 1 from 2024-10-04T00:00:00Z to 2024-10-04T00:01:00Z"
FIRST_WINDOW = "window 5m of churn version 1 from 2024-10-04T00:00:00Z to 2024-10-04T00:05:00Z"
GHOST = f"""
INSERT INTO pane SELECT topic, partition, 'ghost', version, segment, start_ms, end_ms, grid_id, inferences, labels,
    last_ms, sketch FROM pane WHERE {PANE}
"""
NEW_LETTER = """
INSERT INTO dead_letter (topic, partition, "offset", timestamp_ms, key, value, size, reason, detail)
VALUES ('events', 1, 0, -1, '', '', 0, 'bad_json', '')
"""

WRONGS = {
    "a pane is gone": Wrong(f"DELETE FROM pane WHERE {PANE}", Kind.PANE_MISSING, FIRST_PANE),
    "a pane was counted twice": Wrong(
        f"UPDATE pane SET inferences = 2 * inferences WHERE {PANE}", Kind.PANE_ROWS, FIRST_PANE
    ),
    "a pane is nobody's": Wrong(GHOST, Kind.PANE_UNEXPECTED, "pane ghost version 1"),
    "a byte of a sketch was turned": Wrong(
        f"UPDATE pane SET sketch = set_byte(sketch, 40, 255 - get_byte(sketch, 40)) WHERE {PANE}",
        Kind.PANE_SKETCH, "differ from byte 40 on",
    ),
    "an id was forgotten": Wrong(
        f"UPDATE pane_ids SET hashes = substr(hashes, 9) WHERE {IDS}", Kind.IDS, "of which 1 of ours are missing"
    ),
    "a dead letter is gone": Wrong(
        f"DELETE FROM dead_letter WHERE {LETTER}", Kind.LETTER_MISSING, "partition 1 of events, offset "
    ),
    "a dead letter is nobody's": Wrong(
        NEW_LETTER, Kind.LETTER_UNEXPECTED,
        "partition 1 of events, offset 0: expected no dead letter, found one (bad_json)",
    ),
    "a dead letter has another reason": Wrong(
        f"UPDATE dead_letter SET reason = 'too_deep' WHERE {LETTER}", Kind.LETTER_REASON,
        "expected reason missing_field, found reason too_deep",
    ),
    "the position is too high": Wrong(
        ROW.format("next_offset = next_offset + 5, holes = holes + 5"), Kind.POSITION, "where the log's records end"
    ),
    "the position is too low": Wrong(
        ROW.format("next_offset = next_offset - 5"), Kind.EQUATION, "partition 1 of events, offsets 0 to "
    ),
    "a count is too high": Wrong(
        ROW.format("accepted = accepted + 1, duplicate = duplicate - 1"), Kind.COUNT, "accepted: expected "
    ),
    "offsets have no end": Wrong(ROW.format("late = late - 1"), Kind.EQUATION, "holes less truncated"),
    "event time was set back": Wrong(
        ROW.format("highest_ms = highest_ms - 1"), Kind.POSITION, "partition 1 of events, highest event time"
    ),
    "a finding is another": Wrong(
        f"UPDATE finding SET value = value + 1e-9 WHERE {SCORED}", Kind.FINDING, "of churn version 1"
    ),
    "a verdict is another": Wrong(
        f"UPDATE finding SET verdict = 'ok' WHERE {DRIFT}", Kind.FINDING, "expected verdict drift, found verdict ok"
    ),
    "a finding is gone": Wrong(
        f"DELETE FROM finding WHERE {SCORED}", Kind.FINDING_MISSING, "found no such finding"
    ),
    "a window is gone": Wrong(f"DELETE FROM window_result WHERE {WINDOW}", Kind.WINDOW_MISSING, FIRST_WINDOW),
    "a window has other rows": Wrong(
        f"UPDATE window_result SET inferences = inferences + 1 WHERE {WINDOW}", Kind.WINDOW, FIRST_WINDOW
    ),
    "a window is flagged": Wrong(
        f"UPDATE window_result SET incomplete = true WHERE {WINDOW}",
        Kind.WINDOW, "expected incomplete False, found incomplete True",
    ),
    "an alert was closed": Wrong(
        f"UPDATE alert SET state = 'resolved' WHERE {FIRING}",
        Kind.ALERT, "found no open alert",
    ),
}  # fmt: skip
