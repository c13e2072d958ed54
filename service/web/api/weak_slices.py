"""Weak slices over the API: where a model is wrong more often than elsewhere."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from service.inspection.weak_slices import NO_TASK, SliceReport, no_report, report_of
from service.monitor import DAY_MS, Task
from service.store.labelled_rows import labelled_rows
from service.store.latest_version import latest_version
from service.web.api.parameters import Name, Time
from service.web.api.stored_state import read_or_conflict
from service.web.api.unknown_model import no_model
from service.web.dependencies import Dependencies

_USUAL_MS = 7 * DAY_MS


class SliceParameters(BaseModel):
    """Which predictions are looked at."""

    model_config = ConfigDict(extra="forbid")

    model: Name
    since: Time | None = Field(
        None, description="predictions from this time on; usual: seven days before `until`"
    )
    until: Time | None = Field(None, description="predictions before this time; usual: now")


def weak_slices(web: Dependencies, asked: Annotated[SliceParameters, Query()]) -> SliceReport:
    """Slices of one or two features in which a model is wrong evidently more often, the most excess first.

    They are found on one half of a sample of labelled rows and tested on the other: all figures are of the latter.
    `reason` says why none could be sought.
    """
    until_ms = web.clock_ms() if asked.until is None else asked.until
    since_ms = until_ms - _USUAL_MS if asked.since is None else asked.since
    with read_or_conflict(), web.large_answers.one():
        version = latest_version(web.engine, asked.model)
        if version is None:
            raise no_model(web, asked.model)
        if version.monitor.task is Task.NONE:
            return no_report(NO_TASK)
        return report_of(labelled_rows(web.engine, version, since_ms, until_ms))
