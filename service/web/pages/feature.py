"""One column: its values beside the reference's, what is missing, its scores by their limits, and all over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from service.messages import Role
from service.moments import utc
from service.reports.phrases import DASH, share
from service.store.column_slices import Slices, open_alerts_of, slices_until
from service.store.column_views import Time, last_window
from service.store.engine import transaction
from service.web.api.column_scores import ScoresParameters, scores
from service.web.api.distributions import USUAL_POINTS, CourseParameters, course_of, distribution_of
from service.web.api.window_spans import chosen_window, found_monitor, window_kinds
from service.web.dependencies import Dependencies
from service.web.links import api, feature_page, incident_page, model_page
from service.web.pages.feature_parameters import COMPARE_WORDS, Compare, FeatureParameters, against_of
from service.web.pages.feature_words import (
    Score,
    figures,
    lines_of,
    missing_figures,
    origin_sentence,
    score_lines,
    scores_in,
    side_name,
    standing_of,
)
from service.web.pages.page import page
from service.web.wording import iso

if TYPE_CHECKING:
    from service.messages import Column
    from service.monitor import Monitor, WindowSpec
    from service.web.dependencies import WebDependencies

_SCORES_SHOWN = 6
_WINDOWS_AFTER = 15
"""So many windows after the one that is looked at are shown, where there are as many."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """The window that is looked at, the time around it that is drawn, and what is known there."""

    spec: WindowSpec
    newest: Time
    time: Time
    course: Time
    slices: Slices


def feature(request: Request, web: Dependencies, asked: Annotated[FeatureParameters, Query()]) -> Response:
    """The page of one column; what is said of no column stands on the model's page."""
    if asked.names_none:
        return RedirectResponse(model_page(asked.model, **_time_chosen(asked)), HTTPStatus.SEE_OTHER)
    with transaction(web.engine) as connection:
        monitor = found_monitor(connection, asked.model)
    column, spec = asked.wanted().column, chosen_window(monitor, asked.window)
    shown = _shown(web, asked, spec)
    found = distribution_of(web, asked.distribution(shown.time, spec)).distribution
    course = course_of(web, _course(asked, shown)).course
    with transaction(web.engine) as connection:
        alerts = open_alerts_of(connection, asked.model, column)
    scored = _scores(web, asked, shown)
    level = course.reference
    return page(
        request, "feature.html", place="overview", asked=asked, column=column, name=_name(column), shown=shown,
        standing=standing_of(alerts, scored, course.reason), alerts=alerts, found=found, level=level,
        sides=(side_name(found.current), side_name(found.against)),
        origins=(origin_sentence(found.current), origin_sentence(found.against)),
        figures=figures(found), missing=missing_figures(found), scores=score_lines(scored),
        lines=lines_of(course, scored), course=course, model_link=model_page(asked.model),
        links=_links(asked, shown), sources=_sources(asked, shown), choices=_choices(monitor, asked, shown),
        here=lambda since, until: feature_page(**_kept(asked) | {"since": since, "until": until}),
        utc=utc, iso=iso, count=_count, percent=_percent, incident_page=incident_page,
        compared=COMPARE_WORDS[asked.compare], methods=sorted({one.method for one in scored}),
        is_missing=any(bar.what == "missing" and (bar.current or bar.against) for bar in found.bars),
        most_scores=_SCORES_SHOWN,
        is_window=shown.time.until_ms - shown.time.since_ms == spec.length_ms,
    )  # fmt: skip


def _time_chosen(asked: FeatureParameters) -> dict[str, Any]:
    chosen = {name: value for name, value in asked.column().items() if name not in {"model", "role"}}
    return chosen | {"since": asked.since, "until": asked.until}


# ---------------------------------------------------------------- when
def _shown(web: WebDependencies, asked: FeatureParameters, spec: WindowSpec) -> _Shown:
    """The window that is asked for, or the last complete one, and windows around it."""
    with transaction(web.engine) as connection:
        newest = last_window(connection, asked.wanted(), spec)
        time = _time(asked, newest, spec)
        slices = slices_until(connection, asked.model, spec, max(newest.until_ms, time.until_ms))
    until_ms = max(time.until_ms, min(newest.until_ms, time.until_ms + _WINDOWS_AFTER * spec.every_ms))
    since_ms = min(time.since_ms, until_ms - USUAL_POINTS * spec.every_ms)
    return _Shown(spec, newest, time, Time(since_ms, until_ms), slices)


def _time(asked: FeatureParameters, newest: Time, spec: WindowSpec) -> Time:
    """One end alone is that of a window."""
    since, until = asked.since, asked.until
    if since is None and until is None:
        return newest
    end = (since or 0) + spec.length_ms if until is None else until
    return Time(end - spec.length_ms if since is None else since, end)


def _course(asked: FeatureParameters, shown: _Shown) -> CourseParameters:
    times = {"since": shown.course.since_ms, "until": shown.course.until_ms}
    return CourseParameters.model_construct(**asked.column() | times)


# ---------------------------------------------------------------- scores
def _scores(web: WebDependencies, asked: FeatureParameters, shown: _Shown) -> tuple[Score, ...]:
    """Of the method that is asked for, or of all."""
    told = scores(web, ScoresParameters.model_construct(**_scored(asked, shown)))
    return tuple(one for one in scores_in(told) if asked.method in {None, one.method})


def _scored(asked: FeatureParameters, shown: _Shown) -> dict[str, Any]:
    return {
        "model": asked.model, "role": asked.role.value, "feature": asked.wanted().column.name,
        "window": shown.spec.name, "version": asked.version or None, "segment": asked.segment,
        "since": shown.course.since_ms, "until": shown.course.until_ms,
    }  # fmt: skip


# ---------------------------------------------------------------- links
def _count(rows: int | None) -> str:
    return DASH if rows is None else f"{rows:,}"


def _percent(ratio: float | None) -> str:
    return DASH if ratio is None else share(ratio)


def _name(column: Column) -> str:
    return column.name if column.role is Role.FEATURE else f"the {column.role.value.removesuffix('_ms')}"


def _kept(asked: FeatureParameters) -> dict[str, Any]:
    """What stays when another window is chosen."""
    kept = asked.column() | {"role": asked.role.value}
    if asked.compare in {Compare.BEFORE, Compare.WEEK}:
        kept["compare"] = asked.compare.value
    return kept if asked.method is None else kept | {"method": asked.method}


def _links(asked: FeatureParameters, shown: _Shown) -> Mapping[str, str]:
    kept, time = _kept(asked), shown.time
    step = time.until_ms - time.since_ms
    if step == shown.spec.length_ms:
        step = shown.spec.every_ms
    links = {"before": feature_page(**kept | {"since": time.since_ms - step, "until": time.until_ms - step})}
    if time.until_ms < shown.newest.until_ms:
        links["after"] = feature_page(**kept | {"since": time.since_ms + step, "until": time.until_ms + step})
        links["newest"] = feature_page(**kept)
    return links


def _sources(asked: FeatureParameters, shown: _Shown) -> Mapping[str, str]:
    """The addresses that the charts are drawn from."""
    column = asked.column() | {"role": asked.role.value, "window": shown.spec.name}
    against = against_of(asked, shown.time, shown.spec)
    times = {} if against is None else {"against_since": against.since_ms, "against_until": against.until_ms}
    course = {"since": shown.course.since_ms, "until": shown.course.until_ms}
    windows: dict[str, Any] = {
        "model": asked.model,
        "window": shown.spec.name,
        "segment": asked.segment,
        **course,
    }
    return {
        "distribution": api("distribution", **column, since=shown.time.since_ms, until=shown.time.until_ms, **times),
        "course": api("course", **column, **course),
        "scores": api("scores", **_scored(asked, shown)),
        "window": api("windows", **windows),
    }  # fmt: skip


# ---------------------------------------------------------------- what can be chosen
def _choices(monitor: Monitor, asked: FeatureParameters, shown: _Shown) -> Mapping[str, Any]:
    """What stands in the form's lists; what is asked for always does."""
    return {
        "windows": [one.name for one in window_kinds(monitor)],
        "versions": sorted({*shown.slices.versions, asked.version} - {""}),
        "segments": sorted({*shown.slices.segments, asked.segment} - {""}),
        "compare": COMPARE_WORDS,
    }
