"""What was seen of a model in a stretch of its time, as reports tell it: beside the time before, and the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.errors import FormatError
from service.performance.delays import ripe_after_ms
from service.store.answered_span import SpanFilter, answered_span, reference_rows
from service.store.configuration import load_configuration
from service.store.engine import transaction
from service.store.judged import label_delays_of
from service.store.paging import Paging
from service.store.report_places import LogPlace, PaneFilter, log_places
from service.store.report_scores import Score, Span, Standing, standings, worst_scores
from service.store.result_queries import (
    PerformanceFilter,
    PerformanceRow,
    WindowFilter,
    WindowRow,
    list_performance,
    list_windows,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.sketches.pane import PaneSketch

_MOST_WINDOWS, _MOST_METRICS = 10_000, 100_000


@dataclass(frozen=True, slots=True)
class Beside:
    """A slice's rows beside those of its reference; `reason` says why one of them is not there."""

    reference_name: str | None
    reference: PaneSketch | None
    now: PaneSketch | None
    reason: str | None = None
    panes: int = 0
    of_panes: int = 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A model's time [start_ms, end_ms) in windows of one kind and segment, which end every `every_ms`.

    `before_ms`: from when it is compared.
    `version` is '' for all of them, and `places` are slices (version, segment, kind of window), None for all of them.
    """

    model: str
    version: str
    segment: str
    window: str
    before_ms: int
    start_ms: int
    end_ms: int
    every_ms: int
    places: tuple[tuple[str, str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen in a stretch, as of `now_ms`: windows, standings and performance from `before_ms` on."""

    of: Stretch
    windows: Sequence[WindowRow]
    scores: Sequence[Score]
    missing: Sequence[Score]
    standings: Sequence[Standing]
    performance: Sequence[PerformanceRow]
    ripe_after_ms: int | None
    places: Sequence[LogPlace]
    beside: Beside
    now_ms: int


def seen_in(engine: Engine, of: Stretch, now_ms: int) -> Seen:
    """What was seen there, as of `now_ms`."""
    during = Span(of.model, of.start_ms, of.end_ms, of.places)
    pictured = ((of.version, of.segment, of.window),) if of.version else None
    beside = _beside(engine, of)
    with transaction(engine) as connection:
        windows = _windows(connection, of)
        versions = {"", *(row.version for row in windows)}
        slices = pictured or tuple((version, of.segment, of.window) for version in sorted(versions))
        scored = during if of.places is not None else replace(during, places=slices)
        return Seen(
            of,
            windows,
            worst_scores(connection, scored),
            worst_scores(connection, replace(during, places=slices), "missing_%"),
            standings(connection, Span(of.model, of.before_ms, of.end_ms, slices)),
            _performance(connection, of),
            ripe_after_ms(label_delays_of(connection, of.model)),
            log_places(connection, PaneFilter(of.model, of.version, of.segment, of.start_ms, of.end_ms)),
            beside,
            now_ms,
        )


def _windows(connection: Connection, of: Stretch) -> tuple[WindowRow, ...]:
    wanted = WindowFilter(
        model=of.model, version=of.version or None, segment=of.segment, window=of.window, since_ms=of.before_ms,
        until_ms=of.end_ms,
    )  # fmt: skip
    return list_windows(connection, wanted, Paging(_MOST_WINDOWS)).rows


def _performance(connection: Connection, of: Stretch) -> tuple[PerformanceRow, ...]:
    """Of the slice and of the whole model."""
    found: tuple[PerformanceRow, ...] = ()
    for segment in dict.fromkeys((of.segment, "")):
        wanted = PerformanceFilter(
            model=of.model, version=of.version or None, segment=segment, window=of.window, since_ms=of.before_ms,
            until_ms=of.end_ms,
        )  # fmt: skip
        found += list_performance(connection, wanted, Paging(_MOST_METRICS)).rows
    return found


def _beside(engine: Engine, of: Stretch) -> Beside:
    """What cannot be read is said in the report, which has more to say."""
    name: str | None = None
    try:
        version = load_configuration(engine).at(of.model, of.start_ms)
        if version is None:
            return Beside(None, None, None, "no monitor of the model was in force then")
        name = version.reference_name
        wanted = SpanFilter(
            of.model, of.start_ms, of.end_ms, of.version or None, of.segment, with_labels=True
        )
        span = answered_span(engine, version.grid, wanted)
        reference = reference_rows(engine, version, of.segment)
    except FormatError as error:
        return Beside(name, None, None, f"what is stored cannot be read: {error}")
    return Beside(name, reference, span.sketch, _lacks(reference, span.of_panes), span.panes, span.of_panes)


def _lacks(reference: PaneSketch | None, panes: int) -> str | None:
    if not panes:
        return "no pane of that time is stored any more"
    return "the reference does not know these rows" if reference is None else None
