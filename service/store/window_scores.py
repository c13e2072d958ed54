"""Window scores: of each slice window how far every column is by its limit, in one row that is ready to be drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert
from sqlalchemy.dialects.postgresql import insert as upsert

from service.messages import Finding, SliceResult, Verdict
from service.store.tables import score_columns, window_score

if TYPE_CHECKING:
    from sqlalchemy import Connection

Named = tuple[str, str]
"""A column's role and name; both are empty for the whole slice."""

FAR_OVER = 1e9
"""How far a score is over a limit of nothing."""
_JUST_OVER = 1.0001
"""Single precision keeps it apart from 1."""
_LEAST = 1e-9
"""What is less is nothing: single precision ends somewhere, too."""
_ID_BYTES = 16


def ratio_of(finding: Finding) -> float | None:
    """Value by limit: above 1 exactly when the verdict is drift; None where nothing is judged.

    What is over a single limit, but explained, is at its limit and no further.
    """
    value, limit = finding.value, finding.limit
    if finding.verdict is Verdict.DRIFT:
        if value is None or not limit or not limit > 0 or math.isnan(value):
            return FAR_OVER
        return min(FAR_OVER, max(_JUST_OVER, value / limit))
    if finding.verdict is Verdict.TOO_LITTLE_DATA or value is None or limit is None or math.isinf(limit):
        return None
    ratio = value / limit if limit > 0 else 0.0
    return min(1.0, ratio) if ratio >= _LEAST else 0.0


def worst_of_columns(findings: Iterable[Finding]) -> Mapping[Named, float | None]:
    """The worst ratio of each column, in the order of roles and names."""
    worst: dict[Named, float | None] = {}
    for finding in findings:
        role, name = finding.column or ("", "")
        named = (str(role), name)
        ratios = [r for r in (worst.get(named), ratio_of(finding)) if r is not None]
        worst[named] = max(ratios, default=None)
    return dict(sorted(worst.items()))


def columns_id(columns: Iterable[Named]) -> bytes:
    """Tells these columns in this order from all others. No role holds a slash."""
    digests = b"".join(sha256(f"{role}/{name}".encode()).digest() for role, name in columns)
    return sha256(digests).digest()[:_ID_BYTES]


def write_window_scores(connection: Connection, results: Sequence[SliceResult]) -> None:
    """A row for each result; those of former revisions are gone already."""
    columns: dict[tuple[str, bytes], dict[str, Any]] = {}
    rows = []
    for result in results:
        worst = worst_of_columns(result.findings)
        made = columns_id(worst)
        rows.append(_row(result, made, list(worst.values())))
        known = columns.setdefault((result.key.model, made), _columns(result, made, list(worst)))
        known["last_end_ms"] = max(known["last_end_ms"], result.key.end_ms)
    if rows:
        statement = upsert(score_columns)
        latest = func.greatest(score_columns.c.last_end_ms, statement.excluded.last_end_ms)
        statement = statement.on_conflict_do_update(
            index_elements=[score_columns.c.model, score_columns.c.id], set_={"last_end_ms": latest}
        )
        connection.execute(statement, list(columns.values()))
        connection.execute(insert(window_score), rows)


def _row(result: SliceResult, made: bytes, ratios: list[float | None]) -> dict[str, Any]:
    counted = not result.aggregate
    return {
        **result.key._asdict(), "inferences": result.inferences if counted else 0,
        "labels": result.labels if counted else 0, "revision": result.revision, "incomplete": result.incomplete,
        "columns_id": made, "ratios": ratios, "worst": max((r for r in ratios if r is not None), default=None),
    }  # fmt: skip


def _columns(result: SliceResult, made: bytes, columns: Sequence[Named]) -> dict[str, Any]:
    roles, names = [role for role, _ in columns], [name for _, name in columns]
    return {
        "model": result.key.model, "id": made, "roles": roles, "names": names, "last_end_ms": result.key.end_ms,
    }  # fmt: skip
