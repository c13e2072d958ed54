"""Ripe windows are judged as their labels come: alerts, naive models, and late labels that change what was judged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import Engine, insert, select, text

from service.configuration import Configuration, ModelVersion
from service.estimated import NO_REFERENCE
from service.judged import PerformanceJudge
from service.messages import JoinRows, Stream
from service.monitor import DAY_MS, MINUTE_MS, LabelPolicy, Monitor, Task, WindowSpec
from service.realized import realize
from service.sketches.grids import Grid
from service.sketches.inbox_codec import rows_to_bytes
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from service.store.results import lease
from service.store.tables import (
    alert,
    join_inbox,
    metadata,
    outbox,
    performance,
    performance_course,
    performance_finding,
    performance_state,
)

pytestmark = pytest.mark.postgres

MONITOR = Monitor(
    "churn", task=Task.BINARY, windows=(WindowSpec.tumbling(5 * MINUTE_MS), WindowSpec.tumbling(60 * MINUTE_MS)),
    labels=LabelPolicy(wait_ms=DAY_MS),
)  # fmt: skip
CONFIGURATION = Configuration({"churn": (ModelVersion(MONITOR, Grid()),)}, 1)
T = 100 * DAY_MS
ROWS = 200
"""Predictions a window of five minutes."""
LEARNED = 30
"""After so many windows it is known what is usual."""


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = connect(database)
    migrate(made)
    yield made
    made.dispose()


class Traffic:
    """Windows of predictions, and of their labels, which come ten minutes later."""

    def __init__(self, engine: Engine, seed: int = 1) -> None:
        self.engine = engine
        self.offset = 0
        self.rng = np.random.default_rng(seed)
        self.said: dict[int, np.ndarray] = {}
        self.late: list[tuple[np.ndarray, int, np.ndarray]] = []

    def windows(self, first: int, last: int, wrong: float, share: float = 1.0, late: int = 0) -> None:
        """Predictions of some windows, and labels of the first so many of each window's rows, some minutes late.

        Labels that are late are left for `come`.
        """
        for i in range(first, last):
            ids = np.arange(i * ROWS + 1, (i + 1) * ROWS + 1, dtype=np.uint64)
            said = (self.rng.random(ROWS) < 0.4).astype(np.int32)
            self._leave(Stream.INFERENCE, ids, i * 5, said, said * 0.5 + 0.25, (("7", "country=DE"),))
            self.said[i], labelled = said, int(ROWS * share)
            labels = np.where(self.rng.random(ROWS) < wrong, 1 - said, said)[:labelled]
            if late:
                self.late.append((ids[:labelled], i * 5 + late, labels))
            else:
                self._leave(Stream.LABEL, ids[:labelled], i * 5 + 10, labels)

    def come(self) -> None:
        """The labels that were late."""
        for ids, minute, labels in self.late:
            self._leave(Stream.LABEL, ids, minute, labels)
        self.late.clear()

    def correct(self, i: int, minute: int) -> None:
        """All rows of a window are said to have been right after all."""
        ids = np.arange(i * ROWS + 1, (i + 1) * ROWS + 1, dtype=np.uint64)
        self._leave(Stream.LABEL, ids, minute, self.said[i])

    def _leave(
        self, stream: Stream, ids: np.ndarray, minute: int, codes: np.ndarray, scores: np.ndarray | None = None,
        slices: tuple[tuple[str, ...], ...] = (),
    ) -> None:  # fmt: skip
        self.offset, n = self.offset + 1, len(ids)
        none = np.full(n, np.nan)
        made = JoinRows(
            "churn", stream, ids, np.full(n, T + minute * MINUTE_MS), codes.astype(np.int32), ("no", "yes"), none,
            none if scores is None else scores, np.zeros(n, np.int32), slices,
        )  # fmt: skip
        row = {
            "topic": "t",
            "partition": 0,
            "next_offset": self.offset,
            "place": 0,
            "model": "churn",
            "rows": n,
        }
        with transaction(self.engine) as connection:
            connection.execute(insert(join_inbox).values(row | {"columns": rows_to_bytes(made)}))


def advance(engine: Engine, window: int) -> None:
    """Join and judge all there is when so many windows have ended."""
    position_ms = T + window * 5 * MINUTE_MS
    judge = PerformanceJudge(engine, CONFIGURATION, lambda _: {}, lambda _c, _v: NO_REFERENCE)
    with lease(engine, "churn", "me") as held:
        assert held is not None
        while realize(engine, held, CONFIGURATION, position_ms):
            pass
        while judge.judge(held, position_ms):
            pass


def alerts(engine: Engine) -> dict[tuple[str, str], str]:
    """The state of each alert by its cause and segment."""
    with transaction(engine) as connection:
        rows = connection.execute(select(alert.c.cause, alert.c.segment, alert.c.state))
        return {(row.cause, row.segment): row.state for row in rows}


def named(engine: Engine) -> dict[tuple[str, str], tuple[str, str, int]]:
    """The id, the incident and the beginning of each alert by its cause and segment."""
    with transaction(engine) as connection:
        c = alert.c
        rows = connection.execute(select(c.cause, c.segment, c.id, c.incident, c.since_ms))
        return {(row.cause, row.segment): (row.id, row.incident, row.since_ms) for row in rows}


def judged_until(engine: Engine) -> int | None:
    with transaction(engine) as connection:
        found = connection.execute(select(performance_course.c.judged_ms)).scalar()
    return None if found is None else (found - T) // (5 * MINUTE_MS)


def test_a_window_is_judged_when_its_labels_are_due_and_not_before(engine: Engine) -> None:
    traffic = Traffic(engine)
    traffic.windows(0, 4, wrong=0.1)
    advance(engine, 4)
    assert judged_until(engine) in {1, 2}  # labels take ten minutes: two windows
    traffic.windows(4, LEARNED, wrong=0.1)
    advance(engine, LEARNED)
    assert judged_until(engine) in {LEARNED - 3, LEARNED - 2}
    assert alerts(engine) == {}
    with transaction(engine) as connection:
        found = connection.execute(select(performance_finding)).all()
        naive = connection.execute(select(performance.c.basis).distinct()).scalars().all()
    assert {row.method for row in found} >= {"wrong_rate", "evidence_wrong", "evidence_subgroup"}
    assert {row.window for row in found} == {"5m"}
    assert set(naive) == {"realized", "usual", "last"}


def test_a_model_that_gets_worse_pages_once_and_is_resolved_when_it_is_well_again(engine: Engine) -> None:
    traffic = Traffic(engine)
    traffic.windows(0, LEARNED, wrong=0.1)
    traffic.windows(LEARNED, LEARNED + 6, wrong=0.5)
    advance(engine, LEARNED + 6)
    assert alerts(engine)["performance", ""] == "firing"
    with transaction(engine) as connection:
        sent = connection.execute(select(outbox.c.message)).scalars().all()
    assert {m["incident"] for m in sent} == {sent[0]["incident"]}
    assert "the model is wrong in" in sent[0]["summary"]
    traffic.windows(LEARNED + 6, LEARNED + 20, wrong=0.1)
    advance(engine, LEARNED + 20)
    assert set(alerts(engine).values()) == {"resolved"}


def test_labels_that_come_late_change_what_was_judged_of_their_window(engine: Engine) -> None:
    traffic = Traffic(engine)
    traffic.windows(0, LEARNED, wrong=0.1)
    traffic.windows(LEARNED, LEARNED + 2, wrong=0.8)
    traffic.windows(LEARNED + 2, LEARNED + 4, wrong=0.1)
    advance(engine, LEARNED + 4)
    assert "firing" in alerts(engine).values()
    for i in (LEARNED, LEARNED + 1):  # somebody corrects the labels of the two bad windows
        traffic.correct(i, LEARNED * 5 + 100)
    traffic.windows(LEARNED + 4, LEARNED + 20, wrong=0.1)
    advance(engine, LEARNED + 21)
    with transaction(engine) as connection:
        course = connection.execute(select(performance_course)).one()
        states = connection.execute(select(performance_state.c.end_ms)).scalars().all()
        said = connection.execute(select(alert.c.summary)).scalars().all()
    assert course.again_ms is None
    assert len(states) == len(set(states)) >= LEARNED + 18
    assert set(alerts(engine).values()) == {"resolved"}
    assert all("(withdrawn: later labels changed what is known)" in one for one in said)


def test_an_alert_keeps_its_name_when_later_labels_show_that_it_began_earlier(engine: Engine) -> None:
    traffic = Traffic(engine, seed=4)
    traffic.windows(0, LEARNED, wrong=0.1)
    traffic.windows(LEARNED, LEARNED + 1, wrong=0.9, late=60)
    traffic.windows(LEARNED + 1, LEARNED + 14, wrong=0.4)
    advance(engine, LEARNED + 6)
    before = named(engine)
    assert "firing" in alerts(engine).values()
    traffic.come()
    advance(engine, LEARNED + 14)
    after = named(engine)
    assert {place: one[:2] for place, one in after.items() if place in before} == {
        place: one[:2] for place, one in before.items()
    }
    assert after["performance", ""][2] < before["performance", ""][2]
    with transaction(engine) as connection:
        said = outbox.c.message
        sent = select(said["state"].astext).where(said["cause"].astext == "performance")
        assert connection.execute(sent).scalars().all() == ["firing"]


def test_labels_that_come_after_their_window_was_judged_lead_to_what_they_would_have_led_to_at_once(
    engine: Engine,
) -> None:
    told, c = [], alert.c
    for late_at in (0, LEARNED + 6):
        with transaction(engine) as connection:
            for table in (t for t in metadata.tables if t not in {"revision", "alembic_version"}):
                connection.execute(text(f"TRUNCATE {table} CASCADE"))
        traffic = Traffic(engine, seed=3)
        traffic.windows(0, LEARNED, wrong=0.1)
        traffic.windows(LEARNED, LEARNED + 2, wrong=0.7, late=60)
        traffic.windows(LEARNED + 2, LEARNED + 20, wrong=0.1)
        if late_at:
            advance(engine, late_at)
            assert alerts(engine) == {}
        traffic.come()
        advance(engine, LEARNED + 20)
        with transaction(engine) as connection:
            told.append(
                [
                    connection.execute(query).all()
                    for query in (
                        select(performance_finding).order_by(*performance_finding.primary_key),
                        select(c.id, c.incident, c.cause, c.since_ms, c.state).order_by(c.id),
                        select(performance_state).order_by(performance_state.c.end_ms.desc()).limit(1),
                    )
                ]
            )
    assert told[0][1]
    assert told[0] == told[1]


def test_labels_of_a_window_that_did_not_change_cost_nothing(engine: Engine) -> None:
    traffic = Traffic(engine)
    traffic.windows(0, 8, wrong=0.1)
    advance(engine, 8)
    for window in range(9, 14):  # the hour that these panes are in ends with the twelfth
        advance(engine, window)
        with transaction(engine) as connection:
            assert connection.execute(select(performance_course.c.again_ms)).scalar() is None


def test_an_alert_that_no_label_speaks_of_any_more_ends(engine: Engine) -> None:
    traffic = Traffic(engine)
    traffic.windows(0, LEARNED, wrong=0.1)
    traffic.windows(LEARNED, LEARNED + 6, wrong=0.5)
    advance(engine, LEARNED + 6)
    assert "firing" in alerts(engine).values()
    advance(engine, LEARNED + 20)
    assert "firing" in alerts(engine).values()
    traffic.windows(LEARNED + 26, LEARNED + 30, wrong=0.5)
    advance(engine, LEARNED + 29)  # one ripe window with labels, and after it some without
    advance(engine, LEARNED + 36)
    assert "firing" in alerts(engine).values()
    advance(engine, LEARNED + 70)
    assert set(alerts(engine).values()) == {"resolved"}


def test_labels_for_some_kinds_of_predictions_only_are_a_ticket(engine: Engine) -> None:
    traffic = Traffic(engine)
    traffic.windows(0, 3, wrong=0.1)
    # from now on only what was answered "yes" gets a label
    for i in range(3, 20):
        ids = np.arange(i * ROWS + 1, (i + 1) * ROWS + 1, dtype=np.uint64)
        said = (np.arange(ROWS) < ROWS // 2).astype(np.int32)
        traffic._leave(Stream.INFERENCE, ids, i * 5, said, said * 0.5 + 0.25, (("7",),))
        traffic._leave(Stream.LABEL, ids[: ROWS // 2], i * 5 + 10, said[: ROWS // 2])
    advance(engine, 20)
    assert alerts(engine)["label_bias", ""] == "firing"
    with transaction(engine) as connection:
        said = connection.execute(select(alert.c.summary, alert.c.severity)).one()
    assert said.severity == "ticket"
    assert "labels come for some kinds of predictions more than for others" in said.summary


def test_before_it_is_known_how_long_labels_take_nothing_is_judged(engine: Engine) -> None:
    traffic = Traffic(engine)
    traffic.windows(0, 1, wrong=0.9, share=0.5)
    advance(engine, 100)
    assert judged_until(engine) is None
