"""What listeners hear of: models whose state, alerts or newest window changed, and incidents that changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.store.engine import transaction
from service.store.glance import every_model, open_incidents_seen
from service.web.condition import condition_of

if TYPE_CHECKING:
    from service.store.glance import IncidentsSeen
    from service.store.queries import ModelRow
    from service.web.dependencies import WebDependencies

MODELS, INCIDENTS = "models", "incidents"
MOST_NAMED = 500
"""Of more than these at once all are said to have changed."""


@dataclass(frozen=True, slots=True)
class ModelSeen:
    """What of a model is news when it changes."""

    state: str
    sentence_of: tuple[int, ...]
    last_window_end_ms: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen at one look."""

    models: Mapping[str, ModelSeen]
    incidents: IncidentsSeen


@dataclass(frozen=True, slots=True)
class News:
    """An event: its name, and what it says."""

    name: str
    document: Mapping[str, Any]

    @property
    def data(self) -> str:
        """One line of JSON: names may hold any mark, but no line of the stream ends within them."""
        return json.dumps(self.document, separators=(",", ":"))


EVERYTHING = (News(MODELS, {"all": True, "models": []}), News(INCIDENTS, {"all": True, "incidents": []}))
"""To who may have missed something."""


def look(web: WebDependencies) -> Seen:
    """What there is now. Raises Unavailable."""
    now_ms = web.clock_ms()
    with transaction(web.engine) as connection:
        models = every_model(connection, now_ms)
        incidents = open_incidents_seen(connection)
    return Seen({row.model: _seen(row, now_ms) for row in models}, incidents)


def _seen(row: ModelRow, now_ms: int) -> ModelSeen:
    alerts = row.alerts
    counts = (alerts.page, alerts.ticket, alerts.info, alerts.pending, alerts.silence)
    return ModelSeen(condition_of(row, now_ms).state, counts, row.last_window_end_ms)


def news_between(before: Seen, now: Seen) -> Iterator[News]:
    """What has changed from one look to the next."""
    models = sorted(
        name
        for name in before.models.keys() | now.models.keys()
        if before.models.get(name) != now.models.get(name)
    )
    if models:
        states = [
            {"model": name, "state": seen.state if (seen := now.models.get(name)) else None}
            for name in models
        ]
        yield News(MODELS, _told(MODELS, states))
    incidents = sorted(now.incidents.changed_since(before.incidents))
    if incidents:
        yield News(INCIDENTS, _told(INCIDENTS, incidents))


def _told(name: str, changed: list[Any]) -> dict[str, Any]:
    too_many = len(changed) > MOST_NAMED
    return {"all": too_many, name: [] if too_many else changed}
