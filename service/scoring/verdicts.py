"""A detector's score with its limit and verdict, as it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detectors.score import TOO_LITTLE_DATA
from service.messages import Column, Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detectors.column_scores import ColumnScores
    from detectors.pair import FloatArray
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


def findings_of(columns: Sequence[Column], scores: ColumnScores, tolerances: FloatArray) -> list[Finding]:
    """The same of many columns at once; what too little data are of has no value."""
    limits = np.maximum(scores.limit, tolerances)
    rows = zip(
        columns, scores.value.tolist(), limits.tolist(), scores.p_value.tolist(), scores.n.astype(int).tolist(),
        scores.m.astype(int).tolist(), scores.resolution.tolist(), scores.is_enough.tolist(),
        strict=True,
    )  # fmt: skip
    method = scores.method
    return [
        Finding(column, method, value, limit, p_value, n, m, resolution, verdict_of(value, limit))
        if is_enough
        else Finding(column, method, None, None, None, n, m, 0.0, Verdict.TOO_LITTLE_DATA, TOO_LITTLE_DATA)
        for column, value, limit, p_value, n, m, resolution, is_enough in rows
    ]


def verdict_of(value: float, limit: float) -> Verdict:
    """Drift is more than the limit."""
    return Verdict.DRIFT if value > limit else Verdict.OK
