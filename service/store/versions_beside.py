"""Two versions of a model side by side, read from what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.comparison.answers import answers_beside
from service.comparison.hours import SharedHours, hourly
from service.comparison.losses import STRATUM_MS, courses_from, sums_of
from service.comparison.report import (
    AnswersOfPanes,
    Labelled,
    Measured,
    MetricBeside,
    SegmentComparison,
    Traffic,
    VersionsBeside,
    metrics_beside,
)
from service.comparison.verdict import ALPHA, compare, compare_segments
from service.comparison.wording import sentence_of
from service.messages import iso
from service.monitor import DAY_MS
from service.performance.counting import counting_of
from service.performance.estimating import ESTIMATED
from service.performance.windows import REALIZED
from service.reference.regrid import regrid_sketch
from service.sketches.pane import PaneSketch
from service.store.configuration import load_configuration
from service.store.engine import transaction
from service.store.versions import (
    OutcomesOfVersions,
    estimated_of_both,
    first_labelled,
    panes_of_both,
    sketches_at,
    to_be_read,
    versions_seen,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from service.comparison.hours import SliceOutcomes
    from service.comparison.losses import Sums
    from service.configuration import Configuration
    from service.sketches.grids import Grid
    from service.store.result_queries import PerformanceRow
    from service.store.versions import VersionSeen


class UnknownVersionError(LookupError):
    """There is nothing to compare; says what is there."""


class TooLongError(ValueError):
    """More would have to be read than one answer may take; says what to ask instead."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which versions of a model are compared; without them the two with the most recent traffic, the newer one first.

    `since_ms` of None is since both were seen; `margin` is what no difference means, in the unit of the loss.
    Outcomes before `forgotten_ms` have been deleted.
    """

    model: str
    version: str | None = None
    against: str | None = None
    since_ms: int | None = None
    segment: str = ""
    margin: float | None = None
    alpha: float = ALPHA
    forgotten_ms: int | None = None


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two versions of one model, and the time that is looked at."""

    model: str
    version: str
    against: str
    segment: str
    since_ms: int
    until_ms: int

    @property
    def names(self) -> tuple[str, str]:
        return self.version, self.against

    @property
    def span(self) -> tuple[int, int]:
        return self.since_ms, self.until_ms


def read_versions(engine: Engine, question: Question, most_outcomes: int | None = None) -> VersionsBeside:
    """Answer a question. Raises UnknownVersionError, and TooLongError where more rows of outcomes had to be read."""
    with transaction(engine) as connection:
        seen = {one.version: one for one in versions_seen(connection, question.model)}
        names = _chosen(question, seen)
        labelled_ms = first_labelled(connection, question.model, names)
        pair = _pair(question, names, seen, labelled_ms)
        traffic, estimated = _traffic(connection, pair), _estimated(connection, pair)
        answers = _answers(connection, pair)
    configuration = load_configuration(engine)
    labelled = _labelled(engine, configuration, pair, question, most_outcomes)
    return VersionsBeside(
        pair.model, pair.version, pair.against, pair.segment, pair.since_ms, pair.until_ms,
        sentence_of(labelled.comparison, pair.version, pair.against), labelled.comparison, labelled.hours,
        labelled.segments, traffic, (*labelled.metrics, *estimated),
        answers, _remark(pair, labelled_ms, question.forgotten_ms),
    )  # fmt: skip


def _pair(
    question: Question, names: tuple[str, str], seen: dict[str, VersionSeen], labelled_ms: dict[str, int]
) -> _Pair:
    """Outcomes are kept longer than panes, and what is compared must begin where it began: at the first of either."""
    first_ms = max(min(seen[name].first_ms, labelled_ms.get(name, seen[name].first_ms)) for name in names)
    since_ms = first_ms - first_ms % STRATUM_MS if question.since_ms is None else question.since_ms
    until_ms = min(seen[name].last_ms for name in names) + 1
    return _Pair(question.model, *names, question.segment, since_ms, max(since_ms, until_ms))


def _remark(pair: _Pair, labelled_ms: dict[str, int], forgotten_ms: int | None) -> str | None:
    """Where outcomes of both begin at what is deleted, the start moves with every look."""
    if forgotten_ms is None or len(labelled_ms) < len(pair.names):
        return None
    if max(pair.since_ms, *labelled_ms.values()) >= forgotten_ms + DAY_MS:
        return None
    return (
        f"outcomes before {iso(forgotten_ms)} are deleted (DRIFTBELL_RETENTION_RESULTS), so that the start moves with "
        "each look, and the intervals do not hold for all looks; name a later start (since), and keep to it"
    )


def _chosen(question: Question, seen: dict[str, VersionSeen]) -> tuple[str, str]:
    """Those that were asked for; where one was not, the one with the most recent traffic that is left."""
    asked = [question.version, question.against]
    known = ", ".join(repr(name) for name in list(seen)[:10]) or "none"
    for name in asked:
        if name is not None and name not in seen:
            raise UnknownVersionError(
                f"model {question.model!r} has no stored traffic of version {name!r} (of: {known})"
            )
    left = [name for name in seen if name not in asked]
    if len(left) < asked.count(None):
        raise UnknownVersionError(
            f"model {question.model!r} needs traffic of two versions to compare, and has it of: {known}"
        )
    if asked == [None, None]:
        newest, other = sorted(left[:2], key=lambda name: (seen[name].first_ms, name), reverse=True)
        return newest, other
    version, against = (left[0] if name is None else name for name in asked)
    if version == against:
        raise UnknownVersionError(f"version {version!r} can only be compared with another one (of: {known})")
    return version, against


def _labelled(
    engine: Engine, configuration: Configuration, pair: _Pair, question: Question, most: int | None
) -> Labelled:
    """What labels say, in one pass over the outcomes of both, a day in each transaction."""
    with transaction(engine) as connection:
        stored = OutcomesOfVersions(connection, configuration, pair.model, pair.names)
        rows, *span = stored.extent(connection, *pair.span)
    if most is not None and rows > most:
        raise TooLongError(
            f"{rows:,} rows of outcomes since {iso(pair.since_ms)} are more than the {most:,} that are read at once; "
            "ask for a later time, or let `driftbell compare` read them"
        )
    latest = configuration.latest(pair.model)
    counting = None if latest is None else counting_of(latest)
    shared = None if counting is None else SharedHours(pair.names, pair.segment, counting)

    def passed() -> Iterator[tuple[int, tuple[str, ...], Sums]]:
        for one in hourly(_days(engine, stored, *span)):
            if shared is not None:
                shared.add(*one)
            yield one.start_ms, one.slices, sums_of(one.counting, one.arrays)

    courses = courses_from(passed())
    alpha, margin = question.alpha, question.margin
    mine, theirs = (courses.get((name, pair.segment), {}) for name in pair.names)
    segments = () if pair.segment else compare_segments(courses, *pair.names, alpha=alpha, margin=margin)
    metrics = () if shared is None else tuple(metrics_beside(REALIZED, pair.span, *shared.metrics()))
    return Labelled(
        compare(mine, theirs, alpha=alpha, margin=margin),
        len(mine.keys() & theirs.keys()),
        tuple(SegmentComparison(name, one) for name, one in segments),
        metrics,
    )


def _days(engine: Engine, stored: OutcomesOfVersions, from_ms: int, until_ms: int) -> Iterator[SliceOutcomes]:
    for start_ms in range(from_ms, until_ms, DAY_MS):
        with transaction(engine) as connection:
            yield from stored.between(connection, start_ms, min(until_ms, start_ms + DAY_MS))


def _traffic(connection: Connection, pair: _Pair) -> tuple[Traffic, ...]:
    """The rows of both, the version's first, beside those of all versions."""
    seen = {one.version: one for one in versions_seen(connection, pair.model, *pair.span, pair.segment)}
    total = sum(one.rows for one in seen.values())
    return tuple(
        Traffic(name, one.first_ms, one.last_ms, one.rows, one.rows / total)
        for name in pair.names
        if (one := seen.get(name)) is not None
    )


def _estimated(connection: Connection, pair: _Pair) -> tuple[MetricBeside, ...]:
    rows = estimated_of_both(connection, pair.model, pair.names, pair.segment, pair.span)
    by_version = {(row.version, row.metric): row for row in rows}
    return tuple(
        MetricBeside(row.metric, ESTIMATED, row.start_ms, row.end_ms, _measured(row), _measured(other))
        for row in rows
        if row.version == pair.version and (other := by_version.get((pair.against, row.metric))) is not None
    )


def _measured(row: PerformanceRow) -> Measured:
    return Measured(row.value, row.low, row.high, row.n, row.reason)


def _answers(connection: Connection, pair: _Pair) -> AnswersOfPanes:
    """Both versions' panes on the grid of the first."""
    found = panes_of_both(connection, pair.model, pair.names, pair.segment, pair.span)
    starts = to_be_read(found)
    merged: dict[str, PaneSketch] = {}
    grid: Grid | None = None
    for version, sketch in sketches_at(connection, pair.model, pair.names, pair.segment, starts):
        sketch.forget_rows()
        grid = grid or sketch.grid
        merged.setdefault(version, PaneSketch(grid)).merge(regrid_sketch(sketch, grid))
    if len(merged) < len(pair.names):  # there are none, or retention was faster
        return AnswersOfPanes((), 0, len(found))
    return AnswersOfPanes(answers_beside(*(merged[name] for name in pair.names)), len(starts), len(found))
