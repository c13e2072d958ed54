"""A crew of three that is restarted, one after the other or all at once, politely or not, in the middle of its work."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.faults.conftest import Ground
from tests.faults.crew import Crew, Worker, at_work, progress
from tests.faults.sizes import by_size

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.apache_kafka]

CREW = 3


class Manner(Enum):
    """How a round goes: whether all go at once, and whether they are asked."""

    ROLLING_CLEAN = (False, True)
    AT_ONCE_HARD = (True, False)
    ROLLING_HARD = (False, False)
    AT_ONCE_CLEAN = (True, True)


ROUNDS = list(islice(cycle(Manner), by_size(5, 5 * len(Manner))))


def test_a_crew_that_is_bounced_changes_nothing(ground: Ground, database: str, tmp_path: Path) -> None:
    share = ground.log.records // (len(ROUNDS) + 1)
    with at_work(ground.crew(database, tmp_path, KAFKA_SESSION_TIMEOUT="1500ms")) as crew:
        crew.start("evaluate")
        three = start(crew, CREW, share)
        for number, manner in enumerate(ROUNDS, start=1):
            crew.wait_until(
                lambda n=number: crew.consumed() > (n - 0.5) * share, "there is work between two rounds"
            )
            assert crew.consumed() < ground.log.records, "there is nothing left to do when it is bounced"
            three = bounce(crew, three, manner, share)
            progress(f"round {number} of {len(ROUNDS)}: {manner.name}")
        crew.replace_collectors(CREW)
        ground.check(crew)
        assert {w.await_exit() for w in crew.workers if not w.is_running()} <= {0, -9}
        assert crew.troubles() == []


def bounce(crew: Crew, three: Sequence[Worker], manner: Manner, share: int) -> list[Worker]:
    """End these and have as many new ones, each with partitions."""
    at_once, clean = manner.value
    new: list[Worker] = []
    for group in [three] if at_once else [[worker] for worker in three]:
        for worker in group:
            end(worker, clean=clean)
        new += start(crew, len(group), share)
    return new


def end(worker: Worker, *, clean: bool) -> None:
    if clean:
        assert worker.terminate()[0] == 0
    else:
        worker.kill()


def start(crew: Crew, number: int, share: int) -> list[Worker]:
    """Collectors that have partitions; they take a round's share of the records in about ten seconds."""
    made = [crew.start("collect", options=("--pace", str(share // 10))) for _ in range(number)]
    for worker in made:
        crew.wait_until(lambda worker=worker: crew.owned_by(worker), f"{worker.name} owns partitions")
    return made
