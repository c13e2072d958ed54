"""A collector that was stopped for so long that others have its partitions writes nothing when it goes on.

    zombie    counts --- x frozen before it commits . . . . . . . .  thawed: fenced --- joins again
    other                      (the session ends)  claims, counts on, commits ----------------->

Its own metrics say that its commit was refused.
"""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from random import Random
from urllib.request import urlopen

import pytest

from service.embedded.broker import free_port
from tests.faults.conftest import Ground
from tests.faults.crash_points import Point
from tests.faults.crew import Crew, Worker, at_work, progress
from tests.faults.sizes import PARTITIONS, by_size

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.apache_kafka]

PLACES = by_size(
    [Point.BEFORE_BEGIN] * 5, [Point.BEFORE_BEGIN] * 16 + [Point.AFTER_SWAP, Point.AFTER_PANES] * 2
)
"""Frozen inside its transaction it holds the row's lock, until the database ends that after a minute."""
BACK_SECONDS = 30.0
FENCED, ENDED = (f'driftbell_commits_total{{outcome="{outcome}"}}' for outcome in ("fenced", "retried"))
"""Frozen between its transactions it is fenced; inside one, the database may have ended that when it wakes up."""


def test_every_zombie_is_fenced_and_works_again(ground: Ground, database: str, tmp_path: Path) -> None:
    random, clients = Random(5), cycle(["kafka-python", "confluent"])
    pace = ("--pace", str(ground.log.records // (len(PLACES) + 1) // 12))
    with at_work(ground.crew(database, tmp_path, KAFKA_SESSION_TIMEOUT="1500ms")) as crew:
        crew.start("evaluate")
        other = crew.start("collect", options=pace)
        crew.wait_until(lambda: crew.owned_by(other) == PARTITIONS, "somebody is at work")
        for number, place in enumerate(PLACES):
            port = free_port()
            fault = ("--at", place, "--nth", str(random.randint(5, 20)), "--by", "STOP")
            zombie = crew.start(
                "collect", options=(*pace, *fault), METRICS_PORT=str(port), KAFKA_CLIENT=next(clients)
            )
            rise(crew, zombie, other, port, (FENCED,) if place is Point.BEFORE_BEGIN else (FENCED, ENDED))
            assert crew.consumed() < ground.log.records, "there is nothing left that a zombie could write"
            assert zombie.terminate()[0] == 0
            progress(f"zombie {number + 1} of {len(PLACES)} was refused")
        crew.replace_collectors(2)
        ground.check(crew)
        assert crew.troubles() == []


def rise(crew: Crew, zombie: Worker, other: Worker, port: int, refusals: tuple[str, ...]) -> None:
    """It freezes, loses all, wakes up, is refused, and owns partitions again."""
    crew.wait_until(zombie.is_frozen, "the zombie freezes")
    crew.wait_until(lambda: crew.owned_by(other) == PARTITIONS, "the other one takes over")
    before = crew.consumed()
    crew.wait_until(lambda: crew.consumed() > before, "the other one goes on")
    zombie.thaw()
    crew.wait_until(lambda: refused(port, refusals) >= 1, "the zombie's commit is refused")
    crew.wait_until(lambda: crew.owned_by(zombie), "the zombie is one of the living again", BACK_SECONDS)


def refused(port: int, refusals: tuple[str, ...]) -> float:
    """How many commits this collector was refused, by its own metrics."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(refusals))
