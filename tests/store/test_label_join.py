"""Joining labels: each prediction counts once with its newest label, in whatever order and company they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from sqlalchemy import Engine, event, insert, select

from detectors.performance.binary_counts import BinaryOutcomes
from service.messages import JoinRows, Stream
from service.performance.counting import BinaryCounting, difference
from service.sketches.inbox_codec import rows_to_bytes
from service.store import label_join as module
from service.store.engine import connect, transaction
from service.store.join_share import Share
from service.store.label_join import join_labels, names_of
from service.store.migrate import migrate
from service.store.outcomes import add_outcomes, outcomes_between
from service.store.tables import join_inbox, outcome_news, waiting_label, waiting_prediction

pytestmark = pytest.mark.postgres

PANE_MS = 60_000
COUNTING = BinaryCounting("yes")


class Prediction(NamedTuple):
    id: int
    minute: int
    says: str
    country: str = "DE"


class Label(NamedTuple):
    id: int
    ts_ms: int
    says: str


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = connect(database)
    migrate(made)
    yield made
    made.dispose()


def leave(engine: Engine, offset: int, *parts: JoinRows) -> None:
    """As a checkpoint leaves them."""
    rows = [
        {"topic": "t", "partition": 0, "next_offset": offset, "place": i, "model": one.model, "rows": len(one),
         "columns": rows_to_bytes(one)}
        for i, one in enumerate(parts)
    ]  # fmt: skip
    with transaction(engine) as connection:
        connection.execute(insert(join_inbox), rows)


def predictions(*rows: Prediction) -> JoinRows:
    classes, slices = sorted({r.says for r in rows}), sorted({("7", f"country={r.country}") for r in rows})
    return JoinRows(
        "churn", Stream.INFERENCE, np.array([r.id for r in rows], np.uint64),
        np.array([r.minute * PANE_MS for r in rows]), np.array([classes.index(r.says) for r in rows], np.int32),
        tuple(classes), np.full(len(rows), np.nan), np.full(len(rows), np.nan),
        np.array([slices.index(("7", f"country={r.country}")) for r in rows], np.int32), tuple(slices),
    )  # fmt: skip


def labels(*rows: Label) -> JoinRows:
    classes, n = sorted({r.says for r in rows}), len(rows)
    return JoinRows(
        "churn", Stream.LABEL, np.array([r.id for r in rows], np.uint64), np.array([r.ts_ms for r in rows]),
        np.array([classes.index(r.says) for r in rows], np.int32), tuple(classes), np.full(n, np.nan),
        np.full(n, np.nan), np.zeros(n, np.int32), ((),),
    )  # fmt: skip


def join_all(engine: Engine) -> int:
    joined = 0
    while True:
        with transaction(engine) as connection:
            rows, changes, _ = join_labels(connection, "churn", Share())
            if changes is not None:
                names = {
                    number: name
                    for number, name in names_of(connection, "churn").items()
                    if "\x01" not in name
                }
                outcomes = {place: difference(COUNTING, rows, names) for place, rows in changes.by_place()}
                add_outcomes(connection, "churn", COUNTING, outcomes)
        if not rows:
            return joined
        joined += rows


def counted(engine: Engine) -> Counter[tuple[int, str, str]]:
    """Labelled predictions by minute, class and label."""
    found: Counter[tuple[int, str, str]] = Counter()
    with transaction(engine) as connection:
        stored = outcomes_between(connection, "churn", COUNTING, 0, 2**60)
    for (start_ms, _), arrays in stored.items():
        for label, decision in np.argwhere(BinaryOutcomes.from_arrays(arrays).confusion).tolist():
            n = int(BinaryOutcomes.from_arrays(arrays).confusion[label, decision])
            found[start_ms // PANE_MS, ("no", "yes")[decision], ("no", "yes")[label]] += n
    return found


def in_theory(given: Sequence[Prediction], told: Sequence[Label]) -> Counter[tuple[int, str, str]]:
    newest = {one.id: one.says for one in sorted(told, key=lambda one: (one.ts_ms, one.says))}
    return Counter((p.minute, p.says, newest[p.id]) for p in given if p.id in newest)


def test_a_label_counts_in_the_pane_of_its_prediction(engine: Engine) -> None:
    leave(engine, 1, predictions(Prediction(1, 5, "yes"), Prediction(2, 6, "no")))
    leave(engine, 2, labels(Label(1, 90 * PANE_MS, "no"), Label(2, 91 * PANE_MS, "no")))
    assert join_all(engine) == 4
    assert counted(engine) == {(5, "yes", "no"): 1, (6, "no", "no"): 1}
    with transaction(engine) as connection:
        news = connection.execute(select(outcome_news.c.start_ms)).scalars()
        assert sorted(news) == [5 * PANE_MS, 6 * PANE_MS]


def test_a_label_that_comes_first_waits_for_its_prediction(engine: Engine) -> None:
    leave(engine, 1, labels(Label(1, 1, "no")))
    join_all(engine)
    assert counted(engine) == {}
    leave(engine, 2, predictions(Prediction(1, 5, "yes")))
    join_all(engine)
    assert counted(engine) == {(5, "yes", "no"): 1}
    with transaction(engine) as connection:
        assert connection.execute(select(waiting_label)).all() == []


def test_names_beyond_the_first_so_many_are_others(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_NAMES", 4)
    leave(engine, 1, predictions(*(Prediction(i, 0, f"class {i}") for i in range(1, 9))))
    join_all(engine)
    with transaction(engine) as connection:
        names = names_of(connection, "churn")
        rows = connection.execute(select(waiting_prediction.c["class"])).scalars()
        said = Counter(names[number] for number in rows)
    assert len(names) == 4
    assert said == {"__other__": 6, "class 1": 1, "class 2": 1}


def test_a_newer_label_takes_the_place_of_the_one_before_and_an_older_one_does_not(engine: Engine) -> None:
    leave(engine, 1, predictions(Prediction(1, 5, "yes")), labels(Label(1, 10, "no")))
    join_all(engine)
    leave(engine, 2, labels(Label(1, 20, "yes")))
    join_all(engine)
    leave(engine, 3, labels(Label(1, 15, "no")))
    join_all(engine)
    assert counted(engine) == {(5, "yes", "yes"): 1}


@pytest.mark.parametrize("seed", range(3))
def test_any_order_with_repeats_corrections_and_gaps_ends_in_the_plain_join(
    engine: Engine, seed: int
) -> None:
    random = np.random.default_rng(seed)
    says = ["yes", "no"]
    given = [
        Prediction(i + 1, int(random.integers(5)), says[random.integers(2)], ["DE", "FR"][random.integers(2)])
        for i in range(400)
    ]
    told = [
        Label(int(random.integers(1, 500)), int(random.integers(1, 50)), says[random.integers(2)])
        for _ in range(900)
    ]
    events: list[Prediction | Label] = [*given, *given[:50], *told]
    for offset, part in enumerate(np.array_split(random.permutation(len(events)), 23)):
        mine = [events[i] for i in part]
        parts = [
            made(*some)
            for made, kind in ((predictions, Prediction), (labels, Label))
            if (some := [one for one in mine if isinstance(one, kind)])
        ]
        leave(engine, offset, *parts)
        if offset % 4 == 0:
            join_all(engine)
    join_all(engine)
    assert counted(engine) == in_theory(given, told)
    assert min(counted(engine).values()) > 0


def test_ids_are_looked_up_by_index_in_a_database_that_knows_nothing_of_its_tables_yet(
    engine: Engine,
) -> None:
    random = np.random.default_rng(6)
    ids = random.integers(1, 2**64, 30_000, np.uint64)
    said = np.ones(len(ids), np.int32)
    nothing, nowhere = np.full(len(ids), np.nan), np.zeros(len(ids), np.int32)
    for offset, (stream, slices) in enumerate(((Stream.INFERENCE, (("1",),)), (Stream.LABEL, ((),))), 1):
        at = np.full(len(ids), offset * PANE_MS)
        leave(engine, offset, JoinRows(
            "churn", stream, ids, at, said, ("no", "yes"), nothing, nothing, nowhere, slices,
        ))  # fmt: skip
    plans: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.strip().startswith("CREATE TEMP TABLE matched"):
            plan = connection.connection.cursor()
            plan.execute("EXPLAIN " + statement.split(" AS", 1)[1], parameters)
            plans.append("\n".join(row[0] for row in plan.fetchall()))

    event.listen(engine, "before_cursor_execute", explain)
    with transaction(engine) as connection:
        assert join_labels(connection, "churn", Share()).rows == 2 * len(ids)
    assert all("(id = new_label.id)" in plan for plan in plans), plans
    assert len(plans) == 1
