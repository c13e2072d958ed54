"""The scores of a time as reports rank them: the worst of each column and method, and of each window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Double, case, cast, func, literal, select, tuple_

from service.messages import Verdict
from service.store.tables import finding, performance_finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Select, Table

MOST_SCORES, MOST_OF_A_COLUMN = 60, 6
_ENDLESS = 1e9
"""How far a score is over a limit of nothing."""


@dataclass(frozen=True, slots=True)
class Span:
    """Windows of a model that end in (after_ms, until_ms]; of these versions, segments and kinds, None: of all."""

    model: str
    after_ms: int
    until_ms: int
    places: tuple[tuple[str, str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """The worst of a column and method in a slice; `ratio` is by its limit, `windows` how many of them rang."""

    version: str
    segment: str
    window: str
    start_ms: int
    end_ms: int
    role: str
    feature: str
    method: str
    value: float | None
    limit: float | None
    n: int
    m: int
    verdict: str
    ratio: float | None
    windows: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The worst ratio of a column of a slice in the window that ended then."""

    role: str
    feature: str
    end_ms: int
    ratio: float


def worst_scores(connection: Connection, span: Span, like: str = "%") -> Sequence[Score]:
    """The worst score of each column and method whose name is like this: those that rang first, then by ratio.

    Of one column a few at the most, so that the others are told, too.
    """
    found = [
        Score(**row)
        for table in (finding, performance_finding)
        for row in connection.execute(_worst(table, span, like)).mappings()
    ]
    return sorted(found, key=lambda one: (one.verdict != Verdict.DRIFT, -(one.ratio or 0.0)))[:MOST_SCORES]


def _worst(table: Table, span: Span, like: str) -> Select[tuple[object, ...]]:
    c, slices = table.c, ("version", "segment", "window")
    role, feature = _named(table)
    each = [*(c[name] for name in slices), role, feature, c.method]
    ratio, rang = _ratio(table), case((c.verdict == Verdict.DRIFT.value, 0), else_=1)
    worst_window = (rang, ratio.desc().nulls_last(), c.end_ms)
    ranked = select(
        *each, c.start_ms, c.end_ms, c.value, c.limit, c.n, c.m, c.verdict, ratio.label("ratio"),
        func.count().filter(rang == 0).over(partition_by=each).label("windows"),
        func.row_number().over(partition_by=each, order_by=worst_window).label("place"),
    ).where(*_within(table, span), c.value.is_not(None), c.method.like(like)).subquery()  # fmt: skip
    worst_first = (
        ranked.c.verdict != Verdict.DRIFT.value,
        ranked.c.ratio.desc().nulls_last(),
        ranked.c.method,
    )
    of_one = func.row_number().over(partition_by=(ranked.c.role, ranked.c.feature), order_by=worst_first)
    worst = select(ranked, of_one.label("of_one")).where(ranked.c.place == 1).subquery()
    columns = [column for column in worst.c if column.name not in {"place", "of_one"}]
    order = (worst.c.verdict != Verdict.DRIFT.value, worst.c.ratio.desc().nulls_last())
    return select(*columns).where(worst.c.of_one <= MOST_OF_A_COLUMN).order_by(*order).limit(MOST_SCORES)


def standings(connection: Connection, span: Span) -> Sequence[Standing]:
    """The worst ratio of each column and window of these slices."""
    found: list[Standing] = []
    for table in (finding, performance_finding):
        role, feature = _named(table)
        ratio, end_ms = _ratio(table), table.c.end_ms
        worst = select(role, feature, end_ms, func.max(ratio).label("ratio")).where(
            *_within(table, span), ratio.is_not(None)
        )
        rows = connection.execute(worst.group_by(role, feature, end_ms))
        found += (Standing(*row) for row in rows)
    return found


def _named(table: Table) -> tuple[ColumnElement[str], ColumnElement[str]]:
    """What is about labelled predictions is about the whole slice."""
    if "role" in table.c:
        return table.c.role, table.c.feature
    return literal("").label("role"), literal("").label("feature")


def _ratio(table: Table) -> ColumnElement[float]:
    """A number that is not finite is as bad as can be."""
    value, limit = table.c.value, table.c.limit
    most = cast(literal(_ENDLESS), Double)
    # A limit that no number exceeds is no limit; NaN sorts above infinity in PostgreSQL.
    none = cast(literal(None), Double)
    over = case((limit > 0, func.least(value / func.nullif(limit, 0), most)), (value > limit, most))
    return case((limit == float("inf"), none), (value == 0, cast(literal(0.0), Double)), else_=over)


def _within(table: Table, span: Span) -> list[ColumnElement[bool]]:
    c = table.c
    wanted = [c.model == span.model, c.end_ms > span.after_ms, c.end_ms <= span.until_ms]
    if span.places is not None:
        wanted.append(tuple_(c.version, c.segment, c.window).in_(span.places))
    return wanted
