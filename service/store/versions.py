"""Versions of a model as they are stored: their traffic, labelled outcomes, and panes in which two were live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ARRAY, BigInteger, any_, func, literal, select

from service.comparison.hours import SliceOutcomes, hourly
from service.comparison.losses import Courses, courses_from, sums_of
from service.performance.counting import counting_of
from service.performance.estimating import ESTIMATED
from service.performance.outcome_codec import outcomes_from_bytes
from service.performance.slices import slices_of
from service.sketches.codec import pane_from_bytes
from service.store.label_join import names_of
from service.store.paging import columns_of
from service.store.profiles import grids_of_panes
from service.store.result_queries import PerformanceRow
from service.store.tables import outcome, pane, performance

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Connection

    from service.configuration import Configuration
    from service.performance.counting import Counting
    from service.sketches.pane import PaneSketch

MOST_PANES = 120
MOST_SKETCHES = 480
"""Sketches of so many panes are read to tell what versions answer, spread evenly over those that both were live in.

A pane has a sketch of each version and partition: of many partitions fewer panes are read.
"""


@dataclass(frozen=True, slots=True)
class VersionSeen:
    """One version's traffic: its first pane's start, its last event, its rows."""

    version: str
    first_ms: int
    last_ms: int
    rows: int


def versions_seen(
    connection: Connection,
    model: str,
    since_ms: int | None = None,
    until_ms: int | None = None,
    segment: str = "",
) -> tuple[VersionSeen, ...]:
    """All versions in the panes of this time, the most recent traffic first."""
    c = pane.c
    wanted = [
        c.model == model,
        c.segment == segment,
        c.inferences > 0,
        *_within(c.start_ms, since_ms, until_ms),
    ]
    columns = (c.version, func.min(c.start_ms), func.max(c.last_ms), func.sum(c.inferences))
    found = connection.execute(select(*columns).where(*wanted).group_by(c.version))
    seen = (VersionSeen(version, first, last, int(rows)) for version, first, last, rows in found)
    return tuple(sorted(seen, key=lambda one: (-one.last_ms, -one.first_ms, one.version)))


def first_labelled(connection: Connection, model: str, versions: Sequence[str]) -> dict[str, int]:
    """When the first pane starts that has outcomes of each version; without those that have none."""
    c = outcome.c
    known = {number: slices_of(name) for number, name in names_of(connection, model).items()}
    found = {}
    for version in versions:
        mine = [number for number, slices in known.items() if slices and slices[0] == version]
        query = select(c.start_ms).where(c.model == model, c.slices.in_(mine)).order_by(c.start_ms).limit(1)
        first_ms = connection.execute(query).scalar() if mine else None
        if first_ms is not None:
            found[version] = first_ms
    return found


class OutcomesOfVersions:
    """How the labelled predictions of some versions turned out, each as it was counted in its time."""

    def __init__(
        self, connection: Connection, configuration: Configuration, model: str, versions: Sequence[str]
    ) -> None:
        self._configuration = configuration
        self._model = model
        known = {number: slices_of(name) for number, name in names_of(connection, model).items()}
        self._slices = {
            number: slices for number, slices in known.items() if slices and slices[0] in versions
        }
        self._countings: dict[int, Counting | None] = {}

    def extent(self, connection: Connection, from_ms: int, until_ms: int) -> tuple[int, int, int]:
        """How many rows are stored of panes that start in [from_ms, until_ms), and from when to when."""
        columns = func.count(), func.min(outcome.c.start_ms), func.max(outcome.c.start_ms)
        rows, first_ms, last_ms = connection.execute(
            select(*columns).where(*self._of(from_ms, until_ms))
        ).one()
        return (rows, first_ms, last_ms + 1) if rows else (0, from_ms, from_ms)

    def between(self, connection: Connection, from_ms: int, until_ms: int) -> Iterator[SliceOutcomes]:
        """Those of panes that start in [from_ms, until_ms), the oldest first."""
        c = outcome.c
        query = select(c.start_ms, c.slices, c.sketch).where(*self._of(from_ms, until_ms))
        for start_ms, number, sketch in connection.execute(query.order_by(c.start_ms, c.slices)):
            counting = self._counting(start_ms)
            arrays = None if counting is None else outcomes_from_bytes(bytes(sketch), counting)
            if counting is not None and arrays is not None:
                yield SliceOutcomes(start_ms, self._slices[number], counting, arrays)

    def _of(self, from_ms: int, until_ms: int) -> tuple[ColumnElement[bool], ...]:
        c = outcome.c
        return c.model == self._model, c.slices.in_(self._slices), *_within(c.start_ms, from_ms, until_ms)

    def _counting(self, start_ms: int) -> Counting | None:
        version = self._configuration.at(self._model, start_ms) or self._configuration.latest(self._model)
        if version is None:
            return None
        if version.number not in self._countings:
            self._countings[version.number] = counting_of(version)
        return self._countings[version.number]


def courses_between(
    connection: Connection, outcomes: OutcomesOfVersions, from_ms: int, until_ms: int
) -> Courses:
    """The losses of these versions and of each of their segments, in little memory."""
    hours = hourly(outcomes.between(connection, from_ms, until_ms))
    return courses_from((one.start_ms, one.slices, sums_of(one.counting, one.arrays)) for one in hours)


def panes_of_both(
    connection: Connection, model: str, versions: tuple[str, str], segment: str, span: tuple[int, int]
) -> dict[int, int]:
    """The starts of the panes that have inferences of both versions, in order, and how many sketches each has."""
    c = pane.c
    query = (
        select(c.start_ms, func.count().label("sketches"))
        .where(*_of(model, versions, segment), c.inferences > 0, *_within(c.start_ms, *span))
        .group_by(c.start_ms)
        .having(func.count(c.version.distinct()) == len(set(versions)))
    )
    return {row.start_ms: row.sketches for row in connection.execute(query.order_by(c.start_ms))}


def to_be_read(sketches: Mapping[int, int]) -> list[int]:
    """Of the starts of panes those that can be read while somebody waits."""
    together = max(1, sum(sketches.values()))
    return evenly(list(sketches), max(1, min(MOST_PANES, len(sketches) * MOST_SKETCHES // together)))


def evenly(starts: Sequence[int], most: int = MOST_PANES) -> list[int]:
    """At most so many of them, the first and the last among them."""
    if len(starts) <= most:
        return list(starts)
    if most == 1:
        return [starts[-1]]
    step = (len(starts) - 1) / (most - 1)
    return [starts[round(i * step)] for i in range(most)]


def sketches_at(
    connection: Connection, model: str, versions: tuple[str, str], segment: str, starts: Sequence[int]
) -> Iterator[tuple[str, PaneSketch]]:
    """The versions and sketches of the panes of both that start then, a few in memory."""
    c = pane.c
    of = *_of(model, versions, segment), c.start_ms == any_(literal(list(starts), ARRAY(BigInteger)))
    grid_of = grids_of_panes(connection, *of)
    query = select(c.version, c.grid_id, c.sketch).where(*of).order_by(c.start_ms)
    with connection.execute(query.execution_options(yield_per=50)) as rows:
        for row in rows:
            yield row.version, pane_from_bytes(bytes(row.sketch), grid_of(row.grid_id))


def estimated_of_both(
    connection: Connection, model: str, versions: tuple[str, str], segment: str, span: tuple[int, int]
) -> list[PerformanceRow]:
    """The estimates of the newest window that both versions have some of; of equal ends the longest."""
    c = performance.c
    wanted = (c.model == model, c.version.in_(versions), c.segment == segment, c.basis == ESTIMATED)
    inside = (c.value.is_not(None), c.start_ms >= span[0], c.start_ms < span[1])
    newest = (
        select(c.window, c.start_ms, c.end_ms)
        .where(*wanted, *inside)
        .group_by(c.window, c.start_ms, c.end_ms)
        .having(func.count(c.version.distinct()) == len(set(versions)))
        .order_by(c.end_ms.desc(), c.start_ms)
        .limit(1)
    )
    window = connection.execute(newest).first()
    if window is None:
        return []
    query = select(*columns_of(performance, PerformanceRow)).where(
        *wanted, c.window == window.window, c.end_ms == window.end_ms
    )
    return [PerformanceRow(**row) for row in connection.execute(query.order_by(c.metric)).mappings()]


def _of(model: str, versions: tuple[str, str], segment: str) -> tuple[ColumnElement[bool], ...]:
    return pane.c.model == model, pane.c.segment == segment, pane.c.version.in_(versions)


def _within(time: Column[int], since_ms: int | None, until_ms: int | None) -> tuple[ColumnElement[bool], ...]:
    ends = ([] if since_ms is None else [time >= since_ms], [] if until_ms is None else [time < until_ms])
    return (*ends[0], *ends[1])
