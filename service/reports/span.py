"""The report of a window or a day of a model: what was wrong, how far, how much came, and how well it answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from service.messages import Verdict
from service.plurals import counted
from service.reports.document import Cells, Report, Section, Table
from service.reports.evidence import evidence, missing
from service.reports.histograms import histograms, reference_of
from service.reports.performances import performance
from service.reports.phrases import column, lasted, minute, moment, place, times_over
from service.reports.places import where_to_look
from service.reports.timelines import volume, worst_over_time

if TYPE_CHECKING:
    from service.store.incidents import IncidentRow
    from service.store.report_cases import SpanCase

_COLUMNS = ("incident", "severity", "state", "cause", "since (UTC)", "mark", "what")


def span_report(case: SpanCase, kind: str) -> Report:
    """`kind` is a word for the stretch: a window, or a day."""
    seen, of = case.seen, case.seen.of
    sections = (
        _incidents(case), evidence(seen.scores, what=f"the {kind}"),
        worst_over_time(seen.standings, of), volume(seen.windows, of), missing(seen.missing), performance(seen),
        histograms(seen.beside, seen.scores), where_to_look(seen),
    )  # fmt: skip
    of_segment = f", {of.segment}" if of.segment else ""
    return Report(
        f"Model {of.model}{of_segment}: {kind} until {minute(of.end_ms)} UTC",
        _sentence(case, kind),
        tuple(_facts(case)),
        tuple(section for section in sections if section is not None),
        f"made {moment(seen.now_ms)}",
    )


def _sentence(case: SpanCase, kind: str) -> str:
    rang = [one for one in case.seen.scores if one.verdict == Verdict.DRIFT]
    many = f"{counted(len(case.incidents), 'incident was', 'incidents were')} open in the {kind}"
    if not rang:
        return f"{many}; no score was over its limit."
    worst = rang[0]
    said = f"{column(worst.role, worst.feature)} by {worst.method}, {times_over(worst.ratio)} of its limit"
    columns = len({(one.role, one.feature) for one in rang})
    return f"{many}; {columns:,} of its columns rang, the worst {said}."


def _facts(case: SpanCase) -> Iterator[tuple[str, str]]:
    seen, of = case.seen, case.seen.of
    mine = [row for row in seen.windows if row.end_ms > of.start_ms]
    yield "model", of.model
    yield "rows", place(of.version, of.segment)
    yield "from", moment(of.start_ms)
    yield "until", moment(of.end_ms)
    yield "window", of.window
    yield "versions", ", ".join(sorted({row.version for row in mine if row.version})[:20]) or "none named"
    yield "predictions (n)", f"{sum(row.inferences for row in mine):,}"
    yield "reference", reference_of(seen)
    yield "compared with", f"the {lasted(of.start_ms - of.before_ms)} before"


def _incidents(case: SpanCase) -> Section:
    if not case.incidents:
        return Section("Incidents", ("None was open.",))
    rows = tuple(map(_row, case.incidents))
    return Section("Incidents", table=Table(_COLUMNS, rows))


def _row(one: IncidentRow) -> Cells:
    mark = (one.verdict or "not marked").removesuffix("_alarm")
    return one.id, one.severity, one.state, one.cause, minute(one.since_ms), mark, one.summary
