"""Heat maps over the API: columnar, since they are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from service.messages import Role
from service.monitor import Monitor
from service.store.engine import transaction
from service.store.window_heat import (
    References,
    TooManyWindowsError,
    WindowSpan,
    columns_named,
    references_of,
    slice_windows,
)
from service.web.api.csv_rows import CsvTable
from service.web.api.heat_map import HeatMap, heat_map
from service.web.api.window_spans import OfWindowSpan, WindowSpanParameters, found_monitor, window_span_of
from service.web.dependencies import Dependencies

MOST_PLACES, MOST_COLUMNS = 5_000, 2_000
_SINGULAR = {
    "starts_ms": "start_ms", "ends_ms": "end_ms", "inferences": "inferences", "labels": "labels",
    "incomplete": "incomplete", "revisions": "revision", "references": "reference",
}  # fmt: skip
"""What is a list in columns, by what one of them is called."""


class HeatParameters(WindowSpanParameters):
    """Also how large the map may be."""

    points: int = Field(720, ge=1, le=MOST_PLACES, description="more windows than these are merged")
    columns: int = Field(500, ge=1, le=MOST_COLUMNS, description="the most columns")


class HeatWindows(BaseModel):
    """Parallel lists, a place each; `references` are what the last of its windows was compared with."""

    starts_ms: list[int]
    ends_ms: list[int]
    inferences: list[int]
    labels: list[int]
    incomplete: list[bool]
    revisions: list[int]
    references: list[str | None]


class HeatColumn(BaseModel):
    """A column: `percents` of its limit at each place, the worst of all methods; null where there is no score.

    A percent is above 100 exactly where a verdict was drift. `rang` counts these places, `worst` is the highest.
    """

    role: str
    name: str
    importance: float | None
    worst: int | None
    rang: int
    percents: list[int | None]


class Heat(OfWindowSpan):
    """How every column stood in every window. At each place stand `merged` windows, the worst of which counts."""

    merged: int
    windows: HeatWindows
    columns: list[HeatColumn]
    columns_left_out: int

    @staticmethod
    def csv_table(told: Any) -> CsvTable:
        """A row for each place, a cell for each column."""
        columns = told["columns"]
        header = [*_SINGULAR.values(), *(_of_both(one["role"], one["name"]) for one in columns)]
        places = zip(*(told["windows"][plural] for plural in _SINGULAR), strict=True)
        rows = ((*place, *(one["percents"][at] for one in columns)) for at, place in enumerate(places))
        return CsvTable(header, rows)


def heat(web: Dependencies, asked: Annotated[HeatParameters, Query()]) -> Heat:
    """How every column of a model stood in every window, in percent of its limit.

    What the model leans on most comes first if the monitor says what that is, then the worst.
    """
    with transaction(web.engine) as connection:
        monitor = found_monitor(connection, asked.model)
        span = window_span_of(asked, monitor, web.clock_ms())
        try:
            windows = slice_windows(connection, span)
        except TooManyWindowsError as error:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
        columns = columns_named(connection, span.model, list({one.columns_id for one in windows}))
        references = references_of(connection, span.model)
    drawn = heat_map(windows, columns, _importance_of(monitor), asked.points, asked.columns)
    return _heat(span, drawn, references)


def _importance_of(monitor: Monitor) -> Callable[[str, str], float | None]:
    def importance(role: str, name: str) -> float | None:
        override = monitor.features.get(name) if role == Role.FEATURE else None
        return None if override is None else override.importance

    return importance


def _heat(span: WindowSpan, drawn: HeatMap, references: References) -> Heat:
    places = drawn.places
    windows = HeatWindows(
        starts_ms=[one.start_ms for one in places],
        ends_ms=[one.end_ms for one in places],
        inferences=[one.inferences for one in places],
        labels=[one.labels for one in places],
        incomplete=[one.incomplete for one in places],
        revisions=[one.revision for one in places],
        references=[references.at(one.last_start_ms) for one in places],
    )
    columns = [
        HeatColumn.model_construct(
            role=one.role, name=one.name, importance=one.importance, worst=one.worst, rang=one.rang,
            percents=one.percents,
        )
        for one in drawn.lines
    ]  # fmt: skip
    return Heat(
        **asdict(span),
        merged=drawn.merged,
        windows=windows,
        columns=columns,
        columns_left_out=drawn.left_out,
    )


def _of_both(role: str, name: str) -> str:
    return f"{role}:{name}" if role else "slice"


HEAT_ENDPOINTS: dict[str, Callable[..., Any]] = {"/heat": heat}
