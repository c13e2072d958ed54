"""One thread that looks at the database for all who listen: it begins with the first of them and ends with the last."""

from __future__ import annotations

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from threading import Event, Lock, Thread
from typing import NamedTuple

from starlette.exceptions import HTTPException

from service.web.api.watching import EVERYTHING, News, Seen, news_between
from service.web.problems import RETRY_SECONDS

MOST_LISTENERS = 64
_PATIENCE_SECONDS = 1.0
"""For who looks at first; who waits longer holds a thread that probes need."""
_KEPT = 256
"""So many events can be told again to who comes back."""

log = logging.getLogger(__name__)


class Numbered(NamedTuple):
    """An event with its id."""

    id: str
    news: News


class Listener:
    """Somebody who hears of what happens after they came.

    `wake` is called, by any thread, when there is news. `begun_at` is the id of the last event before the first news.
    """

    def __init__(self, watcher: Watcher, after: int | None, begun_at: str) -> None:
        self._watcher, self._after = watcher, after
        self.begun_at = begun_at
        self.wake: Callable[[], None] = lambda: None
        self.is_over = False

    def heard(self) -> Sequence[Numbered]:
        """The news since the last time."""
        self._after, news = self._watcher.since(self._after)
        return news

    def close(self) -> None:
        """Nobody listens here any more; may be called twice."""
        self._watcher.leave(self)


class Watcher:
    """Looks every so many seconds while somebody listens. When it cannot look it sends all listeners away."""

    def __init__(self, look: Callable[[], Seen], every_seconds: float) -> None:
        self._look, self._every_seconds = look, every_seconds
        self._word = secrets.token_hex(4)
        self._number = 0
        self._kept: deque[tuple[int, News]] = deque(maxlen=_KEPT)
        self._listeners: set[Listener] = set()
        self._lock = Lock()
        self._starting = Lock()
        self._blind_until = 0.0
        self._stop: Event | None = None

    def listen(self, last_id: str | None = None) -> Listener:
        """Hear of what comes, and of what came after this id. Raises 503 when too many do, or Unavailable."""
        with self._alone():  # the first look is taken once, whoever else comes meanwhile
            with self._lock:
                self._refuse_too_many()
                watching = self._stop is not None
            first = None if watching else self._first_look()
            with self._lock:
                self._refuse_too_many()
                if first is not None and self._stop is None:
                    # What came while nobody looked was told to nobody, nor can it be.
                    self._kept.clear()
                    self._number += 1
                    self._begin(first)
                after = self._number if last_id is None else self._numbered(last_id)
                listener = Listener(self, after, self._id(self._number if after is None else after))
                self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """The last one who leaves ends the watch."""
        with self._lock:
            self._listeners.discard(listener)
            if not self._listeners and self._stop is not None:
                self._stop.set()
                self._stop = None

    def since(self, after: int | None) -> tuple[int, Sequence[Numbered]]:
        """The last number, and what came after this one; where that is not known any more: everything."""
        with self._lock:
            if after is None or self._number - after > len(self._kept):
                return self._number, [Numbered(self._id(self._number), news) for news in EVERYTHING]
            return self._number, [Numbered(self._id(n), news) for n, news in self._kept if n > after]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._refuse_blind()
        if not self._starting.acquire(timeout=_PATIENCE_SECONDS):
            raise _later("the database has not answered who came before")
        try:
            self._refuse_blind()  # the one before may have failed meanwhile
            yield
        finally:
            self._starting.release()

    def _first_look(self) -> Seen:
        try:
            return self._look()
        except Exception:
            self._blind_until = time.monotonic() + RETRY_SECONDS
            raise

    def _refuse_blind(self) -> None:
        if time.monotonic() < self._blind_until:
            raise _later("the database did not answer just now")

    def _refuse_too_many(self) -> None:
        if len(self._listeners) >= MOST_LISTENERS:
            raise _later(f"{MOST_LISTENERS} others listen already")

    def _begin(self, first: Seen) -> None:
        self._stop = Event()
        Thread(target=self._watch, args=(self._stop, first), name="watcher", daemon=True).start()

    def _watch(self, stop: Event, seen: Seen) -> None:
        while not stop.wait(self._every_seconds):
            try:
                now = self._look()
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody must believe to be told still
                log.warning("nobody is told what changes: %s", error)
                self._send_away(stop)
                return
            self._tell(stop, news_between(seen, now))
            seen = now

    def _tell(self, stop: Event, news: Iterator[News]) -> None:
        with self._lock:
            if stop.is_set():
                return
            before = self._number
            for one in news:
                self._number += 1
                self._kept.append((self._number, one))
            listeners = list(self._listeners) if self._number > before else []
        for listener in listeners:
            listener.wake()

    def _send_away(self, stop: Event) -> None:
        with self._lock:
            if stop.is_set():  # who listens now hears of another watch
                return
            self._stop = None
            listeners, self._listeners = list(self._listeners), set()
        for listener in listeners:
            listener.is_over = True
            listener.wake()

    def _id(self, number: int) -> str:
        return f"{self._word}-{number}"

    def _numbered(self, last_id: str) -> int | None:
        """The number in an id of ours; None for one of another process, or from before."""
        word, _, number = last_id.rpartition("-")
        known = word == self._word and number.isascii() and number.isdecimal() and len(number) < 16
        return int(number) if known and int(number) <= self._number else None


def _later(why: str) -> HTTPException:
    said = f"{why}; look again in {RETRY_SECONDS} s"
    return HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, said, {"Retry-After": str(RETRY_SECONDS)})
