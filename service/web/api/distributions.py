"""One column over the API: its distribution beside the reference or another time, and its course over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from service.distributions.course import Course
from service.distributions.distribution import Distribution
from service.messages import Column, Role
from service.store.column_panes import ColumnFilter
from service.store.column_views import Compared, Time, compare, follow, last_window
from service.store.engine import transaction
from service.web.api.csv_rows import CsvTable
from service.web.api.distribution_tables import bars_table, points_table
from service.web.api.parameters import Name
from service.web.api.parameters import Time as Moment
from service.web.api.stored_state import read_or_conflict
from service.web.api.window_spans import chosen_window, found_monitor
from service.web.dependencies import Dependencies

if TYPE_CHECKING:
    from service.monitor import WindowSpec
    from service.web.dependencies import WebDependencies

USUAL_POINTS, MOST_POINTS = 60, 240
_EARLIEST_MS, _LATEST_MS = -62_104_060_800_000, 253_370_764_799_999


class ColumnParameters(BaseModel):
    """Which column of which rows. An empty version is all of them together, an empty segment the whole model."""

    model_config = ConfigDict(extra="forbid")

    model: Name = Field(description="the model's name")
    role: Role = Field(Role.FEATURE, description="what the column holds")
    feature: Name | None = Field(None, description="the column's name; of one that is no feature, its role")
    window: Name | None = Field(
        None, description="the kind of window; usual: the monitor's shortest tumbling one"
    )
    version: Name = Field("", description="the model's version; empty: all together")
    segment: Name = Field("", description="such as country=DE; empty: the whole model")

    def wanted(self) -> ColumnFilter:
        """As the store asks for it."""
        return ColumnFilter(
            self.model, Column(self.role, self.feature or self.role.value), self.version, self.segment
        )


class DistributionParameters(ColumnParameters):
    """What is compared with what."""

    feature: Name = Field(description="the column's name; of one that is no feature, its role")
    since: Moment | None = Field(
        None, description="rows from this time on; usual: of the last complete window"
    )
    until: Moment | None = Field(
        None, description="rows before this time; usual: of the last complete window"
    )
    against: Literal["reference"] | None = Field(
        None, description="what it is compared with; usual: the reference"
    )
    against_since: Moment | None = Field(
        None, description="instead of the reference: rows from this time on,"
    )
    against_until: Moment | None = Field(None, description="and before this time")


class CourseParameters(ColumnParameters):
    """Which time, in how many points."""

    feature: Name = Field(description="the column's name; of one that is no feature, its role")
    since: Moment | None = Field(
        None, description="windows that end after this time; usual: as many as `points`"
    )
    until: Moment | None = Field(
        None, description="windows that end by then; usual: up to the last complete one"
    )
    points: int = Field(
        USUAL_POINTS, ge=1, le=MOST_POINTS, description="the most points; more windows share them"
    )


@dataclass(frozen=True, slots=True)
class DistributionAnswer:
    """A distribution, and which one it is."""

    model: str
    role: Role
    feature: str
    version: str
    segment: str
    window: str
    since_ms: int
    until_ms: int
    distribution: Distribution

    @staticmethod
    def csv_table(told: Any) -> CsvTable:
        """A row for each bar."""
        return bars_table(told["distribution"])


@dataclass(frozen=True, slots=True)
class CourseAnswer:
    """A course, and which one it is."""

    model: str
    role: Role
    feature: str
    version: str
    segment: str
    window: str
    since_ms: int
    until_ms: int
    course: Course

    @staticmethod
    def csv_table(told: Any) -> CsvTable:
        """A row for each point."""
        return points_table(told["course"])


def distribution_of(web: WebDependencies, asked: DistributionParameters) -> DistributionAnswer:
    """What API and page show of a column's distribution."""
    wanted, spec = asked.wanted(), _window_spec(web, asked)
    time = _pair("since", asked.since, "until", asked.until, spec.length_ms)
    against = _pair(
        "against_since", asked.against_since, "against_until", asked.against_until, spec.length_ms
    )
    if against is not None and asked.against is not None:
        raise _refused("against", "compare with the reference or with a time, not with both")
    with read_or_conflict():
        time, found = compare(web.engine, Compared(wanted, spec, time, against))
    return DistributionAnswer(
        asked.model, *wanted.column, asked.version, asked.segment, spec.name, *time, found
    )


def course_of(web: WebDependencies, asked: CourseParameters) -> CourseAnswer:
    """What API and page show of a column over time."""
    wanted, spec = asked.wanted(), _window_spec(web, asked)
    until_ms = asked.until
    if until_ms is None:
        with transaction(web.engine) as connection:
            until_ms = last_window(connection, wanted, spec).until_ms
    since_ms = until_ms - asked.points * spec.every_ms if asked.since is None else asked.since
    if since_ms >= until_ms:
        raise _refused("since", "must lie before `until`")
    _tellable("since", Time(since_ms, until_ms))
    with read_or_conflict():
        found = follow(web.engine, wanted, spec, since_ms, until_ms, asked.points)
    return CourseAnswer(
        asked.model, *wanted.column, asked.version, asked.segment, spec.name, since_ms, until_ms, found
    )


def _window_spec(web: WebDependencies, asked: ColumnParameters) -> WindowSpec:
    """The kind of window that is asked for; a problem names those that there are."""
    with transaction(web.engine) as connection:
        return chosen_window(found_monitor(connection, asked.model), asked.window)


def _pair(
    since_name: str, since: int | None, until_name: str, until: int | None, length_ms: int
) -> Time | None:
    """Both ends; the one that is not named is a window's length from the other."""
    if since is None and until is None:
        return None
    start = until - length_ms if since is None and until is not None else since
    end = start + length_ms if until is None and start is not None else until
    if start is None or end is None or start >= end:
        raise _refused(since_name, f"must lie before `{until_name}`")
    return _tellable(since_name, Time(start, end))


def _tellable(parameter: str, time: Time) -> Time:
    """Windows around the time must have dates, too."""
    if not _EARLIEST_MS <= time.since_ms <= time.until_ms <= _LATEST_MS:
        raise _refused(parameter, "must lie in the years 2 to 9998, as `until` must")
    return time


def _refused(parameter: str, sentence: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"{parameter}: {sentence}")


# ---------------------------------------------------------------- endpoints
def distribution(web: Dependencies, asked: Annotated[DistributionParameters, Query()]) -> DistributionAnswer:
    """A column's values in a time, beside the reference's or those of another time: bars, and shares below points.

    Bars sum to the rows of each side: ranges with round edges, or the most frequent categories, `other` and `unseen`;
    and the six kinds of missing. `ecdf` is off by at most its resolution. `method` says how the figures are made.
    """
    return distribution_of(web, asked)


def course(web: Dependencies, asked: Annotated[CourseParameters, Query()]) -> CourseAnswer:
    """A column over time, columnar: rows, shares of the six kinds of missing, and quantiles, or shares of categories.

    Each point is a window, or consecutive ones together where there are more than `points`. A bounded number of panes
    is read evenly: `panes` of `of_panes`, with `rows` of `of_rows`. `reference` has the same figures of the reference.
    """
    return course_of(web, asked)


DISTRIBUTION_ENDPOINTS: dict[str, Callable[..., Any]] = {"/distribution": distribution, "/course": course}
