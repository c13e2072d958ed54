"""Long work that is started by one request and asked after by others: few at once, and none that nobody asks after."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from threading import Lock, Thread
from typing import Generic, TypeVar

from starlette.exceptions import HTTPException

from service.errors import ConfigurationError, DriftbellError
from service.monitor import MINUTE_MS
from service.web.problems import RETRY_SECONDS

ASKED_WITHIN_MS = MINUTE_MS
KEPT_MS = 10 * MINUTE_MS
MOST_KEPT = 20

T = TypeVar("T")
logger = logging.getLogger(__name__)


class JobState(StrEnum):
    """Where a job is; the last three are for good."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobCancelled(Exception):
    """Nobody waits for it any more."""


@dataclass
class Job(Generic[T]):
    """One piece of work: `done` of `total` steps, and in the end its result or its problems, a sentence each."""

    id: str
    asked_ms: int
    state: JobState = JobState.RUNNING
    done: int = 0
    total: int | None = None
    result: T | None = None
    problems: tuple[str, ...] = ()
    ended_ms: int | None = None
    is_unwanted: bool = False


@dataclass
class Progress:
    """What work is given to tell how far it is; each call raises JobCancelled once nobody asks any more."""

    job: Job[object]
    clock_ms: Callable[[], int]

    def begun(self, total: int) -> None:
        """There are so many steps."""
        self.job.total = total
        self.check()

    def step(self, count: int = 1) -> None:
        """So many more are done."""
        self.job.done += count
        self.check()

    def check(self) -> None:
        """Go on, or not."""
        if self.job.is_unwanted or self.clock_ms() - self.job.asked_ms > ASKED_WITHIN_MS:
            raise JobCancelled


@dataclass
class Jobs(Generic[T]):
    """The jobs of this process. Each runs in a thread of its own; what has ended is kept for ten minutes."""

    clock_ms: Callable[[], int]
    at_once: int = 1
    _jobs: dict[str, Job[T]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def start(self, work: Callable[[Progress], T]) -> Job[T]:
        """Begin; raises 503 when enough are at it."""
        job = Job[T](secrets.token_urlsafe(16), self.clock_ms())
        with self._lock:
            self._forget()
            running = sum(one.state is JobState.RUNNING for one in self._jobs.values())
            if running >= self.at_once:
                busy = f"another back-test is running here; ask again in {RETRY_SECONDS} s"
                raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, busy, {"Retry-After": str(RETRY_SECONDS)})
            self._jobs[job.id] = job
        Thread(target=self._run, args=(job, work), name="job", daemon=True).start()
        return job

    def find(self, job_id: str) -> Job[T] | None:
        """A job by its id; who asks keeps it going."""
        with self._lock:
            self._forget()
            job = self._jobs.get(job_id)
        if job is not None:
            job.asked_ms = self.clock_ms()
        return job

    def cancel(self, job_id: str) -> Job[T] | None:
        """End it at its next step."""
        job = self.find(job_id)
        if job is not None:
            job.is_unwanted = True
        return job

    def _run(self, job: Job[T], work: Callable[[Progress], T]) -> None:
        state, problems = JobState.DONE, tuple[str, ...]()
        try:
            job.result = work(Progress(job, self.clock_ms))  # type: ignore[arg-type] # of which it sets no result
        except JobCancelled:
            state = JobState.CANCELLED
        except ConfigurationError as why:
            state, problems = JobState.FAILED, why.problems
        except DriftbellError as why:
            state, problems = JobState.FAILED, (str(why),)
        except Exception:
            logger.exception("a job failed")
            state, problems = JobState.FAILED, ("driftbell failed at it; its log says why",)
        job.problems, job.ended_ms, job.state = problems, self.clock_ms(), state

    def _forget(self) -> None:
        """What ended long ago, and the oldest of too many."""
        now_ms = self.clock_ms()
        ended = [one for one in self._jobs.values() if one.ended_ms is not None]
        ended.sort(key=lambda one: one.ended_ms or 0)
        extra = max(0, len(ended) - MOST_KEPT + 1)
        for at, one in enumerate(ended):
            if at < extra or now_ms - (one.ended_ms or 0) > KEPT_MS:
                del self._jobs[one.id]
