"""A collector that is asked to stop writes what it has counted and leaves: nobody reads a record again, nobody waits.

The session timeout is five minutes here: who went without leaving the group would keep the next one from his
partitions for longer than the test waits.
"""

from __future__ import annotations

import math
import time
from itertools import cycle
from pathlib import Path
from random import Random

import pytest

from tests.faults.conftest import Ground
from tests.faults.crew import Crew, Worker, at_work, progress
from tests.faults.sizes import PARTITIONS, by_size

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.apache_kafka]

ALONE = by_size(17, 40)
IN_COMPANY = by_size(3, 10)
COMPANY_SECONDS = 16
"""Two that share the work wait for the group's rebalances, and must not come to the log's end meanwhile."""
EXIT_SECONDS = 10.0
TAKEOVER_SECONDS = 60.0
CLIENTS = cycle(["kafka-python", "confluent"])


def test_stopped_collectors_exit_in_time_and_no_record_is_read_twice(
    ground: Ground, database: str, tmp_path: Path
) -> None:
    random = Random(3)
    with at_work(ground.crew(database, tmp_path, KAFKA_SESSION_TIMEOUT="5m")) as crew:
        crew.start("evaluate")
        stops = Stops(crew, ground.log.records // (ALONE + IN_COMPANY + 1), random)
        for _ in range(ALONE):
            stops.stop(stops.start())
        left = stops.start(COMPANY_SECONDS)
        for _ in range(IN_COMPANY):
            leaving, left = left, stops.start(COMPANY_SECONDS)
            crew.wait_until(lambda left=left: 0 < crew.owned_by(left) < PARTITIONS, "both have partitions")
            stops.stop(leaving)
            stops.await_takeover(left)
        stops.stop(left)
        stops.start(0)
        ground.wait_until_read(crew)
        stops.stop(crew.workers[-1], busy=False)
        ground.check(crew)
        assert crew.troubles() == []
    assert stops.tallies() == ground.log.records
    assert {code for code, _ in stops.exits} == {0}
    worst = sorted(seconds for _, seconds in stops.exits)[math.ceil(0.99 * len(stops.exits)) - 1]
    progress(
        f"{len(stops.exits)} exits, 99 % within {worst:.2f} s; taken over within {max(stops.takeovers):.2f} s"
    )
    assert worst <= EXIT_SECONDS


class Stops:
    """Starts and stops collectors one after the other, with an eye on the clock."""

    def __init__(self, crew: Crew, share: int, random: Random) -> None:
        self._crew = crew
        self._share = share
        self._random = random
        self.exits: list[tuple[int, float]] = []
        self.takeovers: list[float] = []
        self._stopped_at = 0.0

    def start(self, seconds: int = 1) -> Worker:
        """A collector that takes its share of the records in so many seconds, or all that there are at full speed."""
        tally = self._crew.stack.folder / f"{len(self._crew.workers)}.tally"
        slow = ("--pace", str(max(20, self._share // seconds))) if seconds else ()
        return self._crew.start("collect", options=("--tally", str(tally), *slow), KAFKA_CLIENT=next(CLIENTS))

    def stop(self, worker: Worker, *, busy: bool = True) -> None:
        """SIGTERM at a random instant while it counts."""
        if busy:
            self._crew.wait_until(
                lambda: self._crew.owned_by(worker), f"{worker.name} owns partitions", TAKEOVER_SECONDS
            )
            before = self._crew.consumed()
            self._crew.wait_until(
                lambda: self._crew.consumed() > before + self._share / 40, "records are counted"
            )
            time.sleep(self._random.uniform(0, 0.25))
        self.exits.append(worker.terminate())
        self._stopped_at = time.monotonic()

    def await_takeover(self, left: Worker) -> None:
        """Until the one that is left has everything."""
        self._crew.wait_until(
            lambda: self._crew.owned_by(left) == PARTITIONS, f"{left.name} takes over", TAKEOVER_SECONDS
        )
        self.takeovers.append(time.monotonic() - self._stopped_at)

    def tallies(self) -> int:
        """How many records all of them were handed; each process leaves its number when it ends cleanly."""
        files = list(self._crew.stack.folder.glob("*.tally"))
        assert len(files) == len(self.exits)
        return sum(int(file.read_text()) for file in files)
