"""Jobs: few at once, forgotten after their time, and ended when nobody asks after them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from threading import Event

import pytest
from starlette.exceptions import HTTPException

from service.errors import ConfigurationError, Unavailable
from service.web.api.jobs import ASKED_WITHIN_MS, KEPT_MS, MOST_KEPT, Job, Jobs, JobState, Progress
from tests.waiting import until

PATIENCE = 10.0


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.ms = 1_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(clock: Clock) -> Jobs[str]:
    return Jobs(clock)


class Stepwise:
    """Work that takes a step when it is told to, and says when it has."""

    def __init__(self) -> None:
        self.go, self.gone, self.ended = Event(), Event(), Event()

    def __call__(self, progress: Progress) -> str:
        try:
            progress.begun(3)
            for _ in range(3):
                assert self.go.wait(PATIENCE)
                self.go.clear()
                progress.step()
                self.gone.set()
            return "done"
        finally:
            self.ended.set()

    def step(self) -> None:
        self.gone.clear()
        self.go.set()
        assert self.gone.wait(PATIENCE)

    def has_ended(self) -> bool:
        """Whether it was let go on often enough."""
        self.go.set()
        return self.ended.is_set()


@pytest.fixture
def work() -> Iterator[Stepwise]:
    made = Stepwise()
    yield made
    until(made.has_ended)


def ended(job: Job[str]) -> Job[str]:
    """The job once its thread has set its state, which it does last."""
    until(lambda: job.state is not JobState.RUNNING)
    return job


def failing(error: Exception) -> Callable[[Progress], str]:
    def work(_: Progress) -> str:
        raise error

    return work


def test_a_job_tells_how_far_it_is_and_then_what_it_came_to(jobs: Jobs[str], work: Stepwise) -> None:
    job = jobs.start(work)
    work.step()
    assert (job.state, job.done, job.total, job.result) == (JobState.RUNNING, 1, 3, None)
    work.step()
    work.go.set()
    assert (ended(job).state, job.done, job.result) == (JobState.DONE, 3, "done")


def test_a_second_one_is_told_to_wait_until_the_first_has_ended(jobs: Jobs[str], work: Stepwise) -> None:
    first = jobs.start(work)
    with pytest.raises(HTTPException) as refused:
        jobs.start(lambda _: "too soon")
    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "5"})
    jobs.cancel(first.id)
    work.go.set()
    ended(first)
    assert ended(jobs.start(lambda _: "now")).result == "now"


def test_who_asks_keeps_it_going_and_without_anybody_it_ends(
    jobs: Jobs[str], clock: Clock, work: Stepwise
) -> None:
    job = jobs.start(work)
    clock.ms += ASKED_WITHIN_MS
    assert jobs.find(job.id) is job
    clock.ms += ASKED_WITHIN_MS
    work.step()
    assert job.state is JobState.RUNNING
    clock.ms += 1
    work.go.set()
    assert ended(job).state is JobState.CANCELLED
    assert job.result is None


def test_what_goes_wrong_is_told_in_sentences(jobs: Jobs[str], caplog: pytest.LogCaptureFixture) -> None:
    asked = ended(jobs.start(failing(ConfigurationError("one is wrong", "another is, too"))))
    away = ended(jobs.start(failing(Unavailable("the database is away"))))
    with caplog.at_level(logging.CRITICAL, "service.web.api.jobs"):
        ours = ended(jobs.start(failing(KeyError("secret"))))
    assert [one.state for one in (asked, away, ours)] == [JobState.FAILED] * 3
    assert asked.problems == ("one is wrong", "another is, too")
    assert away.problems == ("the database is away",)
    assert ours.problems == ("driftbell failed at it; its log says why",)


def test_results_are_kept_for_ten_minutes(jobs: Jobs[str], clock: Clock) -> None:
    job = ended(jobs.start(lambda _: "kept"))
    clock.ms += KEPT_MS
    assert jobs.find(job.id) is job
    clock.ms += 1
    assert jobs.find(job.id) is None


def test_of_many_results_the_oldest_are_forgotten(jobs: Jobs[str], clock: Clock) -> None:
    made = []
    for _ in range(MOST_KEPT + 5):
        made.append(ended(jobs.start(lambda _: "one")))
        clock.ms += 1
    known = [job for job in made if jobs.find(job.id) is not None]
    assert known == made[-len(known) :]
    assert len(known) < MOST_KEPT


def test_an_id_that_was_never_given_is_of_no_job(jobs: Jobs[str]) -> None:
    assert jobs.find("none") is None
    assert jobs.cancel("none") is None
