"""A database with a temper: any `Checkpoints`, with faults around each call.

caller ---> [before] ---> the call ---> [after] ---> caller
              |                            `- the reply is lost, or the process dies
              `- not reached, the process dies, or somebody else is quicker (`meanwhile`)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeVar

from service.errors import DriftbellError, Unavailable
from tests.simulation.source import Killed

if TYPE_CHECKING:
    from service.checkpoints import Checkpoints, Claim, Claimant, Trial
    from service.configuration import Configuration
    from service.messages import Checkpoint, Loss, Partition

T = TypeVar("T")


@dataclass
class Weather:
    """How likely each fault is at each call. An outage lasts as long as `away` is set."""

    random: Random
    unreached: float = 0.0
    reply_lost: float = 0.0
    death: float = 0.0
    interruption: float = 0.0
    away: bool = False

    def clear(self) -> None:
        """No more faults."""
        self.unreached = self.reply_lost = self.death = self.interruption = 0.0
        self.away = False

    @property
    def chances(self) -> str:
        """What is to be expected."""
        names = ("unreached", "reply_lost", "death", "interruption")
        return ", ".join(f"{name} {getattr(self, name)}" for name in names)

    def strikes(self, chance: float) -> bool:
        """Whether something happens now."""
        return chance > 0 and self.random.random() < chance


@dataclass
class FaultyCheckpoints:
    """`Checkpoints` over another one. `meanwhile` is what others do between a caller's decision and its call."""

    inner: Checkpoints
    weather: Weather
    meanwhile: Callable[[], None] = lambda: None
    trace: Callable[[str], None] = lambda _: None

    def configuration(self) -> Configuration:
        return self._call("configuration", self.inner.configuration)

    def revision(self) -> int:
        return self._call("revision", self.inner.revision)

    def claim(self, partition: Partition, claimant: Claimant, topic_id: str | None, log_start: int) -> Claim:
        def act() -> Claim:
            return self.inner.claim(partition, claimant, topic_id, log_start)

        return self._call(f"claim {_name(partition)}", act)

    def commit(self, claim: Claim, checkpoint: Checkpoint, revision: int) -> None:
        offsets = f"{checkpoint.expected_offset}-{checkpoint.next_offset}"
        name = f"commit {_name(claim.partition)} {offsets} at revision {revision}"
        self._call(name, lambda: self.inner.commit(claim, checkpoint, revision))

    def take_back(self, claim: Claim, offset: int, loss: Loss) -> None:
        name = f"take back {_name(claim.partition)} {offset} to {loss.offset}"
        self._call(name, lambda: self.inner.take_back(claim, offset, loss))

    def note_progress(
        self, claim: Claim, *, stored_offset: int, lag: int, idle: bool, quiet_ms: int = 0
    ) -> None:
        def act() -> None:
            self.inner.note_progress(
                claim, stored_offset=stored_offset, lag=lag, idle=idle, quiet_ms=quiet_ms
            )

        self._call(f"progress {_name(claim.partition)}: lag {lag}, idle {idle}", act)

    def note_trial(self, claim: Claim, trial: Trial | None) -> None:
        self._call(f"trial {_name(claim.partition)} {trial}", lambda: self.inner.note_trial(claim, trial))

    def forget_ids(self, claim: Claim, before_ms: int) -> None:
        self._call(
            f"forget {_name(claim.partition)} before {before_ms}",
            lambda: self.inner.forget_ids(claim, before_ms),
        )

    def release(self, claim: Claim) -> None:
        self._call(f"release {_name(claim.partition)}", lambda: self.inner.release(claim))

    def halt(self, partition: Partition, why: str, claim: Claim | None = None) -> None:
        self._call(f"halt {_name(partition)}: {why}", lambda: self.inner.halt(partition, why, claim))

    def _call(self, name: str, act: Callable[[], T]) -> T:
        weather = self.weather
        if weather.strikes(weather.interruption):
            self.meanwhile()
        self._may_die(name)
        if weather.away or weather.strikes(weather.unreached):
            self.trace(f"  {name}: not reached")
            raise Unavailable("the database is away")
        try:
            made = act()
        except DriftbellError as why:
            self.trace(f"  {name}: {type(why).__name__}")
            raise
        self._may_die(name)
        if weather.strikes(weather.reply_lost):
            self.trace(f"  {name}: done, and the reply is lost")
            raise Unavailable("the database is away")
        self.trace(f"  {name}: done")
        return made

    def _may_die(self, name: str) -> None:
        if self.weather.strikes(self.weather.death):
            self.trace(f"  {name}: the process dies")
            raise Killed


def _name(partition: Partition) -> str:
    return f"{partition.topic}-{partition.number}"
