"""The weekly partitions of the result tables."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, text

from service.store.engine import transaction
from service.store.partitions import PARTITIONED, WEEK_MS, drop_partitions, ensure_partitions, weeks_apart


@pytest.fixture(autouse=True)
def no_partitions(request: pytest.FixtureRequest) -> None:
    if "engine" in request.fixturenames:
        drop_partitions(request.getfixturevalue("engine"), 10**16)


def names(engine: Engine) -> set[str]:
    with transaction(engine) as connection:
        query = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"
        return set(connection.execute(text(query)).scalars())


@pytest.mark.postgres
def test_they_are_made_once_for_every_week_between(engine: Engine) -> None:
    for _ in range(2):
        ensure_partitions(engine, 3 * WEEK_MS - 1, 4 * WEEK_MS)
    assert names(engine) == {f"{table}_w{week}" for table in PARTITIONED for week in (2, 3, 4)}


@pytest.mark.postgres
def test_two_who_make_them_at_once_do_not_collide(engine: Engine) -> None:
    trouble: list[Exception] = []
    ready = threading.Barrier(2)

    def make() -> None:
        ready.wait()
        try:
            for week in range(20):
                ensure_partitions(engine, week * WEEK_MS, (week + 1) * WEEK_MS)
        except Exception as error:  # noqa: BLE001 - told to the test
            trouble.append(error)

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not trouble
    assert len(names(engine)) == 21 * len(PARTITIONED)


@pytest.mark.postgres
def test_only_whole_weeks_of_ours_that_are_over_are_dropped(engine: Engine) -> None:
    """Another program's tables may be called as ours are."""
    ensure_partitions(engine, 0, 3 * WEEK_MS)
    with transaction(engine) as connection:
        connection.execute(text("CREATE TABLE theirs (x bigint) PARTITION BY RANGE (x)"))
        connection.execute(text("CREATE TABLE theirs_w0 PARTITION OF theirs FOR VALUES FROM (0) TO (1)"))
    assert drop_partitions(engine, 2 * WEEK_MS - 1) == len(PARTITIONED)
    assert names(engine) == {
        "theirs_w0",
        *(f"{table}_w{week}" for table in PARTITIONED for week in (1, 2, 3)),
    }
    with transaction(engine) as connection:
        connection.execute(text("DROP TABLE theirs"))


@pytest.mark.parametrize(
    ("ends_in_weeks", "expected"),
    [([], []), ([5], [(5, 5)]), ([5, 6, 7], [(5, 7)]), ([0, 2_900, 2_901], [(0, 0), (2_900, 2_901)])],
)
def test_weeks_in_which_nothing_ends_are_left_out(
    ends_in_weeks: list[int], expected: list[tuple[int, int]]
) -> None:
    """A first event of 1970 is no reason to make three thousand tables."""
    found = weeks_apart(week * WEEK_MS + 5 for week in ends_in_weeks)
    assert [(a // WEEK_MS, b // WEEK_MS) for a, b in found] == expected
