"""Outcomes of labelled predictions, and the performance of windows that follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from service.performance.counting import added
from service.performance.outcome_codec import outcomes_from_bytes, outcomes_to_bytes
from service.store.tables import outcome, outcome_news, performance

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from service.performance.changes import Place
    from service.performance.counting import Arrays, Counting
    from service.performance.windows import Performance


def add_outcomes(
    connection: Connection, model: str, counting: Counting, changes: Mapping[Place, Arrays]
) -> None:
    """Add these to what is stored; whoever does so holds the model's lease."""
    starts = [start for start, _ in changes]
    stored = outcomes_between(connection, model, counting, min(starts), max(starts) + 1, set(changes))
    together = {
        place: added(stored[place], one) if place in stored else one for place, one in changes.items()
    }
    rows = [
        {"model": model, "start_ms": start_ms, "slices": slices, "sketch": outcomes_to_bytes(counting, one)}
        for (start_ms, slices), one in together.items()
    ]
    statement = upsert(outcome)
    places = list(outcome.primary_key.columns)
    newest = {"sketch": statement.excluded["sketch"]}
    connection.execute(statement.on_conflict_do_update(index_elements=places, set_=newest), rows)


def outcomes_between(
    connection: Connection,
    model: str,
    counting: Counting,
    from_ms: int,
    until_ms: int,
    only: Collection[Place] = (),
) -> dict[Place, Arrays]:
    """Those of panes that start in [from_ms, until_ms), or `only` of these places; none counted in another way."""
    c = outcome.c
    query = select(c.start_ms, c.slices, c.sketch).where(
        c.model == model, c.start_ms >= from_ms, c.start_ms < until_ms
    )
    wanted = {
        (row.start_ms, row.slices): outcomes_from_bytes(bytes(row.sketch), counting)
        for row in connection.execute(query)
        if not only or (row.start_ms, row.slices) in only
    }
    return {place: outcomes for place, outcomes in wanted.items() if outcomes is not None}


def news(connection: Connection, model: str, position_ms: int, most: int) -> Mapping[int, int]:
    """The first panes with news, and until when their windows are told: of those that end by now some are not."""
    c = outcome_news.c
    told = func.coalesce(c.told_ms, c.start_ms).label("told")
    query = select(c.start_ms, told).where(c.model == model, told < position_ms).order_by(c.start_ms)
    return {row.start_ms: row.told for row in connection.execute(query.limit(most))}


def tell_performance(connection: Connection, told: Sequence[Performance]) -> None:
    """Write the performance of windows over what was told of them before."""
    rows = [
        {**one.key._asdict(), "basis": one.basis, "metric": m.name, "value": m.value, "low": m.low, "high": m.high,
         "n": m.n, "resolution": m.resolution, "reason": m.reason}
        for one in told
        for m in one.metrics
    ]  # fmt: skip
    if not rows:
        return
    statement = upsert(performance)
    places = list(performance.primary_key.columns)
    changing = {
        name: statement.excluded[name] for name in rows[0] if name not in performance.primary_key.columns
    }
    changed = statement.on_conflict_do_update(
        index_elements=places, set_={**changing, "computed_at": func.now()}
    )
    connection.execute(changed, rows)


def have_told(
    connection: Connection, model: str, starts: Iterable[int], position_ms: int, longest_ms: int
) -> None:
    """All windows of these panes that end by now are told: those of which none is left are no news any more."""
    c, mine = outcome_news.c, (outcome_news.c.model == model, outcome_news.c.start_ms.in_(list(starts)))
    connection.execute(delete(outcome_news).where(*mine, c.start_ms + longest_ms <= position_ms))
    connection.execute(update(outcome_news).where(*mine).values(told_ms=position_ms))
