"""Single keys of whoever looks at a terminal, as they are pressed."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

_SLICE_SECONDS = 0.1


@contextmanager
def pressed_keys(stop: Event) -> Iterator[Callable[[float], str]]:
    """Gives what waits so many seconds for a key ('': none), or until `stop`. The terminal is as before afterwards."""
    if not sys.stdin.isatty():
        yield lambda seconds: _wait(stop, seconds)
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        yield lambda seconds: _wait_for_key(terminal, stop, seconds)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _wait(stop: Event, seconds: float) -> str:
    stop.wait(seconds)
    return ""


def _wait_for_key(terminal: int, stop: Event, seconds: float) -> str:
    while seconds > 0 and not stop.is_set():
        ready, _, _ = select.select([terminal], [], [], min(_SLICE_SECONDS, seconds))
        if ready:
            return os.read(terminal, 1).decode("latin-1")
        seconds -= _SLICE_SECONDS
    return ""
