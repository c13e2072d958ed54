"""One incident: what broke, since when, how sure that is, what to do, what it rests on, and what people say of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fastapi import Request
from starlette.responses import HTMLResponse

from service.alerting.runbooks import RUNBOOKS, runbook_of
from service.alerting.standing_words import covered, ending_of, minute_of, word_of
from service.messages import Verdict
from service.moments import time_at
from service.reports.document import Report, Section
from service.reports.incident import incident_report
from service.reports.phrases import column, number, place, sure_said, times_over
from service.store.engine import transaction
from service.store.report_cases import IncidentCase, incident_case
from service.web.api.incidents import budget_of
from service.web.api.parameters import NameInPath
from service.web.api.words import NONE_OF_THIS_ID, standing_of
from service.web.authorization import caller_of
from service.web.dependencies import Dependencies, WebDependencies
from service.web.links import api, feature_page, incidents_page, model_page
from service.web.pages.alert_bars import bars_of
from service.web.pages.page import page
from service.web.problems import not_found
from service.web.report_page import drawn_by
from service.web.wording import moment

if TYPE_CHECKING:
    from service.store.report_scores import Score

MOST_COLUMNS = 12
_FIRST = ("Effect on the answers", "What usually helps")
_DIAGNOSIS, _MARKS = "What the diagnosis rests on", "Marks"


@dataclass(frozen=True, slots=True)
class Ranked:
    """A column that rang: its worst score by its limit, of how many rows, and its page."""

    name: str
    ratio: str
    method: str
    value: str
    limit: str
    n: int
    m: int
    where: str
    window: str
    link: str


def incident(request: Request, web: Dependencies, incident_id: NameInPath) -> HTMLResponse:
    """The page of one incident."""
    return shown(request, web, incident_id)


def shown(
    request: Request, web: WebDependencies, incident_id: str, complaint: str | None = None
) -> HTMLResponse:
    """The page; with why what was sent was not done."""
    now_ms = web.clock_ms()
    case = incident_case(web.engine, incident_id, now_ms)
    if case is None:
        raise not_found(NONE_OF_THIS_ID)
    report, one, root = incident_report(case), case.incident, case.alerts[0]
    with transaction(web.engine) as connection:
        standing = standing_of(connection, one, time_at(now_ms))
        budget = budget_of(connection, one.model, now_ms)
    answer = page(
        request, "incident.html", place="incidents", one=one, root_alert=root, told=case, standing=standing,
        headline=headline_of(one.summary or f"{one.cause} in model {one.model}"), sure=sure_said(root.confidence),
        complaint=complaint, is_nameless=caller_of(request).key is None, facts=dict(report.facts),
        first=[section for section in report.sections if section.title in _FIRST], rest=list(_rest(report)),
        diagnosis=_section(report, _DIAGNOSIS), columns=ranked(case), bars=bars_of(case.alerts, now_ms),
        since=moment(one.since_ms, now_ms), until=moment(one.until_ms, now_ms), now=moment(now_ms, now_ms),
        runbooks=RUNBOOKS, runbook=runbook_of(one.cause, one.severity), budget=budget,
        model_link=model_page(one.model), others=incidents_page(model=one.model), source=api("incidents", one.id),
        word_of=word_of, ending_of=ending_of, minute_of=minute_of, covered=covered, moment=_proposed(case),
        **drawn_by(),
    )  # fmt: skip
    answer.status_code = 422 if complaint else 200
    return answer


def _rest(report: Report) -> Iterator[Section]:
    """What stands below what a person needs first; the evidence is shown with its links, marks with all words."""
    shown_elsewhere = {*_FIRST, _DIAGNOSIS, _MARKS, "Evidence"}
    return (section for section in report.sections if section.title not in shown_elsewhere)


def _section(report: Report, title: str) -> Section | None:
    return next((section for section in report.sections if section.title == title), None)


class Headline(NamedTuple):
    """A sentence without its last brackets, and what stands in them: when it was seen, and of how many rows."""

    said: str
    seen: str


def headline_of(sentence: str) -> Headline:
    """The sentence that says the cause, in two parts where it has them."""
    said, bracket, seen = sentence.rpartition(" (")
    return Headline(said, seen[:-1]) if bracket and seen.endswith(")") else Headline(sentence, "")


def ranked(case: IncidentCase) -> Sequence[Ranked]:
    """The columns by their worst score, those that rang; where none did, those that came nearest."""
    scores = case.seen.scores
    rang = [one for one in scores if one.verdict == Verdict.DRIFT]
    worst: dict[tuple[str, str], Score] = {}
    for one in rang or scores:
        worst.setdefault((one.role, one.feature), one)
    return [_ranked(one, case) for one in list(worst.values())[:MOST_COLUMNS]]


def _ranked(one: Score, case: IncidentCase) -> Ranked:
    link = feature_page(
        case.incident.model, one.role, one.feature, version=one.version or None, segment=one.segment or None,
        since=case.seen.of.before_ms, until=case.seen.of.end_ms,
    ) if one.role else model_page(case.incident.model)  # fmt: skip
    return Ranked(
        column(one.role, one.feature), times_over(one.ratio), one.method, number(one.value), number(one.limit), one.n,
        one.m, place(one.version, one.segment), one.window, link,
    )  # fmt: skip


def _proposed(case: IncidentCase) -> dict[str, str]:
    """The stretch that is proposed as the new reference."""
    now_ms = case.seen.now_ms
    since, until = moment(case.incident.since_ms, now_ms), moment(case.seen.of.end_ms, now_ms)
    return {"from": since.iso if since else "", "to": until.iso if until else ""}
