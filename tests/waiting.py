"""Waiting for what another thread or process does, and no longer than that may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(found: Callable[[], T], seconds: float = 20.0) -> T:
    """What is found once it is true; fails the test if that takes too long."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
    return value
