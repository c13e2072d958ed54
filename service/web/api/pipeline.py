"""The pipeline over the API: what is read, evaluated and delivered, how far behind, and what is wrong in sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from service.doctor.flow import Reading
from service.parsers import nearest
from service.store.pipeline_seen import pipeline_seen
from service.web.api.parameters import Name
from service.web.api.pipeline_answer import Pipeline, pipeline_answer
from service.web.condition import monitor_of
from service.web.dependencies import Dependencies, WebDependencies
from service.web.problems import not_found

MOST_PARTITIONS = 10_000


class PipelineParameters(BaseModel):
    """Which partitions are listed; all else is told of all of them."""

    model_config = ConfigDict(extra="forbid")

    topic: Name | None = Field(None, description="only partitions of this topic")
    state: Reading | None = Field(None, description="only partitions that are read so")
    limit: int = Field(
        1_000, ge=0, le=MOST_PARTITIONS, description="the most partitions that are listed, the worst first"
    )


PipelineQuery = Annotated[PipelineParameters, Query()]


def pipeline(web: Dependencies, asked: PipelineQuery) -> Pipeline:
    """How the log is read, evaluated and delivered now: what is wrong, and each partition, the worst first."""
    return pipeline_now(web, asked)


def pipeline_now(web: WebDependencies, asked: PipelineParameters) -> Pipeline:
    """What API and page show."""
    seen = pipeline_seen(web.engine, monitor_of)
    topics = {one.topic for one in seen.partitions}
    if asked.topic is not None and asked.topic not in topics:
        meant = nearest(asked.topic, topics)
        hint = "" if meant is None else f"; did you mean {meant}?"
        raise not_found(f"no partition of a topic of this name was ever read{hint}")
    return pipeline_answer(seen, asked.topic, asked.state, asked.limit)


PIPELINE_ENDPOINTS: dict[str, Callable[..., Any]] = {"/pipeline": pipeline}
