"""Back-tests over the API: other monitors on the stored panes, as a job that is asked after."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from service.alerting.would_have import WouldHavePaged
from service.monitor import DAY_MS, Monitor
from service.web.api.jobs import Job, Jobs, JobState, Progress
from service.web.api.monitor_editing import MonitorText, monitors_in
from service.web.dependencies import Dependencies
from service.web.problems import not_found

Backtesting = Callable[[Sequence[Monitor], int, Progress], "tuple[WouldHavePaged, ...]"]
"""Judges stored panes by some monitors, from an event time on. Raises ConfigurationError where they cannot answer."""

LONGEST_DAYS = 366
_NO_JOB = "there is no back-test of this id in this process; start it again"


class BacktestOrder(MonitorText):
    """Monitors to judge the stored panes of the last `days` by."""

    days: int = Field(30, ge=1, le=LONGEST_DAYS)


class BacktestJob(BaseModel):
    """A back-test: `done` of `total` days of event time judged (null: not known yet), or what it came to.

    Ask after it at least once a minute: nobody works for who has gone. What it came to is kept for ten minutes.
    """

    id: str
    state: JobState
    done: int
    total: int | None
    problems: list[str]
    result: list[WouldHavePaged] | None


def start(web: Dependencies, request: Request, order: BacktestOrder) -> BacktestJob:
    """Begin to judge the stored panes by these monitors, as if they had been saved. Nothing is stored."""
    if web.backtesting is None:
        raise HTTPException(409, "this process makes no back-tests; run `driftbell replay --stored`")
    monitors = monitors_in(web, order.yaml)
    judge, from_ms = web.backtesting, web.clock_ms() - order.days * DAY_MS
    return _document(_jobs(request).start(lambda progress: judge(monitors, from_ms, progress)))


def find(request: Request, job_id: str) -> BacktestJob:
    """How far a back-test is, or what it came to."""
    return _found(_jobs(request).find(job_id))


def cancel(request: Request, job_id: str) -> BacktestJob:
    """End a back-test that nobody wants any more."""
    return _found(_jobs(request).cancel(job_id))


def _jobs(request: Request) -> Jobs[tuple[WouldHavePaged, ...]]:
    jobs: Jobs[tuple[WouldHavePaged, ...]] = request.app.state.backtests
    return jobs


def _found(job: Job[tuple[WouldHavePaged, ...]] | None) -> BacktestJob:
    if job is None:
        raise not_found(_NO_JOB)
    return _document(job)


def _document(job: Job[tuple[WouldHavePaged, ...]]) -> BacktestJob:
    return BacktestJob(
        id=job.id,
        state=job.state,
        done=job.done,
        total=job.total,
        problems=list(job.problems),
        result=None if job.result is None else list(job.result),
    )
