"""A score becomes a finding: it rings above its limit and its tolerance, and never on too little data."""

from __future__ import annotations

import pytest

from detectors.score import Score
from service.messages import Verdict
from service.scoring.verdicts import finding_of


@pytest.mark.parametrize(
    ("value", "limit", "tolerance", "kept", "verdict"),
    [
        (0.3, 0.2, 0.1, 0.2, Verdict.DRIFT),
        (0.3, 0.2, 0.4, 0.4, Verdict.OK),
        (0.3, 0.3, 0.0, 0.3, Verdict.OK),
        (None, 0.2, 0.4, 0.2, Verdict.TOO_LITTLE_DATA),
        (0.3, None, 0.4, None, Verdict.TOO_LITTLE_DATA),
    ],
)
def test_a_score_rings_above_its_limit_and_its_tolerance(
    value: float | None, limit: float | None, tolerance: float, kept: float | None, verdict: Verdict
) -> None:
    found = finding_of(None, Score("psi", value, 0.5, limit, 30, 40, 0.1, "a reason"), tolerance)
    assert (found.limit, found.verdict, found.reason) == (kept, verdict, "a reason")
    assert (found.method, found.value, found.n, found.m, found.resolution) == ("psi", value, 30, 40, 0.1)
