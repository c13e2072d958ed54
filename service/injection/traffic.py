"""Faults of the traffic itself: silence, duplicates, late, out of order, from the far future."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from service.errors import ConfigurationError
from service.injection.fault import NOTHING, Change, Expected, Fault, Ground, edit, of, option
from service.injection.times import duration_of, time_of
from service.messages import Cause

if TYPE_CHECKING:
    from service.injection.event import Event


@dataclass(frozen=True)
class Silence(Fault):
    """No events come: of the model, or with --where of one segment."""

    name: ClassVar = "silence"

    def begin(self, ground: Ground) -> Change:  # noqa: ARG002
        return lambda event, hit: () if hit else (event,)

    def expects(self) -> Expected:
        return of(Cause.SILENCE, Cause.PIPELINE, on=[None])


@dataclass(frozen=True)
class Duplicates(Fault):
    """Events come more than once, byte for byte."""

    name: ClassVar = "duplicates"
    times: int = option("So many copies more.", 1)

    def begin(self, ground: Ground) -> Change:
        if not ground.survey.has_ids:
            raise ConfigurationError(
                "duplicates needs events with an `id`: without one they are events of their own"
            )
        if not 0 < self.times <= 1_000:
            raise ConfigurationError(f"--times {self.times} is no number of copies; write 1 to 1000")
        return lambda event, hit: (event, *(event.copy() for _ in range(self.times))) if hit else (event,)

    def expects(self) -> Expected:
        return NOTHING


@dataclass(frozen=True)
class Late(Fault):
    """Events come late, all by the same time; their event times stay."""

    name: ClassVar = "late"
    by: str = option("How late, such as 10m or 2h.", "5m")

    def begin(self, ground: Ground) -> Change:  # noqa: ARG002
        late_ms = duration_of(self.by, "--by")

        def delay(event: Event) -> None:
            event.late_ms = late_ms

        return edit(delay)

    def expects(self) -> Expected:
        return NOTHING


@dataclass(frozen=True)
class OutOfOrder(Fault):
    """Events overtake each other: each comes up to so much late."""

    name: ClassVar = "out-of-order"
    by: str = option("At most so late, such as 5s.", "5s")

    def begin(self, ground: Ground) -> Change:
        most_ms = duration_of(self.by, "--by")

        def delay(event: Event) -> None:
            event.late_ms = int(ground.random.integers(most_ms + 1))

        return edit(delay)

    def expects(self) -> Expected:
        return NOTHING


@dataclass(frozen=True)
class FarFuture(Fault):
    """A few events say that they are of a time long after now."""

    name: ClassVar = "far-future"
    time: str = option("The time they say.", "2099-01-01T00:00:00Z")
    count: int = option("So many events.", 1)

    def begin(self, ground: Ground) -> Change:  # noqa: ARG002
        ts_ms, left = time_of(self.time, "--time"), [self.count]

        def move(event: Event) -> None:
            if left[0] > 0:
                left[0] -= 1
                event.move(ts_ms)

        return edit(move)

    def expects(self) -> Expected:
        return NOTHING
