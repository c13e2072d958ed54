"""How much is missing of a model's columns over time, over the API: columnar, since it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from service.store.engine import transaction
from service.store.missing_series import missing_columns
from service.web.api.csv_rows import CsvTable
from service.web.api.window_spans import OfWindowSpan, WindowSpanParameters, found_monitor, window_span_of
from service.web.dependencies import Dependencies


class MissingParameters(WindowSpanParameters):
    """Also of how many columns and windows."""

    columns: int = Field(6, ge=1, le=100, description="the most columns, those of which most is missing")
    points: int = Field(60, ge=1, le=200, description="the most windows, spread evenly over the time")


class MissingShares(BaseModel):
    """One column: the share of its rows in which it is missing, all kinds together; null where it is not known."""

    role: str
    name: str
    worst: float
    shares: list[float | None]


class MissingOverTime(OfWindowSpan):
    """The columns of which most is missing; `columns_with_any` counts all of which anything is, in these windows."""

    ends_ms: list[int]
    columns: list[MissingShares]
    columns_with_any: int

    @staticmethod
    def csv_table(told: Any) -> CsvTable:
        """A row for each window, a cell for each column."""
        columns = told["columns"]
        rows = ((end, *(one["shares"][at] for one in columns)) for at, end in enumerate(told["ends_ms"]))
        return CsvTable(["end_ms", *(one["name"] for one in columns)], rows)


def missing_over_time(web: Dependencies, asked: Annotated[MissingParameters, Query()]) -> MissingOverTime:
    """The share of rows in which a column is absent, null, NaN, infinite, empty or of a wrong type, by window."""
    with transaction(web.engine) as connection:
        span = window_span_of(asked, found_monitor(connection, asked.model), web.clock_ms())
        ends, found = missing_columns(connection, span, asked.points)
    columns = [
        MissingShares(
            role=one.role, name=one.feature, worst=one.worst, shares=[one.shares.get(end) for end in ends]
        )
        for one in found[: asked.columns]
    ]
    return MissingOverTime(**asdict(span), ends_ms=ends, columns=columns, columns_with_any=len(found))


MISSING_ENDPOINTS: dict[str, Callable[..., Any]] = {"/missing-over-time": missing_over_time}
