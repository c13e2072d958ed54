"""The report of one incident: what broke, how sure that is, since when, what it rests on, and what it did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from service.alerting.effect import EFFECT, effect_said
from service.plurals import counted
from service.reports.advice import advice_for
from service.reports.document import Cells, Report, Section, Table
from service.reports.evidence import evidence, missing
from service.reports.histograms import histograms, reference_of
from service.reports.performances import performance
from service.reports.phrases import lasted, minute, moment, number, place
from service.reports.places import where_to_look
from service.reports.timelines import volume, worst_over_time

if TYPE_CHECKING:
    from service.store.report_cases import IncidentCase
    from service.store.result_queries import AlertRow

_WORDS = {
    "false_alarm": "a false alarm",
    "true_alarm": "a true alarm",
    "expected": "expected, a planned change",
}
_ALERT_COLUMNS = (
    "severity",
    "state",
    "cause",
    "rule",
    "where",
    "window",
    "since (UTC)",
    "confidence",
    "what",
)
MOST_ALERTS = 20


def incident_report(case: IncidentCase) -> Report:
    """All that is known of an incident, the root first."""
    one, seen = case.incident, case.seen
    sections = (
        _effect(case), evidence(seen.scores, what="the slices of its alerts"), _facts_of_diagnosis(case.alerts),
        _alerts(case.alerts), where_to_look(seen), performance(seen), worst_over_time(seen.standings, seen.of),
        volume(seen.windows, seen.of), missing(seen.missing), histograms(seen.beside, seen.scores),
        _advice(case), _marks(case),
    )  # fmt: skip
    return Report(
        f"Incident {one.id}: model {one.model}",
        f"{one.summary or f'{one.cause} in model {one.model}'}{_sure(case.alerts)}",
        tuple(_facts(case)),
        tuple(section for section in sections if section is not None),
        f"made {moment(seen.now_ms)}",
    )


def _sure(alerts: Sequence[AlertRow]) -> str:
    confidence = alerts[0].confidence
    return "" if confidence is None else f". Confidence {confidence:.2f} of 1."


def _facts(case: IncidentCase) -> Iterator[tuple[str, str]]:
    one, seen = case.incident, case.seen
    yield "cause", f"{one.cause}, {one.severity}, {one.state}"
    yield "about", ", ".join(filter(None, (place(one.version, one.segment), one.feature)))
    yield "since", moment(one.since_ms)
    yield "until", moment(one.until_ms) if one.until_ms is not None else f"still open {moment(seen.now_ms)}"
    yield "lasted", lasted((one.until_ms or seen.now_ms) - one.since_ms)
    first = "not stored any more" if case.first_event_ms is None else moment(case.first_event_ms)
    yield "first bad event", f"{first}, the first event at or after the beginning"
    yield "fired", moment(one.fired_ms) + (", and paged" if one.paged_ms is not None else ", no page")
    yield "reference", reference_of(seen)
    yield (
        "window",
        f"{seen.of.window or 'none'}; told of {minute(seen.of.start_ms)} to {minute(seen.of.end_ms)} UTC",
    )


def _effect(case: IncidentCase) -> Section | None:
    said = effect_said(alert.evidence for alert in case.alerts)
    return None if said is None else Section("Effect on the answers", (f"As far as was seen, {said}.",))


def _facts_of_diagnosis(alerts: Sequence[AlertRow]) -> Section | None:
    """What the root's diagnosis rests on."""
    facts = [
        (name.replace("_", " "), number(value) if isinstance(value, int | float) else str(value))
        for name, value in sorted(alerts[0].evidence.items())
        if name != EFFECT
    ]
    if not facts:
        return None
    return Section("What the diagnosis rests on", table=Table(("fact", "value"), tuple(facts)))


def _alerts(alerts: Sequence[AlertRow]) -> Section:
    causes = sum(not one.consequence for one in alerts)
    parts = {place(one.version, one.segment) for one in alerts}
    causes_said = f"{causes:,} because of it, {len(alerts) - causes:,} follow from it"
    said = [
        f"{counted(len(alerts), 'alert')}: {causes_said}. Affected: {', '.join(sorted(parts)[:MOST_ALERTS])}."
    ]
    if len(alerts) > MOST_ALERTS:
        said.append(f"{len(alerts) - MOST_ALERTS:,} more are not shown.")
    rows = tuple(map(_alert_row, alerts[:MOST_ALERTS]))
    return Section("Affected segments and versions", tuple(said), Table(_ALERT_COLUMNS, rows))


def _alert_row(one: AlertRow) -> Cells:
    follows = "follows: " if one.consequence else ""
    sure = "\N{EN DASH}" if one.confidence is None else f"{one.confidence:.2f}"
    return (
        one.severity, one.state, one.cause, one.rule, place(one.version, one.segment), one.window,
        minute(one.since_ms), sure, f"{follows}{one.summary or one.rule}",
    )  # fmt: skip


def _advice(case: IncidentCase) -> Section:
    advice = advice_for(case.incident.cause, case.incident.severity)
    said = f"Of the runbook {advice.runbook}; what to look at first stands there, too."
    return Section("What usually helps", (said, *advice.lines))


def _marks(case: IncidentCase) -> Section:
    if not case.marks:
        return Section("Marks", ("Nobody has said yet whether this was a true or a false alarm.",))
    said = (
        f"{one.marked_at:%Y-%m-%d %H:%M} UTC: {_WORDS[one.verdict]}, says {one.who}: {one.why}"
        for one in case.marks[:MOST_ALERTS]
    )
    return Section("Marks", tuple(said))
