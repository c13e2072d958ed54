"""Which windows of a model charts are drawn of, and how: kind, version, segment and time, with defaults that fit it."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, Monitor, WindowSpec
from service.store.queries import find_monitor
from service.store.window_heat import WindowSpan
from service.web.api.parameters import Name, Time
from service.web.api.unknown_model import no_model_among
from service.web.condition import monitor_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SHORT_SPAN_MS, _LONG_SPAN_MS = DAY_MS, 30 * DAY_MS


class WindowSpanParameters(BaseModel):
    """Of which model, kind of window, version and segment, and when; the times are those of the windows' ends."""

    model_config = ConfigDict(extra="forbid")

    model: Name
    window: Name | None = Field(None, description="the monitor's shortest tumbling one if none is named")
    version: Name | None = Field(None, description="of all versions if none is named")
    segment: Name = Field("", description="empty: the whole model")
    since: Time | None = Field(
        None,
        description="after this time; else a day before `until`, 30 days for windows of an hour and more",
    )
    until: Time | None = Field(None, description="at this time or before; else now")


class OfWindowSpan(BaseModel):
    """An answer, and of which windows it is."""

    model: str
    window: str
    version: str | None
    segment: str
    since_ms: int
    until_ms: int


def found_monitor(connection: Connection, model: str) -> Monitor:
    """The model's newest monitor; raises 404."""
    row = find_monitor(connection, model)
    if row is None:
        raise no_model_among(connection, model)
    return monitor_of(model, row.monitor)


def window_span_of(asked: WindowSpanParameters, monitor: Monitor, now_ms: int) -> WindowSpan:
    """The windows that are asked for."""
    kind = chosen_window(monitor, asked.window)
    # To a window's border, a minute at most: who asks again before is answered the same, which need not be sent again.
    border_ms = min(MINUTE_MS, kind.every_ms)
    until_ms = now_ms // border_ms * border_ms if asked.until is None else asked.until
    since_ms = until_ms - _usual_ms(kind) if asked.since is None else asked.since
    return WindowSpan(asked.model, kind.name, asked.segment, asked.version, since_ms, until_ms)


def chosen_window(monitor: Monitor, name: str | None) -> WindowSpec:
    """The kind of window of this name, the shortest that tumbles if none is said; a problem names those there are."""
    if name is None:
        return shortest_window(monitor)
    found = next((one for one in monitor.windows if one.name == name), None)
    if found is None:
        kinds = ", ".join(one.name for one in window_kinds(monitor))
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"window: this model has windows of {kinds}")
    return found


def window_kinds(monitor: Monitor) -> Sequence[WindowSpec]:
    """The shortest first."""
    return sorted(monitor.windows, key=lambda one: (one.length_ms, one.every_ms))


def shortest_window(monitor: Monitor) -> WindowSpec:
    """What tells of news soonest: the shortest kind of window that tumbles, if one does."""
    tumbling = [one for one in monitor.windows if one.every_ms == one.length_ms]
    return min(tumbling or monitor.windows, key=lambda one: one.length_ms)


def _usual_ms(window: WindowSpec) -> int:
    """So long a time shows some hundreds of such windows."""
    return _SHORT_SPAN_MS if window.every_ms < HOUR_MS else _LONG_SPAN_MS
