"""The demo's terminal: lines that stay, and one below them that tells how it goes (plain lines in a file)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN_STATUS_SECONDS = 10.0


class Terminal:
    """Prints for people. `close` takes the last status line away."""

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console or Console(highlight=False)
        self._clock = clock
        self._live: Status | None = None
        self._told_at = clock()
        self._tick = "✓" if "utf" in self._console.encoding.lower() else "ok"

    def say(self, text: str = "", style: str = "") -> None:
        """A line that stays."""
        self._console.print(text, style=style or None, markup=False, soft_wrap=True)

    def status(self, text: str) -> None:
        """The line at the bottom; without a terminal a plain line now and then."""
        if self._console.is_terminal:
            self._show(text)
        elif self._clock() - self._told_at >= _PLAIN_STATUS_SECONDS:
            self._told_at = self._clock()
            self.say(text)

    def _show(self, text: str) -> None:
        shown = self._console.render_str(text[: self._console.width - 4], markup=False, highlight=False)
        if self._live is None:
            self._live = self._console.status(shown)
            self._live.start()
        else:
            self._live.update(shown)

    @contextmanager
    def step(self, doing: str, done: str) -> Iterator[None]:
        """Something that takes a moment, with a tick and its seconds when it is done."""
        began = self._clock()
        if self._console.is_terminal:
            self._show(f"{doing} ...")
        yield
        self.say(f"  {self._tick} {done} ({self._clock() - began:.1f} s)", "green")

    def close(self) -> None:
        """Take the status line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None
