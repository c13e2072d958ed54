"""The scores of one column over time, over the API: columnar, since they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from service.messages import Role
from service.store.engine import transaction
from service.store.window_heat import ColumnScore, column_scores, references_of
from service.web.api.columnar import aligned, by_kind, series_table
from service.web.api.csv_rows import CsvTable
from service.web.api.parameters import LONGEST_NAME
from service.web.api.window_spans import OfWindowSpan, WindowSpanParameters, found_monitor, window_span_of
from service.web.dependencies import Dependencies

MOST_WINDOWS = 5_000
_OF_WINDOWS = {
    "starts_ms": "start_ms",
    "ends_ms": "end_ms",
    "incomplete": "incomplete",
    "references": "reference",
}
_OF_SCORES = {
    "values": "value",
    "limits": "limit",
    "p_values": "p_value",
    "n": "n",
    "m": "m",
    "verdicts": "verdict",
}


class ScoresParameters(WindowSpanParameters):
    """Also of which column. Both are empty for what is said of the whole slice."""

    role: Role | Annotated[str, Field(max_length=0)] = Role.FEATURE
    feature: Annotated[str, Field(max_length=LONGEST_NAME)] = Field("", description="the column's name")
    points: int = Field(2_000, ge=1, le=MOST_WINDOWS, description="at most so many windows, the newest")


class Series(BaseModel):
    """What one method said of the column in the windows of one version; null where it said nothing."""

    version: str
    method: str
    values: list[float | None]
    limits: list[float | None]
    p_values: list[float | None]
    n: list[int | None]
    m: list[int | None]
    verdicts: list[str | None]


class ScoreWindows(BaseModel):
    """Parallel lists, a window each, of all versions together."""

    starts_ms: list[int]
    ends_ms: list[int]
    incomplete: list[bool]
    references: list[str | None]


class Scores(OfWindowSpan):
    """The scores of one column over time; all lists have a place for each window."""

    role: str
    feature: str
    windows: ScoreWindows
    series: list[Series]

    @staticmethod
    def csv_table(told: Any) -> CsvTable:
        """A row for each score."""
        return series_table(told, "method", _OF_WINDOWS, _OF_SCORES, "verdicts")


def scores(web: Dependencies, asked: Annotated[ScoresParameters, Query()]) -> Scores:
    """The scores of one column in each window: by method the value, its limit, n and m, and the verdict."""
    with transaction(web.engine) as connection:
        span = window_span_of(asked, found_monitor(connection, asked.model), web.clock_ms())
        found, windows = column_scores(connection, span, (str(asked.role), asked.feature), asked.points)
        references = references_of(connection, span.model)
    starts, incomplete = (
        {end: start for _, start, end, _ in windows},
        {end for *_, end, lost in windows if lost},
    )
    ends = sorted(starts)
    return Scores(
        **asdict(span), role=str(asked.role), feature=asked.feature,
        windows=ScoreWindows(
            starts_ms=[starts[end] for end in ends], ends_ms=ends, incomplete=[end in incomplete for end in ends],
            references=[references.at(starts[end]) for end in ends],
        ),
        series=_series(found, ends),
    )  # fmt: skip


def _series(found: Sequence[ColumnScore], ends: Sequence[int]) -> list[Series]:
    series = by_kind(found, lambda one: (one.version, one.method))
    return [
        Series(version=version, method=method, **aligned(of, ends, _OF_SCORES))
        for (version, method), of in sorted(series.items())
    ]


COLUMN_ENDPOINTS: dict[str, Callable[..., Any]] = {"/scores": scores}
