"""The health of a model's answers over the API, without labels: now beside the reference."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from service.inspection.health import HealthReport, health_of
from service.monitor import HOUR_MS
from service.store.answered_span import SpanFilter, answered_span, reference_rows
from service.store.latest_version import latest_version
from service.web.api.parameters import Name, Time
from service.web.api.stored_state import read_or_conflict
from service.web.api.unknown_model import no_model
from service.web.dependencies import Dependencies


class HealthParameters(BaseModel):
    """Which predictions are looked at. An empty segment is the whole model."""

    model_config = ConfigDict(extra="forbid")

    model: Name
    version: Name | None = None
    segment: Name = ""
    since: Time | None = Field(
        None, description="predictions from this time on; usual: an hour before `until`"
    )
    until: Time | None = Field(None, description="predictions before this time; usual: now")


def prediction_health(web: Dependencies, asked: Annotated[HealthParameters, Query()]) -> HealthReport:
    """How a model's answers look beside the reference's: how often the same, how mixed, how sure, how steady, how fast.

    Each line has its value with a 95 % interval, the rows it is of, the same of the reference, and a plain word.
    """
    until_ms = web.clock_ms() if asked.until is None else asked.until
    since_ms = until_ms - HOUR_MS if asked.since is None else asked.since
    wanted = SpanFilter(asked.model, since_ms, until_ms, asked.version, asked.segment)
    with read_or_conflict(), web.large_answers.one():
        version = latest_version(web.engine, asked.model)
        if version is None:
            raise no_model(web, asked.model)
        span = answered_span(web.engine, version.grid, wanted)
        return health_of(span, reference_rows(web.engine, version, asked.segment), version.monitor.task)
