"""Windows are behind when events would let them be finished, and not when there are no events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.doctor.check import Condition
from service.doctor.evaluators import EvaluationSeen, evaluator_checks
from service.monitor import HOUR_MS, MINUTE_MS

T = 1_795_305_600_000  # 2026-11-22T00:00:00Z
#        first pane                 position = watermark = end of the last pane
#  ------|--------------------------|
SEEN = EvaluationSeen("churn", T, T, T - HOUR_MS, T)


def judged(**changes: Any) -> dict[str, tuple[Condition, str]]:
    return {one.name: (one.condition, one.sentence) for one in evaluator_checks([replace(SEEN, **changes)])}


def test_a_model_whose_windows_follow_its_events_is_well() -> None:
    assert judged() == {"windows of churn": (Condition.OK, "evaluated to 2026-11-22T00:00:00Z")}


@pytest.mark.parametrize(
    ("changes", "condition", "said"),
    [
        ({"position_ms": T - 3 * MINUTE_MS}, Condition.OK, "evaluated to"),
        ({"position_ms": T - 4 * MINUTE_MS}, Condition.WARNING, "4 min behind what has come"),
        ({"position_ms": T - 18 * MINUTE_MS}, Condition.FAILURE, "18 min behind what has come"),
        # no events for an hour: no window is due
        ({"watermark_ms": T + HOUR_MS}, Condition.OK, "evaluated to"),
        # panes that the watermark has not passed yet are not late
        ({"last_pane_end_ms": T + HOUR_MS}, Condition.OK, "evaluated to"),
        ({"position_ms": None}, Condition.FAILURE, "none is evaluated yet, 60 min behind"),
        ({"watermark_ms": None}, Condition.WARNING, "has not brought a single event"),
        (
            {"first_pane_ms": None, "last_pane_end_ms": None},
            Condition.NOT_CHECKED,
            "no event of it is stored",
        ),
    ],
)
def test_windows_are_held_against_watermark_and_panes(
    changes: dict[str, Any], condition: Condition, said: str
) -> None:
    found, sentence = judged(**changes)["windows of churn"]
    assert found is condition
    assert said in sentence


def test_a_lease_that_nobody_gave_back_is_a_warning_that_names_its_holder() -> None:
    found = judged(owner="host-1:7", expired_ms=120_000)["lease of churn"]
    assert found == (Condition.WARNING, "host-1:7 has not given back its lease, which ended 2 min ago")


def test_a_long_inbox_of_the_join_is_a_warning() -> None:
    assert "join of churn" not in judged(inbox=100_000)
    assert judged(inbox=100_001)["join of churn"] == (
        Condition.WARNING,
        "100,001 predictions and labels wait to be joined",
    )


def test_without_models_there_is_nothing_to_evaluate() -> None:
    (check,) = evaluator_checks([])
    assert not check.is_problem
