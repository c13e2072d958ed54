"""How far event time has come: the minimum over partitions, but for those that are idle or halted."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from service.checkpoints import Claim, Claimant
from service.messages import Checkpoint, Counts, Partition
from service.store import checkpoint as store
from service.store.engine import transaction
from service.store.watermarks import Progress, holding_back, load_progress, watermark_ms

NOW_MS = 1_000_000
BUSY_100, BUSY_300, NEW = Progress(100, None), Progress(300, None), Progress(None, None)
IDLE_50, IDLE_NEW = Progress(50, 40_000), Progress(None, 40_000)


@pytest.mark.parametrize(
    ("partitions", "expected"),
    [
        ((), None),
        ((BUSY_300,), 290),
        ((BUSY_300, BUSY_100), 90),
        ((BUSY_300, IDLE_50), 290),
        ((BUSY_300, NEW), None),
        ((BUSY_300, IDLE_NEW), 290),
        ((IDLE_50, NEW), None),
        ((IDLE_NEW,), None),
        ((IDLE_50,), NOW_MS - 10),
        ((IDLE_50, IDLE_NEW), NOW_MS - 10),
        ((Progress(2 * NOW_MS, 40_000),), 2 * NOW_MS - 10),
    ],
)
def test_the_watermark_is_the_least_of_the_busy_and_the_clock_s_when_all_are_idle(
    partitions: tuple[Progress, ...], expected: int | None
) -> None:
    assert watermark_ms(partitions, 10, NOW_MS, 30_000) == expected


def test_how_long_is_idle_is_said_by_the_monitor() -> None:
    assert watermark_ms((BUSY_300, IDLE_50), 10, NOW_MS, 40_000) == 290
    assert watermark_ms((BUSY_300, IDLE_50), 10, NOW_MS, 40_001) == 40


def test_what_nobody_has_seen_since_the_last_look_is_neither_idle_nor_past() -> None:
    """A database that was away comes back with what was true before."""
    looked_15_s_ago = Progress(50, 40_000, silent_ms=15_000)
    assert watermark_ms((BUSY_300, looked_15_s_ago), 10, NOW_MS, 25_000) == 290
    assert watermark_ms((BUSY_300, looked_15_s_ago), 10, NOW_MS, 25_001) == 40
    assert watermark_ms((IDLE_50, looked_15_s_ago), 10, NOW_MS, 25_000) == NOW_MS - 15_000 - 10


def test_who_holds_all_back_is_the_oldest_that_nobody_reads() -> None:
    read = Progress(10, None, Partition("t", 0), "one", 5_000)
    left, older = (
        Progress(30, None, Partition("t", 1), None, 100_000),
        Progress(20, None, Partition("t", 2), "dead", 100_000),
    )
    assert holding_back((read,)) is None
    assert holding_back((read, left, older)) == older


@pytest.fixture
def held(engine: Engine) -> list[Claim]:
    """Two partitions, of which one has come to 1000 and the other to 3000."""
    made = []
    for number, highest in enumerate((1_000, 3_000)):
        place = Partition("events", number)
        made.append(store.PostgresCheckpoints(engine).claim(place, Claimant("one", 0), None, 0))
        store.PostgresCheckpoints(engine).commit(made[-1], Checkpoint(place, 0, 1, highest, Counts(1)), 0)
    return made


def highest(engine: Engine) -> int | None:
    return watermark_ms(load_progress(engine), 0, NOW_MS)


@pytest.mark.postgres
def test_the_least_partition_holds_it_owned_or_not(engine: Engine, held: list[Claim]) -> None:
    assert highest(engine) == 1_000
    store.PostgresCheckpoints(engine).release(held[0])
    assert highest(engine) == 1_000


@pytest.mark.postgres
def test_an_idle_one_does_not_hold_it(engine: Engine, held: list[Claim]) -> None:
    store.PostgresCheckpoints(engine).note_progress(held[0], stored_offset=1, lag=0, idle=True)
    assert highest(engine) == 3_000
    store.PostgresCheckpoints(engine).note_progress(held[1], stored_offset=1, lag=0, idle=True)
    assert 3_000 < (highest(engine) or 0) <= NOW_MS, "the clock, as it was when the owners said so"


@pytest.mark.postgres
@pytest.mark.parametrize("way", ["released", "claimed by another", "owner died"])
def test_who_was_idle_counts_again_once_it_is(engine: Engine, held: list[Claim], way: str) -> None:
    store.PostgresCheckpoints(engine).note_progress(held[0], stored_offset=1, lag=0, idle=True)
    if way == "released":
        store.PostgresCheckpoints(engine).release(held[0])
    elif way == "claimed by another":
        store.PostgresCheckpoints(engine).claim(Partition("events", 0), Claimant("two", 0), None, 0)
    else:
        with transaction(engine) as connection:
            connection.execute(text("UPDATE source_partition SET updated_at = now() - interval '31 seconds'"))
    assert highest(engine) == 1_000


@pytest.mark.postgres
def test_a_halted_one_waits_for_a_person_and_the_models_do_not(engine: Engine, held: list[Claim]) -> None:
    store.PostgresCheckpoints(engine).halt(Partition("events", 0), "why")
    assert highest(engine) == 3_000
    store.PostgresCheckpoints(engine).halt(Partition("events", 1), "why")
    assert highest(engine) is None


@pytest.mark.postgres
def test_a_partition_that_has_not_begun_holds_it_until_it_is_idle(engine: Engine, held: list[Claim]) -> None:
    made = store.PostgresCheckpoints(engine).claim(Partition("events", 2), Claimant("one", 0), None, 0)
    assert highest(engine) is None
    store.PostgresCheckpoints(engine).note_progress(made, stored_offset=0, lag=0, idle=True)
    assert highest(engine) == 1_000
    assert held
