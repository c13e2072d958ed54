"""The alert state machine, incidents, silence, and that the fold is a function of its windows only."""

from __future__ import annotations

from copy import deepcopy

import pytest

from service.alerting.fold import Terms, fold
from service.alerting.state import FoldState, open_alerts, state_from_bytes, state_to_bytes
from service.messages import Cause, Column, Role, Severity, State
from service.monitor import AlertPolicy, Monitor
from tests.alerting.findings import ALPHA, HOUR, Course, finding, key, slice_of

SCORE = Column(Role.SCORE, "score")
OVER, BETWEEN, UNDER = 1.5, 0.9, 0.5
TABLE = [
    # for, clear, ratios window by window                  states told, window by window
    (1, 2, [UNDER, BETWEEN], [[], []]),
    (1, 2, [OVER], [["firing"]]),
    (1, 2, [OVER, OVER], [["firing"], []]),
    (1, 1, [OVER, UNDER], [["firing"], ["resolved"]]),
    (1, 2, [OVER, UNDER], [["firing"], []]),
    (1, 2, [OVER, UNDER, UNDER], [["firing"], [], ["resolved"]]),
    (1, 2, [OVER, UNDER, OVER, UNDER, UNDER], [["firing"], [], [], [], ["resolved"]]),
    (1, 2, [OVER, BETWEEN, BETWEEN, BETWEEN], [["firing"], [], [], []]),
    (1, 2, [OVER, UNDER, BETWEEN, UNDER], [["firing"], [], [], ["resolved"]]),
    (1, 1, [OVER, None, None], [["firing"], [], []]),
    (1, 1, [OVER, UNDER, OVER], [["firing"], ["resolved"], ["firing"]]),
    (3, 1, [OVER], [["pending"]]),
    (3, 1, [OVER, OVER, OVER], [["pending"], [], ["firing"]]),
    (3, 1, [OVER, OVER, UNDER], [["pending"], [], ["resolved"]]),
    (3, 1, [OVER, OVER, BETWEEN], [["pending"], [], ["resolved"]]),
    (3, 1, [OVER, UNDER, OVER, OVER, OVER], [["pending"], ["resolved"], ["pending"], [], ["firing"]]),
    (2, 1, [OVER, None, OVER], [["pending"], [], ["firing"]]),
    (2, 3, [OVER, OVER, UNDER, UNDER, UNDER], [["pending"], ["firing"], [], [], ["resolved"]]),
]


@pytest.mark.parametrize(("for_windows", "clear_windows", "ratios", "told"), TABLE)
@pytest.mark.parametrize("stored", [False, True])
def test_every_transition_is_as_drawn(
    for_windows: int, clear_windows: int, ratios: list[float], told: list[list[str]], stored: bool
) -> None:
    course = Course(AlertPolicy(for_windows, clear_windows, 0.8))
    seen = []
    for ratio in ratios:
        seen.append(course.ratio(ratio))
        if stored:
            course.again()
    assert seen == told


def test_the_edge_of_each_ratio_belongs_to_the_quiet_side() -> None:
    course = Course(AlertPolicy(1, 1, 0.8))
    assert course.ratio(1.0) == []
    assert course.ratio(1.0000001) == ["firing"]
    assert course.ratio(0.81) == []
    assert course.ratio(0.8) == ["resolved"]


def test_a_value_over_a_limit_of_zero_rings() -> None:
    course = Course()
    broken = finding(0.0, "evidence_null")
    over_zero = type(broken)(
        broken.column, "evidence_null", 0.001, 0.0, 1e-9, 500, 1000, 0.0, finding(2.0).verdict
    )
    assert [a.state for a in course.window(slice_of(0, over_zero))] == [State.FIRING]


def test_an_alert_keeps_its_name_while_it_lasts_and_a_new_one_has_another() -> None:
    course = Course(AlertPolicy(1, 1))
    [fired], [resolved], [fired_again] = (course.window(slice_of(0, finding(r))) for r in (OVER, UNDER, OVER))
    assert fired.id == resolved.id != fired_again.id
    assert (fired.since_ms, fired.at_ms, resolved.at_ms) == (0, HOUR, 2 * HOUR)
    assert resolved.summary == fired.summary


@pytest.mark.parametrize(("quiet_windows", "incidents"), [(1, 1), (22, 1), (23, 2), (40, 2)])
def test_what_flickers_is_one_incident_and_what_comes_after_a_day_of_quiet_windows_is_another(
    quiet_windows: int, incidents: int
) -> None:
    # window    1      2     3     4 ...   then
    # amount    over   -     over  -       over
    course = Course(AlertPolicy(1, 1))
    ratios = [OVER, UNDER, OVER, UNDER, *[UNDER] * quiet_windows, OVER]
    fired = [a for r in ratios for a in course.window(slice_of(0, finding(r))) if a.state is State.FIRING]
    assert len(fired) == 3
    assert fired[0].incident == fired[1].incident
    assert len({a.incident for a in fired}) == incidents


def test_alerts_that_join_while_another_is_open_share_its_incident() -> None:
    course = Course()
    [first] = course.window(slice_of(0, finding(OVER)))
    [second] = course.window(slice_of(0, finding(OVER), finding(OVER, column=SCORE)))
    assert first.incident == second.incident
    assert (first.cause, second.cause) == (Cause.DATA_DRIFT, Cause.PREDICTION_DRIFT)


def test_methods_of_one_column_are_one_alert_and_rules_of_one_column_are_several() -> None:
    course = Course()
    changes = course.window(
        slice_of(
            0,
            finding(OVER),
            finding(9.0, "psi"),
            finding(OVER, "evidence_null"),
            finding(OVER, "evidence_nan"),
        )
    )
    assert sorted((a.rule, a.cause) for a in changes) == [
        ("drift", Cause.DATA_DRIFT),
        ("missing", Cause.MISSING),
    ]


def test_segments_and_versions_and_kinds_of_windows_ring_on_their_own() -> None:
    course = Course(segments=("country",))
    changes = course.window(
        slice_of(0, finding(OVER)),
        slice_of(0, finding(OVER), version="8"),
        slice_of(0, finding(OVER), segment="country=DE"),
    )
    assert len({a.id for a in changes}) == 3
    other_kind = fold(course.state, key(1, "", window="5m"), [], Terms(Monitor("churn")))
    assert other_kind.changes == []
    assert len(course.state.tracked) == 3


def test_what_rang_on_a_version_that_is_gone_is_resolved_after_the_windows_that_clear() -> None:
    # window      1      2      3
    # version 7   over   -      -
    # version 8          fine   fine
    course = Course(AlertPolicy(1, 2))
    course.window(slice_of(0, finding(OVER), version="7"))
    assert course.window(slice_of(0, finding(UNDER), version="8")) == []
    [gone] = course.window(slice_of(0, finding(UNDER), version="8"))
    assert (gone.state, gone.version) == (State.RESOLVED, "7")
    assert not course.state.tracked


def test_what_rang_on_a_feature_that_nobody_watches_any_more_is_resolved_too() -> None:
    course = Course(AlertPolicy(1, 2))
    course.ratio(OVER)
    assert course.window(slice_of(0, finding(UNDER, column=SCORE))) == []
    assert [a.state for a in course.window(slice_of(0, finding(UNDER, column=SCORE)))] == [State.RESOLVED]


def test_a_pending_alert_whose_slice_is_gone_never_fires() -> None:
    course = Course(AlertPolicy(3, 2))
    assert course.ratio(OVER) == ["pending"]
    assert [a.state for a in course.window()] == [State.RESOLVED]


# Volumes


def steady(course: Course, windows: int = 12, **slices: int) -> None:
    """Windows of the usual traffic: 500 events, of which some belong to segments."""
    for _ in range(windows):
        assert course.window(*traffic(500, **slices)) == []


def traffic(events: int, version: str = "7", **slices: int) -> list:  # type: ignore[type-arg]
    """One version's slices: all, and each country."""
    parts = [slice_of(0, version=version, events=events)] if events else []
    return parts + [
        slice_of(0, version=version, segment=f"country={c}", events=n) for c, n in slices.items() if n
    ]


def test_silence_of_the_whole_model_is_said_once_and_wakes_somebody() -> None:
    # window   1 .. 12   13   14   15   16
    # events   500       -    -    500  500
    course = Course(AlertPolicy(1, 2), segments=("country",), watch_volume=True)
    steady(course, DE=300, FR=200)
    [silence] = course.window()
    assert (silence.rule, silence.cause, silence.severity, silence.state) == (
        "silence",
        Cause.SILENCE,
        Severity.PAGE,
        State.FIRING,
    )
    assert (silence.version, silence.segment, silence.column) == ("", "", None)
    assert (
        silence.summary
        == "churn: no events arrive, usual are about 500 a window (1970-01-01 12:00 to 13:00 UTC, 0 events)"
    )
    assert course.window() == []
    assert course.window(*traffic(500, DE=300, FR=200)) == []
    assert [a.state for a in course.window(*traffic(500, DE=300, FR=200))] == [State.RESOLVED]


def test_silence_of_one_segment_names_the_segment() -> None:
    course = Course(segments=("country",), watch_volume=True)
    steady(course, DE=300, FR=200)
    changes = course.window(*traffic(480, DE=480))
    silent = [a for a in changes if a.cause is Cause.SILENCE]
    assert [a.segment for a in silent] == ["country=FR"]
    assert silent[0].summary.startswith(
        "churn for country=FR: no events arrive, usual are about 200 a window"
    )


def test_a_segment_that_the_monitor_no_longer_names_is_not_missed() -> None:
    course = Course(AlertPolicy(1, 1), segments=("country",), watch_volume=True)
    steady(course, DE=300, FR=200)
    assert [a.segment for a in course.window(*traffic(500, DE=300))] == ["country=FR"]
    course.segments = ()
    assert [(a.segment, a.state) for a in course.window(*traffic(500))] == [("country=FR", State.RESOLVED)]
    assert course.window(*traffic(500)) == []


def test_a_new_version_that_takes_over_is_no_silence() -> None:
    # window       1 .. 12   13    14
    # version 7    500       250
    # version 8              250   500
    course = Course(watch_volume=True)
    steady(course)
    both = [*traffic(250, version="7"), *traffic(250, version="8")]
    assert course.window(*both) == []
    assert course.window(*traffic(500, version="8")) == []


def test_a_fall_or_a_rise_of_traffic_is_a_ticket_with_both_numbers() -> None:
    course = Course(watch_volume=True)
    steady(course)
    [risen] = course.window(*traffic(5_000))
    assert (risen.cause, risen.severity) == (Cause.PIPELINE, Severity.TICKET)
    assert "5,000 events arrived, usual are about 500 a window" in risen.summary


def test_a_lasting_change_of_traffic_rings_once_and_becomes_the_usual() -> None:
    # window   1 .. 12   13 ...
    # events   500       5,000 from now on
    course = Course(AlertPolicy(1, 2), watch_volume=True)
    steady(course)
    states = [a.state for _ in range(60) for a in course.window(*traffic(5_000))]
    assert states == [State.FIRING, State.RESOLVED]


def test_silence_does_not_become_the_usual() -> None:
    course = Course(watch_volume=True)
    steady(course)
    course.window()
    before = deepcopy(course.state.volumes)
    first = course.last
    for _ in range(80):
        course.window()
    assert course.state.volumes == before
    assert first is not None
    assert course.last is not None
    assert [(f.m, f.value, f.verdict) for _, f in course.last.volumes] == [
        (f.m, f.value, f.verdict) for _, f in first.volumes
    ]


def test_a_first_and_a_last_window_that_are_half_full_hide_no_silence() -> None:
    # window   1   2 .. 6   7   8
    # events   2   500      3   -
    course = Course(AlertPolicy(1, 2), watch_volume=True)
    course.window(*traffic(2))
    for _ in range(5):
        course.window(*traffic(500))
    course.window(*traffic(3))
    assert [a.cause for a in course.window() if a.severity is Severity.PAGE] == [Cause.SILENCE]


def test_batches_with_pauses_between_them_are_not_silent_in_the_pauses() -> None:
    # window   1    2   3   4    5   6   ...
    # events   500  -   -   500  -   -
    course = Course(watch_volume=True)
    for _ in range(20):
        assert course.window(*traffic(500)) == []
        assert course.window() == []
        assert course.window() == []


def test_a_window_that_was_cut_short_says_nothing_of_volume() -> None:
    course = Course(watch_volume=True)
    steady(course)
    course.watch_volume = False
    assert course.window(*traffic(3)) == []
    assert course.last is not None
    assert course.last.volumes == []


def test_a_model_without_history_is_not_silent() -> None:
    course = Course(watch_volume=True)
    for _ in range(10):
        assert course.window() == []


def test_traffic_that_flaps_is_one_incident() -> None:
    # window   1 .. 12   13  14   15  16   17  18
    # events   500       -   500  -   500  -   500
    course = Course(AlertPolicy(1, 2), watch_volume=True)
    steady(course)
    changes = [a for events in [0, 500] * 3 for a in course.window(*traffic(events))]
    assert [a.state for a in changes] == [State.FIRING]


# State


def test_the_state_comes_back_from_its_bytes_as_it_was() -> None:
    course = Course(AlertPolicy(2, 2), segments=("country",), watch_volume=True)
    steady(course, windows=7, DE=300)
    course.window(
        slice_of(0, finding(OVER), events=500), slice_of(0, finding(OVER), segment="country=DE", events=300)
    )
    data = state_to_bytes(course.state)
    assert state_to_bytes(state_from_bytes(data)) == data
    assert set(open_alerts(course.state, "churn")) == {t.id for t in course.state.tracked.values()}
    assert {a.segment for a in open_alerts(course.state, "churn").values()} == {"", "country=DE"}
    assert state_from_bytes(None) == FoldState()


def test_the_same_windows_give_the_same_bytes_and_alerts() -> None:
    def course() -> tuple[bytes, list[object]]:
        state, told = FoldState(), []
        for hour in range(40):
            results = [
                slice_of(
                    hour, finding(OVER if hour % 7 in {3, 4} else UNDER), events=500 - 490 * (hour == 30)
                )
            ]
            terms = Terms(Monitor("churn"), ALPHA)
            told += [a.document() for a in fold(state, key(hour, ""), results, terms).changes]
        return state_to_bytes(state), told

    assert course() == course()
    assert len(course()[1]) > 4


def test_a_changed_distribution_is_told_with_what_it_is_unlike_and_like() -> None:
    unlike = "unlike training (31 nats) and the recent past (25 nats), likest 7 days before"
    [alert] = Course().window(slice_of(0, finding(2.0)._replace(reason=unlike)))
    assert alert.evidence["references"] == unlike
    [other] = Course().window(slice_of(0, finding(2.0, "evidence_null")))
    assert "references" not in other.evidence
