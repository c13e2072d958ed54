"""What a kind of fault is: a frozen description that, on a log's ground, begins to change events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, ClassVar

from service.injection.column import is_number

if TYPE_CHECKING:
    from numpy.random import Generator

    from service.injection.event import Event
    from service.injection.survey import Survey
    from service.messages import Cause

Change = Callable[["Event", bool], "Sequence[Event]"]
"""What becomes of an event: itself, changed or not, nothing, or more than one. It sees all events of its target in
their order; only of those that are hit (the second argument) something may change."""


class Target(Enum):
    """Which events a fault is about."""

    INFERENCES = auto()
    LABELS = auto()
    """Labels, by their own time."""
    OUTCOMES = auto()
    """The labels of the inferences that are hit, whenever they come."""
    BOTH = auto()
    """Inferences, and all labels (which are never hit)."""


@dataclass(frozen=True)
class Expected:
    """What should ring: one of these causes, on one of these columns (None: on the model as a whole).

    Without features any column will do. Without causes nothing should ring: the fault is harmless.
    """

    causes: frozenset[Cause] = frozenset()
    features: frozenset[str | None] | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing should ring."""
        return not self.causes


NOTHING = Expected()


@dataclass(frozen=True)
class Ground:
    """Where a fault begins: the log's survey, its time span, and its own randomness."""

    survey: Survey
    random: Generator
    from_ms: int
    to_ms: int

    def passed(self, ts_ms: int) -> float:
        """How much of the fault's time has passed, 0 to 1."""
        span = max(1, self.to_ms - self.from_ms)
        return min(1.0, max(0.0, (ts_ms - self.from_ms) / span))


@dataclass(frozen=True)
class Fault(ABC):
    """One kind with its options, a frozen dataclass whose fields are made by `option`.

    Its docstring says what happens, for people; `begin` raises ConfigurationError when it does not fit the log.
    """

    name: ClassVar[str]
    target: ClassVar[Target] = Target.INFERENCES

    @abstractmethod
    def begin(self, ground: Ground) -> Change:
        """The change, with what it must remember."""

    @abstractmethod
    def expects(self) -> Expected:
        """What a monitor should say of it."""


def option(says: str, default: object = None, *, required: bool = False) -> Any:
    """A field of a fault that is an option of its command."""
    metadata = {"help": says}
    return field(metadata=metadata) if required else field(default=default, metadata=metadata)


def of(*causes: Cause, on: Sequence[str | None] | None = None) -> Expected:
    """One of these causes, on one of these columns."""
    return Expected(frozenset(causes), None if on is None else frozenset(on))


def edit(change: Callable[[Event], None]) -> Change:
    """A change of the events that are hit, each for itself."""

    def apply(event: Event, hit: bool) -> Sequence[Event]:  # noqa: FBT001 - as `Change` has it
        if hit:
            change(event)
        return (event,)

    return apply


def edit_number(feature: str, change: Callable[[float, Event], object]) -> Change:
    """A change of a number; whole numbers that stay whole stay so in writing. What is no number is left alone."""

    def apply(event: Event) -> None:
        value = event.feature(feature)
        if is_number(value):
            event.set_feature(feature, written_like(value, change(value, event)))

    return edit(apply)


def edit_text(feature: str, change: Callable[[str, Event], object]) -> Change:
    """A change of a text. What is no text, or empty, is left alone, and so is the event when nothing changes."""

    def apply(event: Event) -> None:
        value = event.feature(feature)
        if isinstance(value, str) and value and (made := change(value, event)) != value:
            event.set_feature(feature, made)

    return edit(apply)


def written_like(old: float, new: object) -> object:
    """A whole number as its like was written: 12 stays 12 and does not become 12.0."""
    return int(new) if isinstance(old, int) and isinstance(new, float) and new.is_integer() else new
