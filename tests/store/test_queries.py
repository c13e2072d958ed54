from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from service.embedded import EmbeddedPostgres
from service.monitor import DAY_MS, MINUTE_MS
from service.store import dead_letters, gauge_queries, queries, result_queries
from service.store.engine import transaction
from service.store.gauge_queries import Horizon, LastNews
from service.store.paging import BadCursorError, Paging
from service.store.queries import OpenAlerts
from service.store.result_queries import AlertFilter, FindingFilter, PerformanceFilter, WindowFilter
from tests.web.databases import empty, migrated
from tests.web.seeding import (
    NOW_MS,
    WINDOW_MS,
    add_alert,
    add_dead_letter,
    add_finding,
    add_model,
    add_pane,
    add_partition,
    add_performance,
    add_reference,
    add_window,
)

pytestmark = pytest.mark.postgres

ALL = Paging(1_000)


@pytest.fixture(scope="module")
def engine(postgres_server: EmbeddedPostgres) -> Iterator[Engine]:
    with migrated(postgres_server, "queries") as engine:
        yield engine


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    empty(engine)
    with transaction(engine) as connection:
        yield connection


def overview(connection: Connection, model: str) -> queries.ModelRow:
    row = queries.find_model(connection, NOW_MS, model)
    assert row is not None
    return row


def test_the_last_event_is_that_of_the_newest_pane_of_any_partition_and_slice(connection: Connection) -> None:
    # pane        |--a--|--b--|--c--|
    # inferences     10    10     0     so b's last event counts, the later one of its two partitions
    add_model(connection, "churn")
    add_pane(connection, "churn", NOW_MS - 2 * MINUTE_MS + 59_000)
    add_pane(connection, "churn", NOW_MS - MINUTE_MS + 1_000)
    add_pane(connection, "churn", NOW_MS - MINUTE_MS + 2_000, partition=1, segment="country=DE", version="2")
    add_pane(connection, "churn", NOW_MS + 5_000, inferences=0, labels=1)
    add_pane(connection, "fraud", NOW_MS + 9_000)
    row = overview(connection, "churn")
    assert row.last_event_ms == NOW_MS - MINUTE_MS + 2_000
    assert row.last_label_ms == NOW_MS + 5_000


def test_versions_are_those_with_windows_of_late(connection: Connection) -> None:
    add_model(connection, "churn")
    for version, back_ms in (("1", 9 * DAY_MS), ("2", 7 * DAY_MS), ("10", 0), ("2", 0)):
        add_window(connection, "churn", NOW_MS - back_ms, version=version)
    assert overview(connection, "churn").versions == ("10", "2")


def test_a_flood_of_versions_is_cut(connection: Connection) -> None:
    add_model(connection, "churn")
    for number in range(queries.MOST_VERSIONS + 10):
        add_window(connection, "churn", NOW_MS, version=f"v{number:03}")
    assert len(overview(connection, "churn").versions) == queries.MOST_VERSIONS


def test_open_alerts_are_counted_by_what_they_do(connection: Connection) -> None:
    add_model(connection, "churn")
    for number, (severity, state) in enumerate(
        [
            ("page", "firing"),
            ("page", "firing"),
            ("ticket", "firing"),
            ("info", "firing"),
            ("page", "pending"),
        ]
    ):
        add_alert(connection, f"a{number}", "churn", severity=severity, state=state)
    add_alert(connection, "resolved", "churn", state="resolved")
    add_alert(connection, "silence", "churn", cause="silence")
    add_alert(
        connection, "silence of a part", "churn", cause="silence", segment="country=DE", severity="info"
    )
    assert overview(connection, "churn").alerts == OpenAlerts(page=3, ticket=1, info=2, pending=1, silence=1)
    assert overview(connection, "churn").alerts.total == 7


def test_an_unknown_name_is_none(connection: Connection) -> None:
    assert queries.find_model(connection, NOW_MS, "none") is None
    assert queries.find_monitor(connection, "none") is None
    assert queries.find_reference(connection, "none") is None
    assert result_queries.find_alert(connection, "none") is None


Listing = Callable[[Connection, Paging], Any]

LISTINGS: dict[str, Listing] = {
    "models": lambda connection, paging: queries.list_models(connection, NOW_MS, paging),
    "monitors": queries.list_monitors,
    "references": queries.list_references,
    "partitions": queries.list_partitions,
    "windows": lambda connection, paging: result_queries.list_windows(connection, WindowFilter(), paging),
    "findings": lambda connection, paging: result_queries.list_findings(connection, FindingFilter(), paging),
    "performance": lambda connection, paging: result_queries.list_performance(
        connection, PerformanceFilter(), paging
    ),
    "alerts": lambda connection, paging: result_queries.list_alerts(connection, AlertFilter(), paging),
    "dead": lambda connection, paging: dead_letters.list_dead_letters(
        connection, dead_letters.DeadLetterFilter(), paging
    ),
}


def fill(connection: Connection) -> None:
    for number in range(7):
        add_model(connection, f"m{number}")
        add_partition(connection, "events", number)
        add_alert(connection, f"a{number}", f"m{number}")
        add_dead_letter(connection, number)
        for back in range(2):
            add_window(connection, f"m{number}", NOW_MS - back * WINDOW_MS)
            add_finding(connection, f"m{number}", NOW_MS - back * WINDOW_MS)
            add_performance(connection, f"m{number}", NOW_MS - back * WINDOW_MS)


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 14, 15])
def test_pages_together_are_the_whole_in_the_same_order(
    connection: Connection, listing: str, limit: int
) -> None:
    fill(connection)
    read = LISTINGS[listing]
    rows: list[Any] = []
    paging: Paging | None = Paging(limit)
    while paging is not None:
        chunk = read(connection, paging)
        assert len(chunk.rows) <= limit
        rows += chunk.rows
        paging = None if chunk.next is None else Paging(limit, chunk.next)
    assert rows == list(read(connection, ALL).rows)
    assert len(rows) in {7, 14}


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("key", [(), (1.5,), (True,), ("a", "b", "c"), (2**63, "a"), ("\x00",), (None,)])
def test_a_key_of_another_shape_is_refused(connection: Connection, listing: str, key: Any) -> None:
    with pytest.raises(BadCursorError):
        LISTINGS[listing](connection, Paging(1, key))


def test_the_greatest_numbers_are_keys_like_others(connection: Connection) -> None:
    fill(connection)
    biggest = 2**63 - 1
    assert len(queries.list_partitions(connection, Paging(9, ("events", biggest))).rows) == 0
    assert len(result_queries.list_alerts(connection, AlertFilter(), Paging(9, (biggest, "a"))).rows) == 7


def test_monitors_are_the_newest_and_references_have_no_profile(connection: Connection) -> None:
    add_model(connection, "churn")
    add_model(connection, "churn", number=2, origin="learned")
    add_reference(connection, "other", model="fraud")
    (row,) = queries.list_monitors(connection, ALL).rows
    assert (row.number, row.origin) == (2, "learned")
    assert [r.name for r in queries.list_references(connection, ALL, "fraud").rows] == ["other"]


def test_the_newest_window_of_each_slice_is_that_within_its_horizon(connection: Connection) -> None:
    for segment, back in (("", 0), ("", 1), ("country=DE", 1), ("country=FR", 4)):
        add_window(connection, "churn", NOW_MS - back * WINDOW_MS, segment=segment)
    add_window(connection, "churn", NOW_MS, window="1h")
    windows = gauge_queries.newest_windows(connection, [Horizon("churn", "5m", NOW_MS - 3 * WINDOW_MS)])
    assert [(w.segment, w.end_ms) for w in windows] == [("", NOW_MS), ("country=DE", NOW_MS - WINDOW_MS)]
    assert gauge_queries.newest_windows(connection, []) == ()


def test_findings_of_newest_windows_come_worst_first_and_are_all_counted(connection: Connection) -> None:
    add_window(connection, "churn", NOW_MS)
    for feature, value, limit in (("a", 0.2, 0.4), ("b", 0.3, 0.4), ("c", 0.9, None), ("d", None, 0.4)):
        add_finding(connection, "churn", NOW_MS, feature=feature, value=value, limit=limit)
    add_finding(connection, "churn", NOW_MS, feature="e", method="missing_null", value=0.1, limit=0.1)
    add_finding(connection, "churn", NOW_MS - WINDOW_MS, feature="of an older window")
    windows = gauge_queries.newest_windows(connection, [Horizon("churn", "5m", NOW_MS)])
    worst = gauge_queries.worst_findings(connection, windows, 3)
    assert [row.feature for row in worst.rows] == ["e", "b", "a"]
    assert worst.all_series == 2 + 2 + 1 + 3


def test_last_news_tell_of_every_model(connection: Connection) -> None:
    add_model(connection, "churn")
    add_pane(connection, "churn", NOW_MS, labels=1)
    add_model(connection, "unheard")
    assert gauge_queries.last_news(connection) == (
        LastNews("churn", NOW_MS, NOW_MS), LastNews("unheard", None, None),
    )  # fmt: skip
