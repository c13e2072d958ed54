"""Metric series out of stored results: their names, labels and order, and which of them are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.messages import Role
from service.performance.delays import QUANTILES, delay_seconds
from service.store.gauge_queries import (
    FiringAlert,
    IncidentCount,
    JoinBacklog,
    LastNews,
    NewestMetric,
    NewestWindow,
    PartitionCounts,
    ScoredColumn,
)
from service.store.marks import AlarmVerdict

LONGEST_LABEL = 401  # a segment is a name, '=' and a value
MISSING = "missing_"


class Family(NamedTuple):
    """What all series of one metric share."""

    help: str
    labels: tuple[str, ...]


_SLICE = ("model", "version", "segment")
_COLUMN = (*_SLICE, "window", "feature", "method")

FAMILIES: Mapping[str, Family] = {
    "driftbell_alert_firing": Family("1 while the alert fires.", (*_SLICE, "feature", "cause", "severity")),
    "driftbell_last_event_timestamp_seconds": Family("Event time of the model's last inference.", ("model",)),
    "driftbell_last_label_timestamp_seconds": Family("Event time of the model's last label.", ("model",)),
    "driftbell_false_alarm_budget_ratio": Family(
        "Pages of the budget's period that were marked false, by those it allows.", ("model",)
    ),
    "driftbell_false_alarm_budget_pages": Family(
        "False pages that the budget allows in its period.", ("model",)
    ),
    "driftbell_incidents": Family(
        "Incidents that fire, or fired in the budget's period.", ("model", "severity", "state", "verdict")
    ),
    "driftbell_partitions": Family(
        "Partitions of all topics: halted until a person says otherwise, read by a collector, or read by nobody.",
        ("state",),
    ),
    "driftbell_watermark_timestamp_seconds": Family(
        "Event time before which nothing is expected any more, of the slowest partition.", ("model",)
    ),
    "driftbell_performance": Family(
        "A metric of the newest ripe window with labels (realized; usual, last, seasonal: naive models),"
        " or of the newest window without them (estimated).",
        (*_SLICE, "window", "metric", "basis"),
    ),
    "driftbell_label_coverage_ratio": Family(
        "Share of the inferences of that window that have a label.", (*_SLICE, "window")
    ),
    "driftbell_label_delay_seconds": Family(
        "By when so large a share of the labels has come, after the prediction's pane began.",
        ("model", "quantile"),
    ),
    "driftbell_join_inbox_rows": Family("Predictions and labels that are not joined yet.", ("model",)),
    "driftbell_join_waiting_rows": Family("Predictions and labels that wait for each other.", ("model",)),
    "driftbell_join_share_ratio": Family("Share of the inference ids that are joined at all.", ("model",)),
    "driftbell_window_events": Family("Inferences in the newest window.", (*_SLICE, "window")),
    "driftbell_window_end_timestamp_seconds": Family("End of the newest window.", (*_SLICE, "window")),
    "driftbell_score": Family("Drift of a column in the newest window, in the method's unit.", _COLUMN),
    "driftbell_limit": Family("The score above which the budget allows to ring.", _COLUMN),
    "driftbell_missing_ratio": Family(
        "Share of rows without a value, by kind of missing.", (*_SLICE, "feature", "kind", "window")
    ),
}
"""The metrics of models, in the order in which they are kept when there are too many series."""


class Series(NamedTuple):
    """One line of the page; `labels` in the order of its family's."""

    name: str
    labels: tuple[str, ...]
    value: float


Group = tuple[Series, ...]
"""Series that are shown together or not at all: a score is nothing without its limit."""


def label_value(text: str) -> str:
    """The text without what breaks pages or deceives readers; "?" if it holds nothing else."""
    kept = "".join(mark for mark in text[:LONGEST_LABEL] if mark.isprintable() and mark not in "<>")
    return kept or ("?" if text else "")


def column_label(role: str, feature: str) -> str:
    """The feature's name; the role of a column that is none; empty for the whole slice."""
    return feature if role == Role.FEATURE else role


# ---------------------------------------------------------------- series of each kind of result
def alert_series(alerts: Iterable[FiringAlert]) -> Iterator[Group]:
    """One for all alerts that share a cause, a column and a slice."""
    for a in alerts:
        column = column_label(a.role, a.feature)
        yield (
            _series("driftbell_alert_firing", 1, a.model, a.version, a.segment, column, a.cause, a.severity),
        )


def news_series(news: Iterable[LastNews]) -> Iterator[Group]:
    """When models were last heard of, however long ago."""
    for n in news:
        if n.last_event_ms is not None:
            yield (_series("driftbell_last_event_timestamp_seconds", n.last_event_ms / 1000, n.model),)
        if n.last_label_ms is not None:
            yield (_series("driftbell_last_label_timestamp_seconds", n.last_label_ms / 1000, n.model),)


def budget_series(promised: Mapping[str, float], counts: Sequence[IncidentCount]) -> Iterator[Group]:
    """What each model's budget allows and how much of it is spent; then the incidents, all in a few series a model."""
    false: Counter[str] = Counter()
    for c in counts:
        if c.verdict == AlarmVerdict.FALSE_ALARM:
            false[c.model] += c.paged
    for model, pages in promised.items():
        yield (
            _series("driftbell_false_alarm_budget_ratio", false[model] / pages, model),
            _series("driftbell_false_alarm_budget_pages", pages, model),
        )
    for c in counts:
        yield (_series("driftbell_incidents", c.incidents, c.model, c.severity, c.state, c.verdict),)


def partition_series(counts: PartitionCounts) -> Iterator[Group]:
    """How many partitions are in each state, none included."""
    for state, count in counts._asdict().items():
        yield (_series("driftbell_partitions", count, state),)


def watermark_series(watermarks: Mapping[str, int | None]) -> Iterator[Group]:
    """How far event time has come for each model whose partitions have all begun."""
    for model, ms in watermarks.items():
        if ms is not None:
            yield (_series("driftbell_watermark_timestamp_seconds", ms / 1000, model),)


def window_series(windows: Iterable[NewestWindow]) -> Iterator[Group]:
    """Size and end of the newest windows."""
    for w in windows:
        place = (w.model, w.version, w.segment, w.window)
        yield (
            _series("driftbell_window_events", w.inferences, *place),
            _series("driftbell_window_end_timestamp_seconds", w.end_ms / 1000, *place),
        )


def performance_series(metrics: Iterable[NewestMetric]) -> Iterator[Group]:
    """Each metric, and once for all metrics of a window how many of its rows it is of."""
    covered: set[tuple[str, ...]] = set()
    for m in metrics:
        place = (m.model, m.version, m.segment, m.window)
        yield (_series("driftbell_performance", m.value, *place, m.metric, m.basis),)
        if m.coverage is not None and place not in covered:
            covered.add(place)
            yield (_series("driftbell_label_coverage_ratio", m.coverage, *place),)


def delay_series(delays: Mapping[str, Mapping[int, int]]) -> Iterator[Group]:
    """How long the labels of each model take."""
    for model, counts in delays.items():
        for share in QUANTILES:
            seconds = delay_seconds(counts, share)
            if seconds is not None:
                yield (_series("driftbell_label_delay_seconds", seconds, model, f"{share:g}"),)


def join_series(backlogs: Iterable[JoinBacklog]) -> Iterator[Group]:
    """How far the join of each model is behind, and how much of the model it joins."""
    for b in backlogs:
        yield (_series("driftbell_join_inbox_rows", b.inbox, b.model),)
        yield (_series("driftbell_join_waiting_rows", b.waiting, b.model),)
        yield (_series("driftbell_join_share_ratio", b.share, b.model),)


def finding_series(findings: Iterable[ScoredColumn]) -> Iterator[Group]:
    """Score and limit, and the ratio itself where a kind of missing was scored."""
    for f in findings:
        column = column_label(f.role, f.feature)
        place = (f.model, f.version, f.segment, f.window, column, f.method)
        group = [_series("driftbell_score", f.value, *place)]
        if f.limit is not None:
            group.append(_series("driftbell_limit", f.limit, *place))
        if f.method.startswith(MISSING):
            kind = f.method.removeprefix(MISSING)
            ratio = (f.model, f.version, f.segment, column, kind, f.window)
            group.append(_series("driftbell_missing_ratio", f.value, *ratio))
        yield tuple(group)


def _series(name: str, value: float, *labels: str) -> Series:
    return Series(name, tuple(map(label_value, labels)), value)


# ---------------------------------------------------------------- what is shown
@dataclass(frozen=True, slots=True)
class Shown:
    """The series within the bound, and how many were left out."""

    series: tuple[Series, ...]
    dropped: int


def within(groups: Iterable[Group], max_series: int) -> Shown:
    """The first groups that fit; of names that became equal by cleaning only the first, the worst."""
    kept: list[Series] = []
    seen: set[tuple[str, tuple[str, ...]]] = set()
    dropped = 0
    for group in groups:
        fresh = [one for one in group if one[:2] not in seen]
        if len(fresh) < len(group) or len(kept) + len(group) > max_series:
            dropped += len(group)
            continue
        seen.update(one[:2] for one in group)
        kept.extend(group)
    return Shown(tuple(kept), dropped)


def by_family(series: Sequence[Series]) -> dict[str, list[Series]]:
    """The series of each metric, in the order of `FAMILIES`."""
    found: dict[str, list[Series]] = {name: [] for name in FAMILIES}
    for one in series:
        found[one.name].append(one)
    return {name: members for name, members in found.items() if members}
