"""How the predictions of references turned out: their own answers, or those that live labels gave them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from service.performance.answers import Answers, answers_from_bytes
from service.performance.counting import added, counting_of
from service.performance.delays import RIPE, delay_seconds
from service.performance.estimating import LEAST_ANSWERS, labelled
from service.performance.outcome_codec import outcomes_from_bytes, outcomes_to_bytes
from service.performance.slices import slices_of
from service.store.gauge_queries import label_delays
from service.store.label_join import names_of
from service.store.tables import outcome, reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from service.configuration import ModelVersion
    from service.performance.changes import Place
    from service.performance.counting import Arrays, Counting


MOST_LEARNED = 10_000
"""Of so many labelled predictions, and the rest of their pane, live outcomes become a reference's answers."""
MOST_READ = 20_000
"""So many rows of outcomes are looked through at most, those counted in another way and without labels among them."""


def stored_answers(connection: Connection, name: str) -> bytes | None:
    """The bytes of a reference's answers; None when there is no such reference, or it has none."""
    found = connection.execute(select(reference.c.answers).where(reference.c.name == name)).scalar()
    return None if found is None else bytes(found)


def reference_answers(connection: Connection, version: ModelVersion, segment: str = "") -> Arrays | None:
    """The outcomes of the reference that a model's version names, counted as that version counts; '' is all rows.

    None when there is no reference, when it has no answers, or when they were counted in another way.
    """
    counting = counting_of(version)
    data = stored_answers(connection, version.reference_name) if version.reference_name else None
    return None if data is None or counting is None else answers_from_bytes(data).of(counting, segment)


def keep_answers(connection: Connection, name: str, answers: bytes) -> None:
    """Give answers to a reference that has none: they are kept from then on."""
    mine = (reference.c.name == name, reference.c.answers.is_(None))
    connection.execute(update(reference).where(*mine).values(answers=answers))


def live_answers(
    connection: Connection, version: ModelVersion, from_ms: int, position_ms: int
) -> Answers | None:
    """The outcomes of the first ripe panes from `from_ms` on, as answers; None while they are too few.

    At `position_ms` panes are ripe that nine in ten of their labels have come for, as labels go. Panes count whole.
    """
    counting, delays = counting_of(version), label_delays(connection).get(version.model, {})
    delay = delay_seconds(delays, RIPE)
    if counting is None or delay is None or sum(delays.values()) < LEAST_ANSWERS:
        return None
    until_ms = position_ms - int(delay * 1_000) - version.monitor.pane_ms
    with _first_outcomes(connection, version.model, counting, from_ms, until_ms) as outcomes:
        rows, by_segment = _added_up(outcomes, names_of(connection, version.model), from_ms)
    if rows < LEAST_ANSWERS:
        return None
    return Answers({name: (outcomes_to_bytes(counting, one),) for name, one in by_segment.items()})


def _added_up(
    outcomes: Iterator[tuple[Place, Arrays]], names: Mapping[int, str], from_ms: int
) -> tuple[int, dict[str, Arrays]]:
    """How many of the first outcomes have a label, and all of them by segment; '' is all rows."""
    by_segment: dict[str, Arrays] = {}
    rows, last_ms = 0, from_ms
    for (start_ms, slices), arrays in outcomes:
        if rows >= MOST_LEARNED and start_ms != last_ms:
            break
        rows, last_ms = rows + labelled(arrays), start_ms
        for segment in ("", *(slices_of(names[slices]) or ("",))[1:]):
            before = by_segment.get(segment)
            by_segment[segment] = arrays if before is None else added(before, arrays)
    return rows, by_segment


@contextmanager
def _first_outcomes(
    connection: Connection, model: str, counting: Counting, from_ms: int, until_ms: int
) -> Iterator[Iterator[tuple[Place, Arrays]]]:
    """Those of panes that start in [from_ms, until_ms), the first panes first; none counted in another way.

    The first `MOST_READ` are read, and the rest is not.
    """
    c = outcome.c
    query = select(c.start_ms, c.slices, c.sketch).where(
        c.model == model, c.start_ms >= from_ms, c.start_ms < until_ms
    )
    first = query.order_by(c.start_ms, c.slices).limit(MOST_READ)
    with connection.execute(first.execution_options(yield_per=100)) as rows:
        found = (
            ((row.start_ms, row.slices), outcomes_from_bytes(bytes(row.sketch), counting)) for row in rows
        )
        yield ((place, arrays) for place, arrays in found if arrays is not None)
