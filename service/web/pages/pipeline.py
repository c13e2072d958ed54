"""The pipeline: what is read, evaluated and delivered, how far behind, and what was not counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import HTMLResponse

from service.doctor.check import Condition
from service.doctor.flow import NOT_READ, TROUBLES, Reading
from service.doctor.phrasing import lasting
from service.moments import ms_of
from service.web.api.parameters import Filled, Name
from service.web.api.pipeline import PipelineParameters, pipeline_now
from service.web.api.pipeline_answer import DeadReason, ModelProgress, PartitionState, Pipeline, Totals
from service.web.dependencies import Dependencies
from service.web.links import api, dead_letters_page, model_page, pipeline_page
from service.web.pages.page import page
from service.web.wording import Moment, age, moment

MOST_PARTITIONS = 200
OUTCOMES = {
    "accepted": "counted in a pane",
    "duplicate": "seen before, by the inference id",
    "late": "after its pane was closed",
    "dead": "could not be used: a dead letter",
    "tombstone": "without a value, as compacted topics have them",
    "lost": "taken by retention before it was read",
    "truncated": "counted, then taken back by the log",
}
CONDITION_TONES = {Condition.OK: "well", Condition.WARNING: "ticket", Condition.FAILURE: "page"}
CONDITION_WORDS = {Condition.OK: "Well", Condition.WARNING: "Warning", Condition.FAILURE: "Failure"}


class PipelinePageParameters(BaseModel):
    """Which partitions the table shows."""

    model_config = ConfigDict(extra="forbid")

    topic: Filled[Name] = None
    state: Filled[Reading] = None


@dataclass(frozen=True, slots=True)
class PartitionView:
    """A row of the table; bars are in percent of the longest one that is shown."""

    of: PartitionState
    tone: str
    watermark: Moment | None
    lag_bar: float
    age_bar: float


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """Where records ended; `share` of all offsets that were told, in percent."""

    word: str
    means: str
    count: int
    share: float

    @property
    def said(self) -> str:
        """The share as a text, in which something is never nothing."""
        return f"{self.share:.2f} %" if self.share >= 0.01 or not self.count else "< 0.01 %"


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Dead letters of one reason."""

    of: DeadReason
    share: float
    last_seen: Moment | None
    link: str


@dataclass(frozen=True, slots=True)
class ModelView:
    """How far one model is evaluated."""

    of: ModelProgress
    link: str
    evaluated: Moment | None
    behind: str


def pipeline(
    request: Request, web: Dependencies, asked: Annotated[PipelinePageParameters, Query()]
) -> HTMLResponse:
    """The page."""
    chosen = PipelineParameters(topic=asked.topic, state=asked.state, limit=MOST_PARTITIONS)
    shown = pipeline_now(web, chosen)
    return page(
        request,
        "pipeline.html",
        place="pipeline",
        shown=shown,
        asked=asked,
        states=list(Reading),
        tone=CONDITION_TONES[shown.condition],
        word=CONDITION_WORDS[shown.condition],
        now=moment(shown.now_ms, shown.now_ms),
        partitions=_partition_views(shown.partitions, shown.now_ms),
        outcomes=outcome_views(shown.totals),
        reasons=[_reason_view(one, shown.now_ms) for one in shown.dead_letters.by_reason],
        models=_model_views(shown),
        gaps=[(one, moment(ms_of(one.noted_at), shown.now_ms)) for one in shown.gaps.latest],
        tones=CONDITION_TONES,
        lasting=lasting,
        age=age,
        source=api("pipeline", topic=asked.topic, state=asked.state),
        csv=api("pipeline", topic=asked.topic, state=asked.state, format="csv"),
        here=pipeline_page(),
        letters=dead_letters_page(),
        stream=api("events/stream"),
    )


def _partition_views(partitions: Sequence[PartitionState], now_ms: int) -> list[PartitionView]:
    longest_lag = max((one.lag or 0 for one in partitions), default=0)
    oldest = max((one.watermark_age_ms or 0 for one in partitions), default=0)
    return [
        PartitionView(
            one,
            _tone(one.state),
            moment(one.watermark_ms, now_ms),
            _percent(one.lag or 0, longest_lag),
            _percent(max(0, one.watermark_age_ms or 0), oldest),
        )
        for one in partitions
    ]


def _tone(state: Reading) -> str:
    if state in NOT_READ:
        return "page"
    return "ticket" if state in TROUBLES else "well"


def outcome_views(totals: Totals) -> list[OutcomeView]:
    """Where all records ended; a kind of loss that never happened is left out."""
    counts = {word: int(getattr(totals, word)) for word in OUTCOMES}
    told = sum(counts.values())
    return [
        OutcomeView(word, OUTCOMES[word], count, _percent(count, told))
        for word, count in counts.items()
        if count or word not in {"lost", "truncated"}
    ]


def _reason_view(one: DeadReason, now_ms: int) -> ReasonView:
    return ReasonView(
        one, 100 * one.share, moment(one.last_seen_ms, now_ms), dead_letters_page(reason=one.reason)
    )


def _model_views(shown: Pipeline) -> list[ModelView]:
    furthest_behind_first = sorted(shown.models, key=lambda one: (-(one.behind_ms or 0), one.model))
    return [
        ModelView(
            one,
            model_page(one.model),
            moment(one.evaluated_to_ms, shown.now_ms),
            _behind(one.behind_ms),
        )
        for one in furthest_behind_first
    ]


def _behind(behind_ms: int | None) -> str:
    if behind_ms is None:
        return "no event yet"
    return lasting(behind_ms) if behind_ms else "up to date"


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
