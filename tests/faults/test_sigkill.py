"""Workers that die at any moment, and at each place where dying is hardest, change no result.

Two collectors share the log; whoever is dead is replaced at once, so that the living take over from the dead all
the time:

    one   ####x  ####x        x: killed at a random instant while it counts, or by itself at a named place
    two     ####x  #######x
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from tests.faults.conftest import Ground
from tests.faults.crash_points import OF_COLLECTORS, OF_EVALUATORS, Point
from tests.faults.crew import Crew, Worker, at_work, progress
from tests.faults.receiver import Receiver, receiving
from tests.faults.sizes import PARTITIONS, by_size

RANDOM_KILLS = by_size(30, 200)
KILLS_AT_A_POINT = by_size(1, 10)
EMBEDDED_KILLS = by_size(5, 30)
SHORT_SESSION = "1500ms"
PAUSE_SECONDS = 0.25
DEATHS = ": the process died "
"""What a collector rightly says of a partition whose readers keep dying; it must not blame a record for it."""
LOOKS_FOR = {
    Point.BETWEEN_CLAIM_AND_SEEK: 4,
    Point.IN_REVOKE: 2,
    Point.IN_OUTBOX_SEND: 1,
    Point.AFTER_RESULT_INSERT: 2,
}
"""At most the how manieth passage is chosen, where there are not at least ten."""


@dataclass(frozen=True)
class Fate:
    """How a worker will die: at the nth passage of a place, or at an instant that nobody has chosen."""

    point: Point | None = None
    nth: int = 1

    @property
    def options(self) -> tuple[str, ...]:
        return ("--at", self.point, "--nth", str(self.nth)) if self.point else ()


def fates(points: Sequence[Point], each: int, at_random: int, random: Random) -> list[Fate]:
    """So many of each, in any order."""
    made = [Fate()] * at_random
    for point in points:
        most = LOOKS_FOR.get(point, 10)
        made += [Fate(point, random.randint(1, most)) for _ in range(each)]
    random.shuffle(made)
    made.sort(key=lambda fate: fate.point is Point.IN_OUTBOX_SEND)  # there are no alerts before the drift
    return made


@dataclass
class Massacre:
    """Kills the members of a crew one after the other, and replaces them."""

    crew: Crew
    records: int
    random: Random
    session: str = SHORT_SESSION
    client: str = "kafka-python"
    dead: list[tuple[Worker, Fate]] = field(default_factory=list)
    _kills: int = 0

    def kill_collectors(self, plan: Sequence[Fate], evaluators: Evaluators | None = None) -> None:
        """Two at work until the plan is done."""
        self._kills = len(plan)
        pair: list[tuple[Worker, Fate]] = []
        for fate in plan:
            if len(pair) == 2:
                self._await_end(*pair.pop(0))
                if pair[0][1].point is Point.IN_REVOKE:
                    self._await_all_in(pair[0][0])
            pair.append((self._start(fate), fate))
            if evaluators is not None:
                evaluators.replace_the_dead()
            if len(self.dead) % 20 == 10:
                self._report()
        for worker, fate in pair:
            if fate.point is Point.IN_REVOKE:
                self._await_all_in(worker)
                self._start(Fate())
            self._await_end(worker, fate)
        self._report()

    def _report(self) -> None:
        done = f"{self.crew.consumed()} of {self.records} records are counted"
        progress(f"{len(self.dead)} of {self._kills} are dead, {done}")

    def _start(self, fate: Fate) -> Worker:
        return self.crew.start(
            "collect", options=("--pace", str(self._pace()), *fate.options),
            KAFKA_SESSION_TIMEOUT=self.session, KAFKA_CLIENT=self.client,
        )  # fmt: skip

    @property
    def _records_a_kill(self) -> float:
        return 0.9 * self.records / self._kills

    def _ahead(self) -> float:
        """How many records more than planned are counted; the plan and the log come to their ends together."""
        return self.crew.consumed() - len(self.dead) * self._records_a_kill

    def _pace(self) -> int:
        """Records a second: a kill's share in half a second, or slower when the crew is ahead."""
        return max(20, int(self._records_a_kill * (0.2 if self._ahead() > self._records_a_kill else 2)))

    def _await_end(self, worker: Worker, fate: Fate) -> None:
        if fate.point is None:
            self._await_work(worker)
            time.sleep(self.random.uniform(0, PAUSE_SECONDS))
            worker.kill()
        else:
            self.crew.wait_until(lambda: not worker.is_running(), f"{worker.name} dies at {fate.point}")
            assert f"struck at {fate.point}\n" in worker.said()
        assert worker.was_killed(), worker.said()
        assert self.crew.consumed() < self.records, "the log was read before the last kill"
        self.dead.append((worker, fate))

    def _await_work(self, worker: Worker) -> None:
        self.crew.wait_until(lambda: self.crew.owned_by(worker), f"{worker.name} owns partitions")
        before = self._stored_by(worker)
        self.crew.wait_until(
            lambda: self._stored_by(worker) != before or self._has_read_all(worker),
            f"{worker.name} stores what it counts",
        )
        self.crew.wait_until(lambda: self._ahead() > 0, "the crew does its share before the next kill")

    def _stored_by(self, worker: Worker) -> list[tuple[int, int]]:
        query = "SELECT partition, next_offset FROM source_partition WHERE owner = %s ORDER BY 1"
        return self.crew.stack.rows(query, worker.owner)

    def _has_read_all(self, worker: Worker) -> bool:
        """Whether its partitions are at their ends: the other one may still have much to do."""
        stored = self._stored_by(worker)
        return bool(stored) and all(offset >= self.records // PARTITIONS for _, offset in stored)

    def _await_all_in(self, worker: Worker) -> None:
        """The one that is to die while it gives back must have what the next one will want."""

        def has_all() -> bool:
            return not worker.is_running() or self.crew.owned_by(worker) == PARTITIONS

        self.crew.wait_until(has_all, f"{worker.name} has taken over everything")


@dataclass
class Evaluators:
    """One evaluator after the other, each with its fate; the last one lives."""

    crew: Crew
    plan: list[Fate]
    now: tuple[Worker, Fate] | None = None
    dead: list[Fate] = field(default_factory=list)

    def replace_the_dead(self) -> bool:
        """Start the next one if the last has died; returns whether the plan is done."""
        if self.now is None or not self.now[0].is_running():
            if self.now is not None:
                worker, fate = self.now
                assert worker.was_killed(), worker.said()
                assert f"struck at {fate.point}\n" in worker.said()
                self.dead.append(fate)
                self._let_leases_expire()
            fate = self.plan.pop(0) if self.plan else Fate()
            self.now = self.crew.start("evaluate", options=fate.options), fate
        return self.now[1].point is None

    def _let_leases_expire(self) -> None:
        """As half a minute would."""
        self.crew.stack.rows(
            "UPDATE evaluation SET expires_at = now() WHERE token IS NOT NULL RETURNING model"
        )


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.apache_kafka
def test_kills_at_random_and_at_every_named_place_change_nothing(
    ground: Ground, database: str, tmp_path: Path
) -> None:
    random = Random(20)
    plan = fates(OF_COLLECTORS, KILLS_AT_A_POINT, RANDOM_KILLS, random)
    with (
        receiving() as receiver,
        at_work(ground.crew(database, tmp_path, ALERT_WEBHOOK_URL=receiver.url)) as crew,
    ):
        evaluators = Evaluators(crew, fates(OF_EVALUATORS, KILLS_AT_A_POINT, 0, random))
        killer = Massacre(crew, ground.log.records, random)
        killer.kill_collectors(plan, evaluators)
        crew.replace_collectors(2, KAFKA_SESSION_TIMEOUT=SHORT_SESSION)
        crew.wait_until(evaluators.replace_the_dead, "evaluators have died at all their places")
        ground.check(crew)
        check_messages(crew, receiver, evaluators.dead.count(Fate(Point.IN_OUTBOX_SEND)))
        assert crew.troubles(but=DEATHS) == []
    met = {fate.point for _, fate in killer.dead} | {fate.point for fate in evaluators.dead}
    assert met == {None, *OF_COLLECTORS, *OF_EVALUATORS}


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.kafka
def test_kills_change_nothing_with_the_other_client_and_broker(
    embedded_ground: Ground, database: str, tmp_path: Path
) -> None:
    with at_work(embedded_ground.crew(database, tmp_path)) as crew:
        crew.start("evaluate")
        killer = Massacre(crew, embedded_ground.log.records, Random(7), session="6s", client="confluent")
        killer.kill_collectors([Fate()] * EMBEDDED_KILLS)
        crew.start("collect", KAFKA_SESSION_TIMEOUT="6s", KAFKA_CLIENT="confluent")
        embedded_ground.check(crew)
        assert crew.troubles(but=DEATHS) == []


def check_messages(crew: Crew, receiver: Receiver, repeats: int) -> None:
    """Everybody who must hear of an alert has: in order, and no more often than somebody died over the message."""
    crew.wait_until(
        lambda: crew.stack.rows("SELECT count(*) FROM outbox WHERE delivered_at IS NULL") == [(0,)],
        "the outbox is empty",
    )
    sent = crew.stack.rows("SELECT alert_id, state FROM outbox ORDER BY id")
    heard = [(d["id"], d["state"]) for d in receiver.documents]
    assert list(dict.fromkeys(heard)) == list(dict.fromkeys(sent))
    assert len(heard) - len(sent) == repeats
