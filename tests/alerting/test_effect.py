"""An alert about inputs tells what was seen of the answers, the worst so far; what is not known is not told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from service.alerting.effect import effect_said
from service.alerting.rules import Signal
from service.diagnosis.diagnosis import Diagnosis
from service.messages import PREDICTION, SCORE, Alert, Cause, Column, Finding, Role, SliceResult
from service.monitor import AlertPolicy
from tests.alerting.findings import AMOUNT, Course, finding, slice_of

BROKEN = finding(2.0)
LATENCY = Column(Role.LATENCY, "latency_ms")


def moved(share: float, limit: float = 0.1, column: Column = PREDICTION) -> Finding:
    """So many of the answers have moved."""
    return finding(share / limit, "tv", column, limit)


def wrong(share: float, *, rings: bool, usual: float = 0.1) -> Sequence[Finding]:
    """Labels came, and so many of them say that the model was wrong."""
    weighed = finding(2.0 if rings else 0.2, "evidence_error", None)
    return finding(share / usual, "error_rate", None, usual), weighed


def alerts_of(*windows: Sequence[Finding]) -> list[Alert]:
    """What is told of the amount, which is broken in every window, with these findings beside it."""
    course = Course(AlertPolicy(1, 2, 0.8))
    return [a for w in windows for a in course.window(slice_of(0, BROKEN, *w)) if a.column == AMOUNT]


def said(*findings: Finding) -> str | None:
    """What the alert of one window says of the effect."""
    [alert] = alerts_of(findings)
    return effect_said([alert.evidence])


def test_predictions_that_moved_are_told_with_how_many_of_them_differ() -> None:
    [alert] = alerts_of([moved(0.23)])
    assert alert.evidence == {
        "predictions_moved": 0.23,
        "effect": "its predictions moved with it: 23 % of them differ",
    }
    assert "predictions" not in alert.summary


def test_a_move_that_only_all_windows_together_show_is_told_too() -> None:
    assert said(moved(0.06), finding(1.5, column=PREDICTION)) == (
        "its predictions moved with it: 6 % of them differ"
    )


def test_predictions_that_did_not_move_are_said_not_to_have_moved_so_far() -> None:
    assert said(moved(0.05), finding(0.1, column=PREDICTION)) == "its predictions have not moved so far"


def test_scores_are_told_when_they_moved_and_predictions_did_not() -> None:
    assert said(moved(0.05), moved(0.3, column=SCORE)) == "its scores moved with it: 30 % of them differ"


@pytest.mark.parametrize(
    "findings",
    [
        [],
        [finding(None, "tv", PREDICTION)],
        [finding(3.0, "tv", Column(Role.FEATURE, "age"))],
        [finding(3.0, "missing_null", PREDICTION)],
        wrong(0.3, rings=False),
        wrong(0.05, rings=True),
    ],
    ids=[
        "nothing",
        "too few rows",
        "another feature",
        "no distance",
        "more wrong, not surely",
        "was wrong once",
    ],
)
def test_where_nothing_is_known_nothing_is_said(findings: Sequence[Finding]) -> None:
    assert said(*findings) is None


def test_errors_are_told_once_labels_have_come() -> None:
    assert said(moved(0.05), *wrong(0.31, rings=True)) == (
        "its predictions have not moved so far; "
        "it is wrong in 31 % of the events whose labels came, usual is at most 10 %"
    )
    assert said(moved(0.05), *wrong(0.08, rings=False)) == (
        "its predictions have not moved so far; the labels so far show no more errors than usual"
    )


@pytest.mark.parametrize("column", [PREDICTION, SCORE, LATENCY, None])
def test_answers_have_no_effect_on_themselves(column: Column | None) -> None:
    method = "evidence_error" if column is None else "evidence"
    changes = Course(AlertPolicy(1, 2, 0.8)).window(slice_of(0, finding(2.0, method, column), moved(0.3)))
    assert any(a.column == column for a in changes)
    assert not any("effect" in a.evidence for a in changes)


def test_the_features_that_no_longer_go_together_have_an_effect_too() -> None:
    [alert] = Course(AlertPolicy(1, 2, 0.8)).window(slice_of(0, finding(2.0, "pca", None), moved(0.05)))
    assert alert.evidence == {"effect": "its predictions have not moved so far"}


# Over windows


def test_what_becomes_worse_is_kept_in_the_alert_and_what_becomes_better_is_not() -> None:
    # window   0     1      2      3      4
    # moved    5 %   20 %   22 %   40 %   12 %
    # kept     none  20 %          40 %
    told = alerts_of(*([moved(share)] for share in (0.05, 0.2, 0.22, 0.4, 0.12)))
    assert [a.evidence.get("predictions_moved") for a in told] == [None, 0.2, 0.4]
    assert {a.at_ms for a in told} == {told[0].at_ms}


def test_labels_that_come_later_are_added_to_what_was_told() -> None:
    first, later = alerts_of([moved(0.23)], wrong(0.31, rings=True))
    assert first.evidence["effect"] == "its predictions moved with it: 23 % of them differ"
    assert later.evidence == {
        "predictions_moved": 0.23,
        "error_rate": 0.31,
        "error_rate_usual": 0.1,
        "effect": "its predictions moved with it: 23 % of them differ; "
        "it is wrong in 31 % of the events whose labels came, usual is at most 10 %",
    }


def test_the_effect_stands_beside_the_diagnosis() -> None:
    def diagnose(_: SliceResult, signals: Sequence[Signal]) -> dict[Signal, Diagnosis]:
        found = Diagnosis(Cause.UNIT_CHANGE, (AMOUNT,), "x2.205", 0.95, {"factor": 2.2046})
        return {s: found for s in signals if s.column == AMOUNT}

    course = Course(AlertPolicy(1, 2, 0.8), diagnose=diagnose)
    [alert] = [a for a in course.window(slice_of(0, BROKEN, moved(0.23))) if a.column == AMOUNT]
    assert alert.evidence["factor"] == 2.2046
    assert alert.evidence["predictions_moved"] == 0.23


def test_of_an_incidents_alerts_the_worst_effect_is_said() -> None:
    calm, some, harm = (
        alerts_of(findings)[0].evidence
        for findings in ([moved(0.01)], [moved(0.5)], [moved(0.2), *wrong(0.4, rings=True)])
    )
    assert effect_said([calm, some, {}]) == some["effect"]
    assert effect_said([some, harm, calm]) == harm["effect"]
    assert effect_said([{}, {"effect": 3.0}]) is None
