"""The report of a window or a day says what was wrong in it, or that nothing was."""

from __future__ import annotations

from service.reports.span import span_report
from tests.reports.made import incident, score, seen, span_case, stretch


def test_the_sentence_counts_incidents_and_names_the_worst_column() -> None:
    case = span_case(incidents=(incident(),), seen=seen(scores=[score(), score(feature="age", ratio=2.0)]))
    told = span_report(case, "window")
    assert told.title == "Model churn: window until 2026-11-22 00:15 UTC"
    assert told.sentence == (
        "1 incident was open in the window; 2 of its columns rang, the worst amount by psi, 8.00 of its limit."
    )
    assert told.sections[0].table is not None
    assert told.sections[0].table.rows[0][:4] == ("i-1", "page", "resolved", "unit_change")


def test_a_quiet_day_is_quiet() -> None:
    told = span_report(span_case(seen=seen(scores=[score(verdict="ok", ratio=0.4)])), "day")
    assert told.sentence == "0 incidents were open in the day; no score was over its limit."
    assert told.sections[0].lines == ("None was open.",)


def test_facts_say_n_window_reference_and_what_it_is_compared_with() -> None:
    facts = dict(span_report(span_case(seen=seen(of=stretch(segment="country=DE"))), "day").facts)
    assert facts["predictions (n)"] == "300"
    assert (facts["window"], facts["reference"], facts["versions"]) == ("5m", "churn-ref", "7")
    assert facts["rows"] == "version 7 country=DE"
    assert facts["compared with"] == "the 15m before"


def test_missing_values_are_ranked_by_their_share_with_n() -> None:
    some = [
        score(method="missing_null", value=0.02, limit=0.01),
        score(feature="age", method="missing_wrong_type", value=0.9, limit=None),
        score(feature="country", method="missing_nan", value=0.0),
    ]
    told = next(
        s
        for s in span_report(span_case(seen=seen(missing=some)), "day").sections
        if s.title == "Missing values"
    )
    assert told.table is not None
    assert [row[:5] for row in told.table.rows] == [
        ("age", "wrong type", "90.0 %", "\N{EN DASH}", "500"), ("amount", "null", "2.0 %", "1.0 %", "500"),
    ]  # fmt: skip
