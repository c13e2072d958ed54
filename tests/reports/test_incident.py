"""The report of an incident says its cause, its time, what it rests on and what it did, each with its numbers."""

from __future__ import annotations

from typing import Any

import pytest

from service.monitor import MINUTE_MS
from service.reports.document import Section
from service.reports.incident import incident_report
from service.store.marks import AlarmVerdict
from service.store.report_places import LogPlace
from tests.reports.made import T, alert, incident, incident_case, mark, metric, score, seen, window


def section(title: str, **changes: Any) -> Section:
    return next(s for s in incident_report(incident_case(**changes)).sections if s.title == title)


def facts(**changes: Any) -> dict[str, str]:
    return dict(incident_report(incident_case(**changes)).facts)


def test_it_begins_with_the_sentence_and_how_sure_that_is() -> None:
    assert incident_report(incident_case()).sentence == "amount is in cents. Confidence 0.97 of 1."
    unsure = incident_case(alerts=(alert(confidence=None),))
    assert incident_report(unsure).sentence == "amount is in cents"
    silent = incident_case(incident=incident(summary=""), alerts=(alert(confidence=None),))
    assert incident_report(silent).sentence == "unit_change in model churn"


def test_it_says_since_when_until_when_and_the_first_bad_event() -> None:
    told = facts()
    assert told["since"] == "2026-11-22 00:00:00 UTC"
    assert told["until"] == "2026-11-22 00:15:00 UTC"
    assert told["lasted"] == "15m"
    assert told["first bad event"].startswith("2026-11-22 00:00:01 UTC")
    assert told["fired"] == "2026-11-22 00:05:00 UTC, and paged"
    assert told["reference"] == "churn-ref"
    still = facts(incident=incident(until_ms=None, paged_ms=None), first_event_ms=None)
    assert still["until"] == "still open 2026-11-22 02:00:00 UTC"
    assert still["lasted"] == "2h"
    assert still["fired"].endswith("no page")
    assert still["first bad event"].startswith("not stored any more")


def test_evidence_is_a_table_of_what_rang_with_value_limit_n_and_reference() -> None:
    scores = [score(), score(feature="age", verdict="ok", ratio=0.5)]
    evidence = section("Evidence", seen=seen(scores=scores))
    assert evidence.table is not None
    (row,) = evidence.table.rows
    assert row == (
        "amount", "psi", "4", "0.5", "8.00", "500", "3,000", "3", "version 7", "5m until 2026-11-22 00:05",
    )  # fmt: skip
    assert "1 column rang" in evidence.lines[0]


def test_where_nothing_rang_it_shows_what_came_nearest_or_that_nothing_is_stored() -> None:
    near = section("Evidence", seen=seen(scores=[score(verdict="ok", ratio=0.5)]))
    assert "none rang" in near.lines[0]
    assert near.table is not None
    assert section("Evidence", seen=seen(scores=[])).lines == (
        "No score of the slices of its alerts is stored.",
    )


def test_it_names_partitions_and_offsets_or_the_time_to_look_from() -> None:
    table = section("Where to look in Kafka").table
    assert table is not None
    assert table.rows == (("log", "3", "300", "1000 to 1399", "0", "0"),)
    unknown = seen(places=[LogPlace("log", 3, 300, None, None, 2, 77, 5)])
    told = section("Where to look in Kafka", seen=unknown)
    assert told.table is not None
    assert told.table.rows == (("log", "3", "300", "not known any more", "2, first at 77", "5"),)
    assert f"in milliseconds {T}" in told.lines[1]


def test_performance_before_and_during_has_intervals_rows_and_how_ripe_it_is() -> None:
    rows = [metric(n, 0.9) for n in (-2, -1, 0)] + [metric(n, 0.6) for n in (1, 2, 3)]
    rows += [metric(n, 0.9, metric="recall") for n in (0, 1)]
    told = section(
        "Performance",
        seen=seen(performance=rows, ripe_after_ms=110 * MINUTE_MS, windows=[window(1), window(3)]),
    )
    assert told.table is not None
    assert told.table.rows[0] == (
        "realized", "accuracy", "version 7 the whole model", "0.9 (0.8827 to 0.9173)", "300 in 3 windows",
        "0.6 (0.5827 to 0.6173)", "300 in 3 windows", "2 of 3 windows",
    )  # fmt: skip
    assert told.lines[0] == "Of 2 metrics 1 differ by more than their intervals; those come first."
    assert told.lines[1].endswith("1 of the stretch are not yet.")


def test_performance_of_windows_that_lost_records_says_so() -> None:
    rows = [window(0, incomplete=True), window(1, incomplete=True)]
    told = section("Performance", seen=seen(performance=[metric(1, 0.9)], windows=rows))
    assert told.lines[1].endswith("all are. 1 window lost records.")


def test_without_labels_it_says_that_no_window_is_ripe() -> None:
    told = section("Performance", seen=seen(ripe_after_ms=None, performance=[metric(1, None)]))
    assert told.table is None
    assert "no window is ripe" in told.lines[0]


def test_windows_that_lost_records_are_told() -> None:
    rows = [window(0, incomplete=True), window(1, incomplete=True), window(2, revision=2), window(3)]
    told = section("Volume", seen=seen(windows=rows))
    assert told.lines[0] == (
        "300 predictions and 30 labels arrived in 3 windows of 5m, 100 predictions a window."
    )
    assert told.lines[1].startswith(
        "1 of them are incomplete: records of their time were lost; 1 were restated"
    )


def test_affected_segments_and_versions_are_named_and_consequences_marked() -> None:
    other = alert(version="8", segment="country=DE", consequence=True, summary="scores rose", confidence=None)
    told = section("Affected segments and versions", alerts=(alert(), other))
    assert told.lines[0] == (
        "2 alerts: 1 because of it, 1 follow from it. Affected: version 7, version 8 country=DE."
    )
    assert told.table is not None
    assert told.table.rows[1][-1] == "follows: scores rose"


def test_what_was_seen_of_the_answers_is_told_once() -> None:
    moved = alert(evidence={"effect": "its predictions moved with it: 23 % of them differ", "ratio": 100.0})
    assert section("Effect on the answers", alerts=(moved,)).lines == (
        "As far as was seen, its predictions moved with it: 23 % of them differ.",
    )
    table = section("What the diagnosis rests on", alerts=(moved,)).table
    assert table is not None
    assert table.rows == (("ratio", "100"),)
    titles = {one.title for one in incident_report(incident_case()).sections}
    assert "Effect on the answers" not in titles


def test_marks_say_who_said_what_and_why() -> None:
    assert section("Marks").lines[0].startswith("Nobody has said yet")
    said = section("Marks", marks=(mark(), mark(verdict=AlarmVerdict.FALSE_ALARM, who="bob"))).lines
    assert said[0] == "2026-11-22 01:00 UTC: a true alarm, says anna: the shop sent cents"
    assert said[1].startswith("2026-11-22 01:00 UTC: a false alarm, says bob")


@pytest.mark.parametrize(
    ("cause", "severity", "runbook"),
    [
        ("unit_change", "page", "DriftbellModelAlert"),
        ("data_drift", "ticket", "DriftbellModelAlertTicket"),
        ("silence", "page", "DriftbellModelSilent"),
        ("label_silence", "ticket", "DriftbellLabelsSilent"),
    ],
)
def test_what_helps_is_of_the_cause(cause: str, severity: str, runbook: str) -> None:
    told = section("What usually helps", incident=incident(cause=cause, severity=severity))
    assert f"runbook {runbook};" in told.lines[0]
    assert len(told.lines) >= 3


def test_the_window_told_of_is_said() -> None:
    assert facts()["window"] == "5m; told of 2026-11-22 00:00 to 2026-11-22 00:15 UTC"
