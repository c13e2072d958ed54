"""No point without evidence: what is only configured, has stopped, or tells nobody counts for less or for nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, Monitor, Task, WindowSpec
from service.monitor_file import parse_monitors
from service.promises import Contract, Promise, RowRule
from service.readiness.grading import score_of
from service.readiness.readiness import Compared, Grade, Known, Notification, Seen, Trace
from service.readiness.rubric import ERRORS

NOW_MS = 1_795_305_600_000
WINDOW_MS = 5 * MINUTE_MS
MONITOR = Monitor(
    "churn", task=Task.BINARY, reference="churn", windows=(WindowSpec.tumbling(WINDOW_MS),), nonfinite="missing",
    contract=Contract(
        {"amount": Promise(type="number")}, (RowRule("slow", "latency_ms <= 500", 0.01),), unknown_features=0.01
    ),
)  # fmt: skip
TOLD = Notification(reaches=True, sentences=())
UNTOLD = Notification(reaches=False, sentences=())


def trace(role: str, method: str, end_ms: int = NOW_MS, n: int = 100, name: str = "") -> Trace:
    return Trace(role, method, "5m", end_ms, n, 3, name)


FEATURES = tuple(
    trace("feature", m) for m in ("missing_absent", "missing_wrong_type", "missing_null", "evidence")
)
ANSWERS = tuple(trace("score", m) for m in ("missing_nan", "missing_infinite", "evidence"))
COMPUTING = (trace("", "volume"), trace("rule", "contract_rule", name="slow"))
KNOWN = Known(
    MONITOR, NOW_MS, Compared("churn", 10_000, NOW_MS - 40 * DAY_MS),
    (*FEATURES, *ANSWERS, *COMPUTING, trace("", ERRORS)), versions=(Seen("7", NOW_MS - 12 * DAY_MS),),
    last_label_ms=NOW_MS,
)  # fmt: skip


def points(known: Known, notification: Notification = TOLD) -> list[float]:
    return [grade.points for grade in score_of(known, notification).tests]


def grade_of(known: Known, number: int, notification: Notification = TOLD) -> Grade:
    return score_of(known, notification).tests[number - 1]


def older(known: Known, by_ms: int) -> Known:
    """The same, looked at later."""
    return replace(known, now_ms=known.now_ms + by_ms)


# ---------------------------------------------------------------- the rule of the paper
def test_what_runs_by_itself_and_tells_somebody_has_its_points() -> None:
    score = score_of(KNOWN, TOLD)
    assert points(KNOWN) == [0.5, 1, 1, 0, 1, 0.5, 1]
    assert (score.points, score.most) == (5.0, 5.0)
    assert [grade.missing for grade in score.tests if grade.number != 4] == [()] * 6


def test_what_tells_nobody_is_done_by_hand_and_a_part_of_a_test_is_nothing_then() -> None:
    assert points(KNOWN, UNTOLD) == [0, 0.5, 0.5, 0, 0.5, 0, 0.5]
    assert "somebody who is known to be told when it rings" in grade_of(KNOWN, 1, UNTOLD).missing


def test_what_is_only_configured_has_no_point() -> None:
    assert points(replace(KNOWN, findings=(), last_label_ms=None)) == [0] * 7


def test_no_test_has_more_points_than_can_be_shown_and_what_nobody_sees_is_said() -> None:
    tests = score_of(KNOWN, TOLD).tests
    assert [grade.number for grade in tests] == [1, 2, 3, 4, 5, 6, 7]
    assert all(grade.points <= grade.most for grade in tests)
    assert all(grade.unseen for grade in tests if grade.most < 1)
    assert grade_of(KNOWN, 6).unseen == "training speed and RAM"


def test_what_has_not_run_within_three_windows_and_the_lateness_loses_its_points() -> None:
    # ends      5m windows, ten minutes late
    # |----|----|----|----|----|  still evidence here, and not a millisecond later
    last_ms = 3 * WINDOW_MS + MONITOR.allowed_lateness_ms
    assert points(older(KNOWN, last_ms)) == points(KNOWN)
    stale = older(KNOWN, last_ms + 1)
    assert points(stale) == [0, 0, 0, 0, 0, 0, 1]
    for number in (1, 2, 3, 5, 6):
        assert any(
            "has not run since 2026-11-22T00:00:00Z" in line for line in grade_of(stale, number).missing
        )
        assert not any(ran.fresh for ran in grade_of(stale, number).evidence)


def test_windows_that_the_monitor_no_longer_asks_for_are_no_evidence() -> None:
    hourly = replace(MONITOR, windows=(WindowSpec.tumbling(HOUR_MS),))
    assert points(replace(KNOWN, monitor=hourly)) == [0] * 7


# ---------------------------------------------------------------- test by test
def test_a_test_says_which_rule_of_which_methods_ran_when_and_on_how_many_rows() -> None:
    (ran,) = grade_of(KNOWN, 3).evidence
    assert (ran.rule, ran.methods, ran.window, ran.end_ms, ran.n, ran.columns) == (
        "drift", ("evidence",), "5m", NOW_MS, 100, 3,
    )  # fmt: skip


def test_changes_of_fields_need_counts_and_the_evidence_that_rings_by_them() -> None:
    counted = tuple(one for one in KNOWN.findings if one.method != "evidence")
    assert grade_of(replace(KNOWN, findings=counted), 1).points == 0


def test_new_fields_wake_nobody_until_the_contract_says_so() -> None:
    without = replace(KNOWN, monitor=replace(MONITOR, contract=None))
    (advice,) = grade_of(without, 1).missing
    assert "wakes nobody" in advice


def test_a_contract_alone_is_enough_for_invariants_once_it_ran() -> None:
    bare = replace(KNOWN, reference=None, findings=(trace("feature", "float_type_big_float"),))
    assert grade_of(bare, 2).points == 1
    assert grade_of(replace(bare, findings=()), 2).points == 0
    assert "held against no window yet" in " ".join(grade_of(replace(bare, findings=()), 2).missing)


def test_a_reference_of_served_rows_that_a_person_accepted_is_half_a_test_for_skew() -> None:
    accepted = replace(KNOWN, reference=Compared("churn-2", 5_000, NOW_MS, accepted_by="anna"))
    found = grade_of(accepted, 3)
    assert found.points == 0.5
    assert "it was made of served rows, which anna accepted" in found.remarks


def test_age_is_told_and_earns_nothing_since_nothing_watches_it() -> None:
    found = grade_of(KNOWN, 4)
    assert (found.points, found.most) == (0, 0)
    assert found.remarks[0] == "version '7' is known since 2026-11-10T00:00:00Z"
    assert "nothing in driftbell watches a model's age" in found.missing[0]


def test_answers_that_are_not_finite_must_be_counted_and_not_thrown_away() -> None:
    rejecting = replace(KNOWN, monitor=replace(MONITOR, nonfinite="reject"))
    assert grade_of(rejecting, 5).points == 0.5
    features_only = replace(KNOWN, findings=(*FEATURES, *COMPUTING))
    assert grade_of(features_only, 5).points == 0
    assert "--prediction COLUMN" in grade_of(features_only, 5).missing[0]


@pytest.mark.parametrize("left_out", ["volume", "contract_rule"])
def test_latency_and_throughput_are_half_a_test_only_together(left_out: str) -> None:
    findings = tuple(one for one in KNOWN.findings if one.method != left_out)
    assert grade_of(replace(KNOWN, findings=findings), 6).points == 0


def test_latency_counts_when_the_reference_knows_it_or_a_rule_of_the_contract_names_it() -> None:
    learned = (trace("", "volume"), trace("latency_ms", "evidence"))
    assert grade_of(replace(KNOWN, findings=learned), 6).points == 0.5
    another = (trace("", "volume"), trace("rule", "contract_rule", name="debt"))
    assert grade_of(replace(KNOWN, findings=another), 6).points == 0


# ---------------------------------------------------------------- prediction quality
def unlabelled(**changes: object) -> Known:
    findings = tuple(one for one in KNOWN.findings if one.method != ERRORS)
    return replace(KNOWN, findings=findings, **changes)  # type: ignore[arg-type] # fields of Known


def test_quality_without_any_label_has_no_point_whatever_is_configured() -> None:
    found = grade_of(unlabelled(last_label_ms=None), 7)
    assert found.points == 0
    assert found.missing[0].startswith("no label has ever come")


def test_labels_without_a_task_or_without_their_predictions_are_told_apart() -> None:
    no_task = unlabelled(monitor=replace(MONITOR, task=Task.NONE))
    assert "`task: binary`" in grade_of(no_task, 7).missing[0]
    assert "none has met its prediction" in grade_of(unlabelled(), 7).missing[0]


def test_performance_that_is_measured_and_judged_by_nobody_is_half_a_test() -> None:
    measured = unlabelled(measured=trace("", "accuracy"))
    assert grade_of(measured, 7).points == 0.5
    assert grade_of(measured, 7, UNTOLD).points == 0.5
    judged = replace(measured, judged=(trace("", "evidence_wrong"),))
    assert grade_of(judged, 7).points == 1


@pytest.mark.parametrize("method", ["label_bias", "wrong_rate"])
def test_what_tells_of_labels_or_only_counts_does_not_ring_by_quality(method: str) -> None:
    found = grade_of(unlabelled(judged=(trace("", method),)), 7)
    assert found.points == 0


def test_rules_of_labels_may_wait_for_a_day_and_performance_until_it_is_ripe() -> None:
    assert grade_of(older(KNOWN, DAY_MS), 7).points == 1
    assert grade_of(older(KNOWN, DAY_MS + 1), 7).points == 0
    judged = unlabelled(judged=(trace("", "evidence_wrong"),), ripe_after_ms=10 * DAY_MS)
    assert grade_of(older(judged, 11 * DAY_MS), 7).points == 1
    stopped = grade_of(older(judged, 11 * DAY_MS + 1), 7)
    assert stopped.points == 0
    assert "labels have stopped" in stopped.missing[0]


# ---------------------------------------------------------------- what is advised
def test_the_lines_of_yaml_that_are_advised_are_lines_of_a_monitor() -> None:
    nothing = replace(KNOWN, monitor=Monitor("churn"), reference=None, findings=(), last_label_ms=None)
    features_only = replace(KNOWN, monitor=Monitor("churn"), findings=(*FEATURES, *ANSWERS))
    said = [
        line for known in (nothing, features_only) for g in score_of(known, TOLD).tests for line in g.missing
    ]
    written = {text for line in said for text in re.findall(r"`([a-z]+: [^`]+)`", line)}
    assert {text.partition(":")[0] for text in written} == {
        "contract",
        "nonfinite",
        "reference",
        "rules",
        "task",
    }
    for text in written:
        line = f"contract: {{{text}}}" if text.startswith("rules") else text
        parse_monitors(f"models:\n  churn:\n    {line}\n", "advice")


def test_names_are_quoted_in_commands_to_be_copied() -> None:
    hostile = replace(KNOWN, monitor=Monitor("a; rm -rf /"), reference=None, findings=())
    assert "--model 'a; rm -rf /' --data" in grade_of(hostile, 3).missing[0]
