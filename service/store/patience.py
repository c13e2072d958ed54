"""A connection whose client gives up on a server that says nothing.

PostgreSQL's own time limits help only while the server runs and hears us, and TCP's only while packets are lost. A
server that is stopped, hangs on its disk, or stands behind a proxy that has died takes our bytes and never answers:
without a limit on our side the loop that asked would wait for ever.
"""

from __future__ import annotations

import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

Result = TypeVar("Result")

PATIENCE_SECONDS = 25.0
"""Longer than any statement may take on the server, shorter than a person waits."""


class PatientConnection(psycopg.Connection[Any]):
    """Closes itself and raises OperationalError when nothing has come from the server for `patience_seconds`."""

    patience_seconds: float | None = PATIENCE_SECONDS

    def wait(
        self,
        gen: PQGen[Result],
        interval: float = 0.1,
        timeout: float | None = None,
    ) -> Result:
        return super().wait(self._bounded(gen), interval, timeout)

    def _bounded(self, work: PQGen[Result]) -> PQGen[Result]:
        """The same work; psycopg resumes it every `interval`, with nothing ready when nothing has come."""
        heard_at = time.monotonic()
        try:
            wanted = next(work)
            while True:
                ready = yield wanted
                now = time.monotonic()
                if ready:
                    heard_at = now
                elif self.patience_seconds is not None and now - heard_at > self.patience_seconds:
                    self.close()
                    raise psycopg.OperationalError(f"no answer for {self.patience_seconds:.0f} s")
                wanted = work.send(ready)
        except StopIteration as end:
            result: Result = end.value
            return result
