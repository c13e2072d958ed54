"""Where the events of a time are in the log, as far as checkpoints tell."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, insert

from service.monitor import MINUTE_MS
from service.store.engine import transaction
from service.store.report_places import LogPlace, PaneFilter, log_places
from service.store.tables import gap, pane_ids
from tests.web.seeding import NOW_MS, add_dead_letter, add_pane, add_partition

pytestmark = pytest.mark.postgres
SINCE_MS = NOW_MS - 5 * MINUTE_MS
WANTED = PaneFilter("churn", "", "", SINCE_MS, NOW_MS)


@pytest.fixture(autouse=True)
def _panes(engine: Engine) -> None:
    with transaction(engine) as connection:
        for number in (0, 1):
            add_partition(connection, "events", number, first_offset=40)
        for back in (1, 2, 7):
            add_pane(connection, "churn", NOW_MS - back * MINUTE_MS)
        add_pane(connection, "churn", NOW_MS - MINUTE_MS, partition=1, inferences=99)


def counted(engine: Engine, back: int, next_offset: int, **changes: Any) -> None:
    """A checkpoint at this offset counted events of the pane that began so many minutes ago."""
    values = {
        "topic": "events", "partition": 0, "model": "churn", "stream": "inference",
        "start_ms": NOW_MS - back * MINUTE_MS, "next_offset": next_offset, "hashes": b"",
    }  # fmt: skip
    with transaction(engine) as connection:
        connection.execute(insert(pane_ids).values(**values | changes))


def found(engine: Engine, wanted: PaneFilter = WANTED) -> dict[int, LogPlace]:
    with transaction(engine) as connection:
        return {one.partition: one for one in log_places(connection, wanted)}


def test_offsets_lie_between_the_checkpoint_before_and_the_last(engine: Engine) -> None:
    #  next offsets:  100 (before)   150   200 (of the time)   250 (after)
    for back, offset in ((7, 100), (2, 150), (1, 200), (-1, 250)):
        counted(engine, back, offset)
    counted(engine, 1, 130, model="fraud")
    places = found(engine)
    assert list(places) == [1, 0]
    assert (places[0].from_offset, places[0].until_offset, places[0].inferences) == (130, 200, 20)
    assert (places[1].from_offset, places[1].until_offset, places[1].inferences) == (None, None, 99)


def test_of_the_first_checkpoint_they_begin_where_the_partition_was_first_claimed(engine: Engine) -> None:
    counted(engine, 1, 200)
    assert (found(engine)[0].from_offset, found(engine)[0].until_offset) == (40, 200)


def test_what_was_dead_or_lost_then_is_counted(engine: Engine) -> None:
    with transaction(engine) as connection:
        for offset, timestamp_ms in ((7, SINCE_MS - 1), (8, SINCE_MS), (9, NOW_MS - 1), (10, NOW_MS)):
            add_dead_letter(connection, offset, timestamp_ms=timestamp_ms)
        lost = {"topic": "events", "partition": 0, "kind": "lost"}
        spans = (
            (1, 5, SINCE_MS, NOW_MS),
            (2, 7, None, None),
            (3, 100, None, SINCE_MS),
            (4, 100, NOW_MS, None),
        )
        for offset, records, from_ms, until_ms in spans:
            values = {"offset": offset, "records": records, "from_ms": from_ms, "until_ms": until_ms}
            connection.execute(insert(gap).values(**lost | values))
    place = found(engine)[0]
    assert (place.dead, place.dead_offset, place.lost) == (2, 8, 12)


def test_only_panes_of_the_slice_are_looked_at(engine: Engine) -> None:
    assert found(engine, PaneFilter("churn", "9", "", SINCE_MS, NOW_MS)) == {}
    assert found(engine, PaneFilter("churn", "", "country=DE", SINCE_MS, NOW_MS)) == {}
    assert set(found(engine, PaneFilter("churn", "1", "", SINCE_MS, NOW_MS))) == {0, 1}
