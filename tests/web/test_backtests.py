"""Back-tests over the API: started, asked after and ended; what the panes cannot answer is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine

from service.alerting.would_have import WouldHavePaged, WouldHaveRung
from service.errors import ConfigurationError
from service.messages import Severity
from service.monitor import DAY_MS, Monitor
from service.web.api.jobs import Progress
from tests.waiting import until
from tests.web.seeding import NOW_MS
from tests.web.serving import Site, site_of

pytestmark = pytest.mark.postgres

CHURN = "models:\n  churn:\n    task: binary\n"
RUNG = WouldHaveRung(Severity.PAGE, "unit_change", "<b>amount</b> times 2.2", NOW_MS - DAY_MS, NOW_MS)


class Judge:
    """Answers for any monitors once it may go on; `asked` is what it was asked."""

    def __init__(self) -> None:
        self.may_go_on = Event()
        self.asked: list[tuple[Sequence[Monitor], int]] = []
        self.problems: tuple[str, ...] = ()

    def __call__(
        self, monitors: Sequence[Monitor], from_ms: int, progress: Progress
    ) -> tuple[WouldHavePaged, ...]:
        self.asked.append((monitors, from_ms))
        if self.problems:
            raise ConfigurationError(*self.problems)
        progress.begun(7)
        progress.step(2)
        assert self.may_go_on.wait(10)
        progress.step(5)
        said = "churn: would have paged 3 times; caught 2 of 2"
        return tuple(
            WouldHavePaged(one.model, said, 7.0, 3, 0, 1, 2, 2, 0, 0, 0, 10_080, 2_016, incidents=(RUNG,))
            for one in monitors
        )


@pytest.fixture
def judge() -> Iterator[Judge]:
    made = Judge()
    yield made
    made.may_go_on.set()


@pytest.fixture
def judging(engine: Engine, judge: Judge) -> Iterator[Site]:
    with site_of(engine, backtesting=judge) as site:
        yield site


def start(site: Site, yaml: str = CHURN, **more: Any) -> Any:
    return site.client.post("/api/v1/monitors/backtest", json={"yaml": yaml} | more)


def seen(site: Site, job: str, is_there: Callable[[Any], bool]) -> Any:
    """What is said of the job once that is so."""
    return until(lambda: is_there(said := site.get(f"/api/v1/backtests/{job}").json()) and said)


def ended(site: Site, job: str) -> Any:
    return seen(site, job, lambda said: said["state"] != "running")


def test_it_is_started_asked_after_and_tells_what_would_have_paged(judging: Site, judge: Judge) -> None:
    job = start(judging, days=7).json()
    assert (job["state"], job["result"]) == ("running", None)
    found = seen(judging, job["id"], lambda said: said["done"] >= 2)
    assert (found["done"], found["total"]) == (2, 7)
    judge.may_go_on.set()
    (one,) = ended(judging, job["id"])["result"]
    assert (one["model"], one["pages"], one["caught"], one["true_alarms"]) == ("churn", 3, 2, 2)
    assert one["sentence"] == "churn: would have paged 3 times; caught 2 of 2"
    assert one["incidents"][0]["summary"] == "<b>amount</b> times 2.2"
    (monitors, from_ms) = judge.asked[0]
    assert ([m.model for m in monitors], from_ms) == (["churn"], NOW_MS - 7 * DAY_MS)


def test_what_the_panes_cannot_answer_is_said(judging: Site, judge: Judge) -> None:
    judge.problems = ("churn: panes of 7m cannot be made of stored ones of 5m; replay a log instead",)
    found = ended(judging, start(judging).json()["id"])
    assert (found["state"], found["problems"], found["result"]) == ("failed", [*judge.problems], None)


def test_a_second_one_at_the_same_time_is_told_to_wait(judging: Site) -> None:
    start(judging)
    answer = start(judging)
    assert answer.status_code == 503
    assert "another back-test is running here" in answer.json()["detail"]
    assert answer.headers["retry-after"]


def test_one_that_nobody_wants_is_ended(judging: Site, judge: Judge) -> None:
    job = start(judging).json()["id"]
    assert judging.client.delete(f"/api/v1/backtests/{job}").status_code == 200
    judge.may_go_on.set()
    assert ended(judging, job)["state"] == "cancelled"


def test_mistakes_start_nothing(judging: Site, judge: Judge) -> None:
    assert start(judging, "models: {churn: {task: x}}").status_code == 422
    assert start(judging, days=367).status_code == 422
    assert judge.asked == []


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_id_is_not_found(judging: Site, method: str) -> None:
    answer = judging.client.request(method, "/api/v1/backtests/none")
    assert answer.status_code == 404
    assert "start it again" in answer.json()["detail"]


def test_a_process_that_makes_none_says_what_does(site: Site) -> None:
    answer = start(site)
    assert answer.status_code == 409
    assert "driftbell replay --stored" in answer.json()["detail"]
