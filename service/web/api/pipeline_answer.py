"""The pipeline as it is answered: what was seen, judged and put into sentences, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from service.dead_letters.reasons import meaning_of
from service.doctor.check import Check, Condition, problems_of
from service.doctor.delivery import outbox_check
from service.doctor.evaluators import EvaluationSeen, behind_of, evaluator_checks
from service.doctor.events import dead_letter_check
from service.doctor.flow import (
    NOT_READ,
    SILENT_MS,
    PartitionStanding,
    Reading,
    flow_of,
    headline,
    partition_troubles,
    reading_of,
    told_of,
)
from service.moments import ms_of
from service.store.gauge_queries import JoinBacklog
from service.store.pipeline_seen import DeadLettersSeen, GapRow, PipelineSeen
from service.web.api.csv_rows import CsvTable

MOST_TROUBLES = 50


class Trouble(BaseModel):
    """Something that needs a person, and what to do about it."""

    name: str
    condition: Condition
    sentence: str
    advice: str


class PartitionState(BaseModel):
    """One partition: how it is read, in a word and a sentence, and where its records ended.

    `watermark_ms` is the highest event time less the most disorder that a monitor allows, and `watermark_age_ms` how
    far it is behind the clock. `lag` is what its owner last saw of it.
    """

    topic: str
    partition: int
    state: Reading
    sentence: str
    owner: str | None
    silent_ms: int
    lag: int | None
    next_offset: int
    watermark_ms: int | None
    watermark_age_ms: int | None
    halted: str | None
    deaths: int
    accepted: int
    duplicate: int
    late: int
    dead: int
    tombstone: int
    lost: int
    truncated: int
    holes: int


class Totals(BaseModel):
    """All partitions together; each record that was read has one of the five outcomes."""

    topics: int
    partitions: int
    not_read: int
    lag: int
    accepted: int
    duplicate: int
    late: int
    dead: int
    tombstone: int
    lost: int
    truncated: int
    holes: int
    watermark_ms: int | None
    waiting_to_join: int
    deliveries_waiting: int


class CollectorSeen(BaseModel):
    """Who owns partitions, and when the database has heard of it last; `alive`: not long ago."""

    owner: str
    alive: bool
    partitions: int
    lag: int
    silent_ms: int


class ModelProgress(BaseModel):
    """How far a model is evaluated: its windows that end by `evaluated_to_ms` are.

    Behind are windows that could be: `behind_ms` of event time. `owner` holds the lease now, `lease_expired_ms` says
    for how long it has not given it back. `joined_share` is the share of its inference ids that are joined.
    """

    model: str
    evaluated_to_ms: int | None
    watermark_ms: int | None
    behind_ms: int | None
    owner: str | None
    lease_expired_ms: int | None
    inbox: int
    waiting: int
    joined_share: float


class Deliveries(BaseModel):
    """Alerts on their way out: those that wait, the oldest for so long, those tried before, when one left last."""

    waiting: int
    oldest_ms: int
    tried: int
    left_ms: int | None


class DeadReason(BaseModel):
    """How many dead letters that are stored have this reason; `share` is of all that are."""

    reason: str
    words: str
    helps: str
    count: int
    share: float
    last_hour: int
    last_seen_ms: int


class DeadSummary(BaseModel):
    """Dead letters that are stored, by reason; those of the last hour beside the rows that were accepted meanwhile."""

    stored: int
    last_hour: int
    accepted_last_hour: int
    by_reason: list[DeadReason]


class GapSummary(BaseModel):
    """Records that are missing since retention took them, or that the log took back; the latest gaps of all."""

    count: int
    records: int
    latest: list[GapRow]


class Pipeline(BaseModel):
    """All of it at `now_ms`, the database's clock; rates are not stored: two answers and their times make them."""

    now_ms: int
    condition: Condition
    sentence: str
    troubles: list[Trouble]
    more_troubles: int
    totals: Totals
    partitions: list[PartitionState]
    more_partitions: int
    collectors: list[CollectorSeen]
    models: list[ModelProgress]
    deliveries: Deliveries
    dead_letters: DeadSummary
    gaps: GapSummary

    @staticmethod
    def csv_table(told: Any) -> CsvTable:
        """A row for each partition."""
        header = list(PartitionState.model_fields)
        return CsvTable(header, ([one[name] for name in header] for one in told["partitions"]))


# ---------------------------------------------------------------- told
@dataclass(frozen=True, slots=True)
class _Read:
    """A partition and how it is read."""

    one: PartitionStanding
    reading: Reading

    @property
    def rank(self) -> tuple[int, int, str, int]:
        return (_WORST_FIRST[self.reading], -(self.one.lag or 0), self.one.topic, self.one.partition)


_WORST_FIRST = {reading: rank for rank, reading in enumerate(Reading)}


def pipeline_answer(seen: PipelineSeen, topic: str | None, state: Reading | None, most: int) -> Pipeline:
    """What was seen, with at most so many of the partitions of this topic and state (None: any) listed."""
    read = sorted((_Read(one, reading_of(one, seen.now_ms)) for one in seen.partitions), key=lambda r: r.rank)
    ones, readings = [r.one for r in read], [r.reading for r in read]
    checks = [*partition_troubles(ones, readings, seen.now_ms), *_other_checks(seen)]
    troubles = [_trouble(one) for one in _worst_first(checks)]
    listed = [r for r in read if topic in {None, r.one.topic} and state in {None, r.reading}]
    return Pipeline(
        now_ms=seen.now_ms,
        condition=troubles[0].condition if troubles else Condition.OK,
        sentence=headline(flow_of(ones, readings), checks),
        troubles=troubles[:MOST_TROUBLES],
        more_troubles=max(0, len(troubles) - MOST_TROUBLES),
        totals=_totals(seen, readings),
        partitions=[_partition(r, seen) for r in listed[:most]],
        more_partitions=max(0, len(listed) - most),
        collectors=_collectors(read),
        models=[_model(one, seen.joins.get(one.model)) for one in seen.evaluations],
        deliveries=Deliveries(**{name: getattr(seen.outbox, name) for name in Deliveries.model_fields}),
        dead_letters=_dead_letters(seen.dead),
        gaps=GapSummary(count=seen.gaps.count, records=seen.gaps.records, latest=list(seen.gaps.latest)),
    )


def _other_checks(seen: PipelineSeen) -> list[Check]:
    dead = dead_letter_check(seen.dead.last_hour, seen.dead.accepted_last_hour)
    evaluators = evaluator_checks(seen.evaluations) if seen.evaluations else []
    return [*evaluators, dead, outbox_check(seen.outbox)]


def _worst_first(checks: Sequence[Check]) -> list[Check]:
    """Failures, then warnings, each in the order they were found."""
    return [
        one
        for grade in (Condition.FAILURE, Condition.WARNING)
        for one in problems_of(checks)
        if one.condition is grade
    ]


def _trouble(one: Check) -> Trouble:
    return Trouble(name=one.name, condition=one.condition, sentence=one.sentence, advice=one.advice)


def _partition(read: _Read, seen: PipelineSeen) -> PartitionState:
    one = read.one
    watermark_ms = None if one.highest_ms is None else one.highest_ms - seen.disorder_ms
    as_stored = {name: getattr(one, name) for name in PartitionState.model_fields if hasattr(one, name)}
    return PartitionState(
        **as_stored,
        state=read.reading,
        sentence=told_of(one, read.reading, seen.now_ms),
        watermark_ms=watermark_ms,
        watermark_age_ms=None if watermark_ms is None else seen.now_ms - watermark_ms,
    )


_SUMMED = ("accepted", "duplicate", "late", "dead", "tombstone", "lost", "truncated", "holes")


def _totals(seen: PipelineSeen, readings: Sequence[Reading]) -> Totals:
    sums = {name: sum(getattr(one, name) for one in seen.partitions) for name in _SUMMED}
    watermarks = [one.watermark_ms for one in seen.evaluations if one.watermark_ms is not None]
    return Totals(
        **sums,
        topics=len({one.topic for one in seen.partitions}),
        partitions=len(seen.partitions),
        not_read=sum(reading in NOT_READ for reading in readings),
        lag=sum(one.lag or 0 for one in seen.partitions),
        watermark_ms=min(watermarks, default=None),
        waiting_to_join=sum(one.inbox for one in seen.evaluations),
        deliveries_waiting=seen.outbox.waiting,
    )


def _collectors(read: Sequence[_Read]) -> list[CollectorSeen]:
    mine: dict[str, list[_Read]] = {}
    for one in read:
        if one.one.owner is not None:
            mine.setdefault(one.one.owner, []).append(one)
    found = [
        CollectorSeen(
            owner=owner,
            alive=any(r.reading is not Reading.HALTED and r.one.silent_ms <= SILENT_MS for r in theirs),
            partitions=len(theirs),
            lag=sum(r.one.lag or 0 for r in theirs),
            silent_ms=min(r.one.silent_ms for r in theirs),
        )
        for owner, theirs in mine.items()
    ]
    return sorted(found, key=lambda one: (one.alive, one.owner))


def _model(one: EvaluationSeen, join: JoinBacklog | None) -> ModelProgress:
    return ModelProgress(
        model=one.model,
        evaluated_to_ms=one.position_ms,
        watermark_ms=one.watermark_ms,
        behind_ms=behind_of(one),
        owner=one.owner,
        lease_expired_ms=one.expired_ms,
        inbox=one.inbox,
        waiting=join.waiting if join else 0,
        joined_share=join.share if join else 1.0,
    )


def _dead_letters(seen: DeadLettersSeen) -> DeadSummary:
    stored = sum(one.count for one in seen.by_reason)
    return DeadSummary(
        stored=stored,
        last_hour=sum(seen.last_hour.values()),
        accepted_last_hour=seen.accepted_last_hour,
        by_reason=[
            DeadReason(
                reason=one.name,
                words=meaning_of(one.name).words,
                helps=meaning_of(one.name).helps,
                count=one.count,
                share=one.count / stored,
                last_hour=seen.last_hour.get(one.name, 0),
                last_seen_ms=ms_of(one.last_seen_at),
            )
            for one in seen.by_reason
        ],
    )
