"""Two versions of a model side by side, over the API."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from service.comparison.report import VersionsBeside
from service.comparison.verdict import MOST_MARGIN
from service.store.versions_beside import Question, TooLongError, UnknownVersionError, read_versions
from service.web.api.parameters import Name, Time
from service.web.api.stored_state import read_or_conflict
from service.web.dependencies import Dependencies
from service.web.problems import not_found

MOST_OUTCOMES = 100_000
"""Rows of outcomes that one answer may read: about ten seconds."""


class ComparisonParameters(BaseModel):
    """Which versions, and since when; without versions the two with the most recent traffic."""

    model_config = ConfigDict(extra="forbid")

    model: Name
    version: Name | None = None
    against: Name | None = None
    since: Time | None = Field(None, description="from this time on; else since both were seen")
    segment: Name = Field("", description="such as country=DE, instead of all traffic")
    margin: float | None = Field(
        None,
        gt=0,
        le=MOST_MARGIN,
        allow_inf_nan=False,
        description="a smaller difference of the loss is none",
    )


def comparison(web: Dependencies, asked: Annotated[ComparisonParameters, Query()]) -> VersionsBeside:
    """Whether one version of a model is better than another, and how they differ; may be asked at any time."""
    question = Question(
        asked.model, asked.version, asked.against, asked.since, asked.segment, asked.margin,
        forgotten_ms=None if web.results_kept_ms is None else web.clock_ms() - web.results_kept_ms,
    )  # fmt: skip
    try:
        with read_or_conflict(), web.large_answers.one():
            return read_versions(web.engine, question, MOST_OUTCOMES)
    except UnknownVersionError as error:
        raise not_found(str(error)) from None
    except TooLongError as error:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None


COMPARISON_ENDPOINTS: dict[str, Callable[..., Any]] = {"/comparison": comparison}
