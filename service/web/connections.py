"""Connections that may not be slow: a head, a request and an answer have their time, and newcomers their place."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
"""From a connection, or from the first byte of a further request, to the end of its headers."""

REQUEST_SECONDS = 60.0
"""From there to the last byte of the answer; a statement has 20 s, a place at the database 10 s."""

MOST_CONNECTIONS = 400

ENDLESS = "driftbell.endless"
"""The extension by which an answer says that it has no end: it may take any time, while the client takes it."""


class TimedConnection(H11Protocol):
    """uvicorn's connection, which by itself waits for headers for ever.

    When there are too many, the one that has waited longest for its request makes room.
    """

    _timer: asyncio.TimerHandle | None = None
    since = 0.0
    _is_endless = False

    @property
    def is_waiting(self) -> bool:
        """No request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.since = self.loop.time()
        self._give(HEAD_SECONDS)
        if len(self.connections) > MOST_CONNECTIONS:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        was_waiting = self.is_waiting
        super().data_received(data)
        if was_waiting and not self.is_waiting:
            self._give(REQUEST_SECONDS)
            self._offer_endlessness()
        elif self.is_waiting and self._timer is None:
            self.since = self.loop.time()
            self._give(HEAD_SECONDS)

    def on_response_complete(self) -> None:
        self._give(None)
        self._is_endless = False
        super().on_response_complete()  # may begin the next request, if it came along with this one
        if not self.is_waiting:
            self._give(REQUEST_SECONDS)
            self._offer_endlessness()

    def connection_lost(self, exc: Exception | None) -> None:
        self._give(None)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._is_endless:
            self._give(REQUEST_SECONDS)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._is_endless:
            self._give(None)

    def shutdown(self) -> None:
        """Nobody waits for the end of what has none."""
        super().shutdown()
        if self._is_endless:
            self.transport.abort()

    def _offer_endlessness(self) -> None:
        # The application runs in the loop's next turn, and this in it or later.
        extensions = {ENDLESS: partial(self.loop.call_soon_threadsafe, self._take)}
        cast("dict[str, Any]", self.cycle.scope)["extensions"] = extensions

    def _take(self) -> None:
        if not self.is_waiting:
            self._is_endless = True
            self._give(None)

    def _give(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)

    def _make_room(self) -> None:
        waiting = [one for one in self.connections if isinstance(one, TimedConnection) and one.is_waiting]
        slowest = min(waiting, key=lambda one: one.since, default=self)
        self.connections.discard(slowest)  # it hears of its end only in the loop's next turn
        slowest.transport.abort()
