"""Faults that bring a value from another row: stuck, stale, permuted."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import UNSET

from service.errors import ConfigurationError
from service.injection.event import as_value
from service.injection.fault import Change, Expected, Fault, Ground, edit, of, option
from service.messages import Cause

if TYPE_CHECKING:
    from service.injection.event import Event

SHUFFLED = 1_000
"""So many values are on their way from one row to another."""
MOST_ROWS = 1_000_000


@dataclass(frozen=True)
class Stuck(Fault):
    """A feature keeps the value that it had when the fault began."""

    name: ClassVar = "stuck"
    feature: str = option("The feature.", required=True)
    value: str | None = option("Or keeps this value.")

    def begin(self, ground: Ground) -> Change:
        ground.survey.feature(self.feature)
        kept: list[Any] = [] if self.value is None else [as_value(self.value)]

        def stick(event: Event) -> None:
            value = event.feature(self.feature)
            if not kept and value is not UNSET and value is not None:
                kept.append(value)
            if kept:
                event.set_feature(self.feature, kept[0])

        return edit(stick)

    def expects(self) -> Expected:
        return of(Cause.STUCK_FEATURE, on=[self.feature])


@dataclass(frozen=True)
class Stale(Fault):
    """A feature is behind: each row has the value of so many rows before it."""

    name: ClassVar = "stale"
    feature: str = option("The feature.", required=True)
    rows: int = option("So many rows behind.", 100)

    def begin(self, ground: Ground) -> Change:
        ground.survey.feature(self.feature)
        if not 0 < self.rows <= MOST_ROWS:
            raise ConfigurationError(f"--rows {self.rows} is no number of rows; write 1 to {MOST_ROWS:,}")
        before: deque[Any] = deque(maxlen=self.rows)

        def lag(event: Event, hit: bool) -> Sequence[Event]:  # noqa: FBT001 - as `Change` has it
            now = event.feature(self.feature)
            if hit and len(before) == self.rows:
                _replace(event, self.feature, before[0])
            before.append(now)
            return (event,)

        return lag

    def expects(self) -> Expected:
        return of(Cause.CORRELATION_BREAK, on=None)


@dataclass(frozen=True)
class Permute(Fault):
    """A feature's values go to other rows: its distribution stays, what it has to do with the others is gone."""

    name: ClassVar = "permute"
    feature: str = option("The feature.", required=True)

    def begin(self, ground: Ground) -> Change:
        ground.survey.feature(self.feature)
        under_way = [event.feature(self.feature) for event in ground.survey.sample]
        under_way = [under_way[i] for i in ground.random.integers(len(under_way), size=SHUFFLED)]

        def exchange(event: Event) -> None:
            place = int(ground.random.integers(SHUFFLED))
            value, under_way[place] = under_way[place], event.feature(self.feature)
            _replace(event, self.feature, value)

        return edit(exchange)

    def expects(self) -> Expected:
        return of(Cause.CORRELATION_BREAK, on=None)


def _replace(event: Event, feature: str, value: Any) -> None:
    if value is UNSET:
        event.drop_feature(feature)
    else:
        event.set_feature(feature, value)
