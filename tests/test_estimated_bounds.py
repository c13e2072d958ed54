"""What estimates cost and where they end: backlogs, long windows, references without labels, and broken bytes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text

from service import estimated
from service.estimated import Estimator, Learner
from service.monitor import MINUTE_MS, Monitor
from service.performance.estimating import TOO_MANY_PANES
from service.reference.builder import build_reference
from service.reference.profile import answers_bytes
from service.reference.specification import ReferenceSpec
from service.store import estimates
from service.store.configuration import load_configuration
from service.store.engine import transaction
from service.store.profiles import stored_grids, stored_profiles
from service.store.results import LeaseLost, lease
from service.store.tables import performance
from tests.test_estimated import BINARY, ROWS, WINDOW_MS, Live, T, binary

pytestmark = pytest.mark.postgres


def execute(engine: Engine, statement: str, **values: Any) -> None:
    with transaction(engine) as connection:
        connection.execute(text(statement), values)


def anew(engine: Engine) -> None:
    """Nothing was ever estimated."""
    execute(engine, "DELETE FROM performance")
    execute(engine, "DELETE FROM performance_course")


def estimate(engine: Engine, position: int, learner: Learner | None = None) -> bool:
    """One call, at the end of a window before this one."""
    made = Estimator(
        engine,
        load_configuration(engine),
        stored_profiles(engine),
        stored_grids(engine),
        learner or Learner(),
    )
    with lease(engine, "churn", "me") as held:
        assert held is not None
        return made.estimate(held, T + position * WINDOW_MS)


def live_with(engine: Engine, folder: Path, windows: Sequence[int], rows: int = 200, **how: Any) -> Live:
    """A model that has answered in these windows, all of them evaluated."""
    live = Live(engine, folder, how.pop("monitor", BINARY), binary(1, 5_000), **how)
    for window in windows:
        live.predict(window, binary(10 + window, rows))
    live.pass_time(windows[-1] + 1)
    return live


@contextmanager
def asked(engine: Engine, words: str, then: Callable[[], None] = lambda: None) -> Iterator[list[str]]:
    """The statements with these words, and something to do at each of them."""
    found: list[str] = []

    def listen(*told: Any) -> None:
        if words in told[2]:
            found.append(told[2])
            then()

    event.listen(engine, "before_cursor_execute", listen)
    yield found
    event.remove(engine, "before_cursor_execute", listen)


def reasons(live: Live) -> dict[int, str | None]:
    return {window: row.reason for window, row in live.told("estimated", "accuracy").items()}


def test_what_was_never_estimated_is_estimated_from_a_day_ago_on_the_newest_first(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # window       0    1    ...   400   401   402      a day is 288 windows, late rows reach some more
    # predictions  200  200        200   200
    monkeypatch.setattr(estimated, "MOST_WINDOWS", 1)
    live = live_with(engine, tmp_path, (0, 1, 400, 401))
    anew(engine)
    assert estimate(engine, 402)
    assert set(live.told("estimated", "accuracy")) == {401}
    assert estimate(engine, 402)
    assert not estimate(engine, 402)
    assert set(live.told("estimated", "accuracy")) == {400, 401}


@pytest.mark.parametrize(
    "monitor", [BINARY, replace(BINARY, reference=None)], ids=["no_labels", "no_reference"]
)
def test_where_a_reference_leads_to_expect_nothing_the_newest_window_says_why_and_no_pane_is_read(
    engine: Engine, tmp_path: Path, monitor: Monitor
) -> None:
    live = live_with(engine, tmp_path, (0, 1, 2), monitor=monitor, labels=False)
    assert len(reasons(live)) == 1
    live.predict(3, binary(13, 200))
    live.pass_time(4)
    why = "no_reference" if monitor.reference is None else "fewer_than_1000_labels_to_learn_from"
    assert reasons(live) == {3: why}
    anew(engine)
    with asked(engine, "FROM pane") as panes, asked(engine, "FROM outcome ") as outcomes:
        assert not estimate(engine, 4)
        assert not estimate(engine, 4)
    assert (reasons(live), panes, outcomes) == ({3: why}, [], [])


def test_once_a_reference_has_answers_windows_that_late_rows_reach_are_estimated(
    engine: Engine, tmp_path: Path
) -> None:
    live = live_with(engine, tmp_path, (0, 1, 2), ROWS, labels=False)
    assert list(reasons(live)) == [2]
    Live.write_table(tmp_path, binary(1, 5_000))
    spec = ReferenceSpec("churn", "churn", label="truth", prediction="answer", score="p", task=BINARY.task)
    answers = answers_bytes(build_reference(tmp_path / "table.csv", spec))
    execute(engine, "UPDATE reference SET answers = :answers", answers=answers)
    live.pass_time(4)
    assert {window: reasons(live)[window] for window in range(3)} == {0: None, 1: None, 2: None}


def test_of_a_window_with_too_many_panes_all_traffic_is_estimated_or_a_reason_is_told(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"more_than_{estimates.MOST_OF_A_WINDOW}_panes" == TOO_MANY_PANES
    live = live_with(engine, tmp_path, (0,), ROWS)  # five panes of all traffic, and of each of two segments
    for most, traffic, germany in ((15, None, [None]), (14, None, []), (4, TOO_MANY_PANES, [])):
        monkeypatch.setattr(estimates, "MOST_OF_A_WINDOW", most)
        anew(engine)
        assert not estimate(engine, 1)
        assert reasons(live) == {0: traffic}
        assert [row.reason for row in live.told("estimated", "accuracy", "country=DE").values()] == germany


def test_windows_with_many_panes_are_written_one_by_one_and_the_lease_is_kept_meanwhile(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = live_with(engine, tmp_path, (0, 1))
    for module in (estimates, estimated):
        monkeypatch.setattr(module, "MOST_SKETCHES", 5)
    anew(engine)
    with asked(engine, "UPDATE evaluation") as kept:
        assert estimate(engine, 2)
    assert len(kept) == 3 + 1 + 1  # of 15 panes, to write, and to give it back
    assert set(reasons(live)) == {1}
    taken_over = "UPDATE evaluation SET token = gen_random_uuid()"
    anew(engine)
    with asked(engine, "FROM pane", lambda: execute(engine, taken_over)), pytest.raises(LeaseLost):
        estimate(engine, 2)
    assert reasons(live) == {}


BROKEN = [
    ("UPDATE pane SET sketch = 'x' WHERE start_ms < :second", ["panes_unreadable", "panes_unreadable", None]),
    (
        "UPDATE pane SET grid_id = 'gone' WHERE start_ms < :second",
        ["panes_unreadable", "panes_unreadable", None],
    ),
    ("UPDATE reference SET answers = 'x' WHERE :second > 0", ["reference_unreadable"]),
]


@pytest.mark.parametrize(("damage", "told"), BROKEN, ids=["pane", "grid", "reference"])
def test_bytes_that_cannot_be_read_are_a_reason_and_one_line_in_the_log_and_stop_nothing(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str, told: list[str | None]
) -> None:
    live = live_with(engine, tmp_path, (0, 1, 2))
    anew(engine)
    execute(engine, damage, second=T + 2 * WINDOW_MS)
    learner = Learner()
    with caplog.at_level(logging.WARNING):
        assert not estimate(engine, 3, learner)
        execute(engine, "UPDATE window_result SET computed_at = now()")
        assert not estimate(engine, 4, learner)
    found = reasons(live)
    assert [found[window] for window in sorted(found)] == told
    assert caplog.text.count("cannot be read") == 1


def test_live_labels_that_are_too_few_are_counted_every_ten_minutes_and_nobody_waits_for_that(
    engine: Engine, tmp_path: Path
) -> None:
    live = live_with(engine, tmp_path, (0, 1), 700, labels=False)
    for window in range(2):
        live.label(window, binary(10 + window, 700))
    execute(engine, "UPDATE reference SET answers = 'not to be learned yet'")
    live.pass_time(6)
    execute(engine, "UPDATE reference SET answers = NULL")
    execute(engine, "CREATE TABLE away AS TABLE outcome")
    execute(engine, "DELETE FROM outcome")
    free = "SELECT model FROM evaluation WHERE model = 'churn' FOR UPDATE NOWAIT"
    learner = Learner()
    with asked(engine, "FROM outcome ", lambda: execute(engine, free)) as looks:
        for position in (6, 6, 7):
            assert not estimate(engine, position, learner)
        assert len(looks) == 1
        execute(engine, "INSERT INTO outcome SELECT * FROM away")
        estimate(engine, 8, learner)
    assert (len(looks), 2 * WINDOW_MS) == (2, 10 * MINUTE_MS)
    c = performance.c
    with transaction(engine) as connection:
        told = connection.execute(select(c.value).where(c.basis == "estimated", c.metric == "accuracy")).all()
    assert any(row.value is not None for row in told)
