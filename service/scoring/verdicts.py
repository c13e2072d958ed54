"""A detector's score with its limit and verdict, as it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.messages import Column, Finding, Verdict

if TYPE_CHECKING:
    from detectors.score import Score


def finding_of(column: Column | None, score: Score, tolerance: float) -> Finding:
    """It rings above its limit, and above what is too small to matter."""
    limit, verdict = score.limit, Verdict.TOO_LITTLE_DATA
    if score.value is not None and limit is not None:
        limit = max(limit, tolerance)
        verdict = verdict_of(score.value, limit)
    return Finding(
        column, score.method, score.value, limit, score.p_value, score.n, score.m, score.resolution, verdict,
        score.reason,
    )  # fmt: skip


def verdict_of(value: float, limit: float) -> Verdict:
    """Drift is more than the limit."""
    return Verdict.DRIFT if value > limit else Verdict.OK
