"""How panes were counted, what is in them, and up to where all of them are there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, insert, update

from service.messages import PaneKey
from service.monitor import MINUTE_MS
from service.store.engine import transaction
from service.store.snapshot import one_moment
from service.store.stored_panes import Counted, StoredPanes
from service.store.tables import evaluation, gap, source_partition
from tests.web.seeding import NOW_MS, add_pane, add_partition

pytestmark = pytest.mark.postgres


def at(minute: int) -> int:
    return NOW_MS + minute * MINUTE_MS


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with transaction(engine) as connection:
        yield connection


@pytest.fixture
def panes(connection: Connection) -> StoredPanes:
    """Two partitions; the grid changes, and segments begin, at minute 2; another model is none of its business."""
    # minute       0   1   2   3
    # grid         |---g1--|-g2|
    # partition 1          |-g2|
    for minute, grid in ((0, "g1"), (1, "g1"), (2, "g2")):
        add_pane(connection, "churn", at(minute), grid_id=grid)
    add_pane(connection, "churn", at(2), partition=1, grid_id="g2", inferences=0, labels=4)
    for segment in ("country=DE", "country_code=1", "plan%=x"):
        add_pane(connection, "churn", at(2), segment=segment, grid_id="g2")
    add_pane(connection, "fraud", at(0), grid_id="g9", segment="late=1")
    return StoredPanes(connection, "churn")


def test_panes_are_told_apart_by_how_they_were_counted(panes: StoredPanes) -> None:
    assert panes.counted() == [
        Counted("g1", MINUTE_MS, at(0), at(2), 2),
        Counted("g2", MINUTE_MS, at(2), at(3), 2),
    ]
    assert StoredPanes(panes._connection, "nobody").counted() == []


def test_where_inferences_and_segments_begin(panes: StoredPanes) -> None:
    assert panes.first_inferences_ms() == at(0)
    names = ("country", "plan%", "plan", "late", "countr_")
    assert [panes.first_of_segment_ms(name) for name in names] == [at(2), at(2), None, None, None]


def test_rows_are_summed_over_partitions_and_not_over_segments(panes: StoredPanes) -> None:
    assert panes.totals(at(0), at(3)) == {at(0): 10, at(1): 10, at(2): 14}
    assert panes.totals(at(1), at(2)) == {at(1): 10}


def test_panes_come_oldest_first_with_the_segments_that_are_asked_for(panes: StoredPanes) -> None:
    found = panes.between(at(1), at(3), ["country"])
    assert [row.key for row in found] == [
        PaneKey("churn", "1", "", at(1)),
        PaneKey("churn", "1", "", at(2)),
        PaneKey("churn", "1", "country=DE", at(2)),
        PaneKey("churn", "1", "", at(2)),
    ]
    assert [row.labels for row in found] == [0, 0, 0, 4]
    assert {row.key.segment for row in panes.between(at(0), at(3), [])} == {""}


def test_losses_are_those_of_its_partitions(connection: Connection, panes: StoredPanes) -> None:
    for partition in (0, 7):
        lost = {"offset": partition, "kind": "lost", "records": 3}
        connection.execute(insert(gap).values(topic="events", partition=partition, **lost))
    assert [one.offset for one in panes.losses()] == [0]


def test_all_is_there_up_to_the_slowest_partition_or_where_an_evaluator_stands(
    connection: Connection, panes: StoredPanes
) -> None:
    assert panes.reached_ms(1_000) < 0
    add_partition(connection, "events", 0, highest_ms=at(3))
    add_partition(connection, "events", 1, highest_ms=at(2))
    assert panes.reached_ms(1_000) == at(2) - 1_000
    slow = source_partition.c.partition == 1
    connection.execute(update(source_partition).where(slow).values(highest_ms=None))
    assert panes.reached_ms(1_000) < 0
    connection.execute(update(source_partition).where(slow).values(halted="it is another topic"))
    assert panes.reached_ms(1_000) == at(3) - 1_000
    connection.execute(insert(evaluation).values(model="churn", position_ms=at(5)))
    assert panes.reached_ms(1_000) == at(5)


def test_a_moment_sees_no_later_commit(engine: Engine) -> None:
    with one_moment(engine) as before:
        assert StoredPanes(before, "churn").counted() == []
        with transaction(engine) as connection:
            add_pane(connection, "churn", at(0))
        assert StoredPanes(before, "churn").counted() == []
    with one_moment(engine) as after:
        assert len(StoredPanes(after, "churn").counted()) == 1
