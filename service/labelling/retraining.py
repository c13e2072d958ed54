"""Whether a model should be trained again, and on which data: a pure function of what rings and what is labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.messages import Cause, iso

if TYPE_CHECKING:
    from service.monitor import WindowSpec

CAUSES = frozenset({Cause.CONCEPT_DRIFT, Cause.PERFORMANCE, Cause.BELOW_BASELINE, Cause.SUBGROUP_GAP})
"""Alerts of these causes say that what the model has learned does not hold any more; other data would mend it."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An alert that fires, of one of the causes."""

    alert_id: str
    incident: str
    model: str
    version: str
    cause: str
    since_ms: int
    summary: str


@dataclass(frozen=True, slots=True)
class Ringing:
    """Some other alert has fired: its trouble was from then until then (None: it still is)."""

    from_ms: int
    until_ms: int | None


@dataclass(frozen=True, slots=True)
class Labelled:
    """A window, and how many of its predictions have labels."""

    start_ms: int
    end_ms: int
    labels: int
    incomplete: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive windows that are good to train on."""

    from_ms: int
    until_ms: int
    labels: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the data since a drift began; `ripe_until_ms`: nine in ten labels until then have come."""

    windows: Sequence[Labelled]
    others: Sequence[Ringing]
    ripe_until_ms: int | None
    delay_ms: int | None


@dataclass(frozen=True, slots=True)
class Advice:
    """Train this model again. Without spans there are no data yet; `ready_ms` says when, as far as that is known."""

    why: Confirmed
    at_ms: int
    spans: tuple[Span, ...]
    ready_ms: int | None
    summary: str

    @property
    def labels(self) -> int:
        """Labelled predictions in all spans."""
        return sum(span.labels for span in self.spans)


def kind_to_train_on(windows: Sequence[WindowSpec]) -> WindowSpec:
    """The windows that spans are made of: the shortest."""
    return min(windows, key=lambda spec: (spec.length_ms, spec.every_ms))


def advise(why: Confirmed, spec: WindowSpec, evidence: Evidence, at_ms: int) -> Advice:
    """What to train on now, or when there will be something."""
    spans = good_spans(why.since_ms, evidence)
    ready_ms = None if spans else _ready(why.since_ms, spec, evidence, at_ms)
    return Advice(why, at_ms, spans, ready_ms, _sentence(why, spans, ready_ms))


def good_spans(since_ms: int, evidence: Evidence) -> tuple[Span, ...]:
    """Windows since then that are ripe, labelled, complete, and in which nothing else rings; neighbours together.

    drift begins            other alert           not ripe yet
    |-----good-----|-good-|XXXXXXXXXXXXX|--good--|............
    """
    if evidence.ripe_until_ms is None:
        return ()
    spans: list[Span] = []
    for one in sorted(evidence.windows, key=lambda one: one.start_ms):
        is_new = one.start_ms >= (spans[-1].until_ms if spans else since_ms)
        is_ripe = one.end_ms <= evidence.ripe_until_ms
        if is_new and is_ripe and one.labels and not one.incomplete and not _rings(one, evidence.others):
            before = spans.pop() if spans and spans[-1].until_ms == one.start_ms else Span(one.start_ms, 0, 0)
            spans.append(Span(before.from_ms, one.end_ms, before.labels + one.labels))
    return tuple(spans)


def _rings(window: Labelled, others: Sequence[Ringing]) -> bool:
    return any(
        other.from_ms < window.end_ms and (other.until_ms is None or other.until_ms > window.start_ms)
        for other in others
    )


def _ready(since_ms: int, spec: WindowSpec, evidence: Evidence, at_ms: int) -> int | None:
    """When the first whole window after all trouble is ripe; None where that cannot be said, or has passed in vain."""
    if evidence.delay_ms is None or any(other.until_ms is None for other in evidence.others):
        return None
    begin_ms = max([since_ms, *(other.until_ms for other in evidence.others if other.until_ms is not None)])
    ready_ms = begin_ms + (-begin_ms) % spec.every_ms + spec.length_ms + evidence.delay_ms
    return ready_ms if ready_ms > at_ms else None


def _sentence(why: Confirmed, spans: Sequence[Span], ready_ms: int | None) -> str:
    reason = f"{why.model} {why.version}".strip() + f" should be trained again: {why.summary.rstrip('.')}"
    if spans:
        labels = sum(span.labels for span in spans)
        return (
            f"{reason}; good to train on are {labels:,} labelled predictions from {iso(spans[0].from_ms)} "
            f"to {iso(spans[-1].until_ms)}"
        )
    if ready_ms is not None:
        return f"{reason}; the first data since {iso(why.since_ms)} will be labelled by {iso(ready_ms)}"
    return f"{reason}; no data since {iso(why.since_ms)} are labelled, complete and without another alert yet"
