"""What the monitoring of a model has left behind, and the score that follows from it: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.monitor import Monitor


# ---------------------------------------------------------------- what is known
class Trace(NamedTuple):
    """The newest findings of a method, or the newest metric, of all traffic in one kind of window.

    They are of columns of one role ('': the whole), `columns` in number; of a contract's rule `name` says which. `n`
    are the rows of the fullest.
    """

    role: str
    method: str
    window: str
    end_ms: int
    n: int
    columns: int = 1
    name: str = ""


class Compared(NamedTuple):
    """The reference in force; who accepted it, if it was made of what was served."""

    name: str
    rows: int
    created_ms: int
    accepted_by: str | None = None


class Seen(NamedTuple):
    """A version of the model, and since when its windows are stored."""

    version: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Known:
    """What a model's monitoring has left behind at `now_ms`.

    `findings` are of windows, `judged` of labelled predictions, `measured` the newest realized metric. `ripe_after_ms`:
    by then nine in ten of the labels have come.
    """

    monitor: Monitor
    now_ms: int
    reference: Compared | None = None
    findings: tuple[Trace, ...] = ()
    judged: tuple[Trace, ...] = ()
    measured: Trace | None = None
    versions: tuple[Seen, ...] = ()
    last_label_ms: int | None = None
    ripe_after_ms: int = 0


# ---------------------------------------------------------------- what follows
@dataclass(frozen=True, slots=True)
class Ran:
    """What a rule did last: `n` rows of so many columns, in the window that ended then; `fresh`: lately enough."""

    rule: str
    methods: tuple[str, ...]
    window: str
    end_ms: int
    n: int
    columns: int
    fresh: bool


class Way(Enum):
    """How far a test is done."""

    NOT = "not"
    BY_HAND = "by hand"
    IN_PART = "a part of it rings"
    WHOLE = "it rings"


class Found(NamedTuple):
    """How far a test is done, what that rests on, what else is worth knowing, and what would have to be added."""

    way: Way
    ran: Sequence[Ran | None] = ()
    missing: Sequence[str] = ()
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Test:
    """One test of the rubric: in its words, how it is looked for, the most that can be shown, and what is not seen."""

    says: str
    look: Callable[[Known], Found]
    most: float = 1.0
    unseen: str | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """One test: its points of the most that can be shown here, what they rest on, what is missing, what is not seen."""

    number: int
    test: str
    points: float
    most: float
    evidence: tuple[Ran, ...]
    remarks: tuple[str, ...]
    missing: tuple[str, ...]
    unseen: str | None


@dataclass(frozen=True, slots=True)
class Notification:
    """Whether somebody is known to be told of alerts, and what that rests on."""

    reaches: bool
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """The tests of a model's monitoring: `points` of seven, and the `most` that driftbell alone can show."""

    model: str
    at_ms: int
    points: float
    most: float
    notification: Notification
    tests: tuple[Grade, ...]
