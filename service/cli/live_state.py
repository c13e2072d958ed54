"""What `driftbell top` looks at: all models, what is open of them, and the partitions that they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from service.messages import Severity
from service.monitor import HOUR_MS
from service.store.dead_letters import DeadLetterFilter, count_dead_letters
from service.store.engine import transaction
from service.store.incidents import IncidentRow, open_incidents
from service.store.paging import Paging
from service.store.queries import list_partitions
from service.web.api.overview import OverviewModel, OverviewParameters, overview_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

MOST_MODELS = 200
MOST_INCIDENTS = 50
_MOST_PARTITIONS = 10_000
DEAD_LETTERS_OF_MS = HOUR_MS
_SEVERITIES = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Halted:
    """A partition that waits for a person, and why."""

    topic: str
    partition: int
    why: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """How far reading is behind (None: nobody has said), what stands still, and the dead letters of the last hour."""

    partitions: int
    lag: int | None
    halted: tuple[Halted, ...]
    dead_letters: dict[str, int]


@dataclass(frozen=True, slots=True)
class LiveState:
    """One look. `totals` count all models by state, `models` are the worst of them.

    `name` is what their names were asked to hold (None: all models are looked at).
    """

    at_ms: int
    totals: dict[str, int]
    models: tuple[OverviewModel, ...]
    incidents: tuple[IncidentRow, ...]
    pipeline: Pipeline
    name: str | None = None

    def document(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "at_ms": self.at_ms,
            "totals": self.totals,
            "models": [one.model_dump(mode="json") for one in self.models],
            "incidents": [asdict(one) for one in self.incidents],
            "pipeline": asdict(self.pipeline),
        }


def look_at(engine: Engine, name: str | None, now_ms: int) -> LiveState:
    """The state now, of models whose name holds this. Raises Unavailable."""
    with transaction(engine) as connection:
        seen = overview_of(connection, OverviewParameters(limit=MOST_MODELS, cursor=None, q=name), now_ms)
        return LiveState(
            now_ms,
            {state.value: count for state, count in seen.totals.items()},
            tuple(seen.items),
            _incidents(connection, [one.model for one in seen.items if one.open_incidents]),
            _pipeline(connection, now_ms),
            name,
        )


def _incidents(connection: Connection, models: Sequence[str]) -> tuple[IncidentRow, ...]:
    """What fires before what is pending, pages before tickets, the longest open first."""
    found = [one for of in open_incidents(connection, models, MOST_INCIDENTS).values() for one in of.worst]
    worst = sorted(
        found, key=lambda one: (one.state != "firing", _SEVERITIES.index(one.severity), one.since_ms)
    )
    return tuple(worst[:MOST_INCIDENTS])


def _pipeline(connection: Connection, now_ms: int) -> Pipeline:
    rows = list_partitions(connection, Paging(_MOST_PARTITIONS)).rows
    lags = [row.lag for row in rows if row.lag is not None]
    halted = tuple(Halted(row.topic, row.partition, row.halted) for row in rows if row.halted is not None)
    wanted = DeadLetterFilter(since_ms=now_ms - DEAD_LETTERS_OF_MS)
    dead = Counter({one.name: one.count for one in count_dead_letters(connection, wanted)})
    return Pipeline(len(rows), sum(lags) if lags else None, halted, dict(dead.most_common()))
