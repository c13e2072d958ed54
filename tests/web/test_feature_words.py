"""How a column stands is one sentence, and the worst is said first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from service.store.result_queries import AlertRow
from service.web.pages.feature_words import Score, score_lines, standing_of

T, LENGTH_MS = 1_795_305_600_000, 300_000


def score(window: int, ratio: float, **changes: Any) -> Score:
    usual = {
        "version": "7", "method": "psi", "end_ms": T + window * LENGTH_MS, "value": ratio * 0.5, "limit": 0.5, "n": 500,
        "m": 3_000, "verdict": "drift" if ratio > 1 else "ok",
    }  # fmt: skip
    return Score(**usual | changes)


def alert(**changes: Any) -> AlertRow:
    usual: dict[str, Any] = {
        "id": "a", "incident": "i-1", "model": "churn", "version": "7", "segment": "", "window": "5m",
        "role": "feature",
        "feature": "amount", "rule": "drift", "cause": "unit_change", "severity": "page", "state": "firing",
        "since_ms": T, "at_ms": T, "summary": "amount is x100", "updated_at": datetime(2026, 11, 22, tzinfo=UTC),
    }  # fmt: skip
    return AlertRow(**usual | changes)


def test_what_rings_is_the_sentence_and_leads_to_its_incident() -> None:
    found = standing_of([alert(), alert(summary="later")], [score(1, 0.1)], None)
    assert (found.tone, found.word, found.sentence, found.link) == (
        "alert", "Alert", "amount is x100", "incidents/i-1",
    )  # fmt: skip
    assert standing_of([alert(severity="ticket")], [], None).word == "Warning"
    assert standing_of([alert(state="pending")], [], None).word == "Suspicion"


#           |--1--|--2--|--3--|--4--|   windows; over its limit in these:
def test_within_its_limits_it_is_said_since_when() -> None:
    never = standing_of([], [score(window, 0.4) for window in (1, 2, 3)], None)
    assert never.sentence == "Within its limits in all 3 windows shown."
    once = standing_of([], [score(1, 0.4), score(2, 3.0), score(3, 0.4), score(4, 0.5)], None)
    assert once.sentence == "Within its limits since 2026-11-22 00:10:00 UTC, for 2 windows."


def test_over_its_limit_without_an_alert_is_no_health() -> None:
    found = standing_of([], [score(1, 0.4), score(2, 3.0), score(2, 9.0, method="ks")], None)
    assert (found.tone, found.word) == ("suspicion", "Over")
    assert found.sentence.startswith("ks is 9.00 times its limit in the newest window shown")


def test_why_there_is_no_score_is_said() -> None:
    assert standing_of([], [], "the model has no reference yet").sentence == (
        "There is no score: the model has no reference yet."
    )
    little = score(1, 0.0, value=None, limit=None, verdict="too_little_data")
    assert standing_of([], [little], None).sentence == "There is no score: too few rows came."
    assert standing_of([], [], None).word == "Not scored"


def test_the_worst_scores_come_first() -> None:
    scores = [
        score(1, 0.2), score(2, 0.3), score(1, 2.0, method="ks"), score(2, 0.1, method="ks"),
        score(2, 0.9, method="tv"), score(2, 0.0, method="new", value=None, limit=None, verdict="too_little_data"),
    ]  # fmt: skip
    lines = score_lines(scores)
    assert [(one.method, one.over) for one in lines] == [("ks", 1), ("tv", 0), ("psi", 0), ("new", 0)]
    assert (lines[0].value, lines[0].times, lines[0].verdict) == ("0.05", "0.10", "within")
    assert (lines[3].value, lines[3].verdict) == ("\N{EN DASH}", "too few rows")
