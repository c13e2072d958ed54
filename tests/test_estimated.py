"""Estimates come with the windows, before any label, and agree with the labels for as long as nothing has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from pyarrow import csv
from sqlalchemy import Engine, select, text

from service import estimated
from service.alerting.delivery import Delivery
from service.estimated import Estimator, Learner
from service.evaluator import Evaluator
from service.metrics import PipelineMetrics
from service.monitor import DAY_MS, MINUTE_MS, LabelPolicy, Monitor, Task, WindowSpec
from service.reference.builder import build_reference
from service.reference.profile import profile_from_bytes, profile_to_bytes
from service.reference.specification import ReferenceSpec
from service.store.answers import reference_answers
from service.store.configuration import apply_monitors, load_configuration, store_reference
from service.store.engine import transaction
from service.store.outbox import Outbox
from service.store.profiles import stored_grids, stored_profiles, to_be_stored
from service.store.results import LeaseLost, lease
from service.store.retention import Retention
from service.store.tables import performance, performance_course, reference
from tests.fakes.collecting import Bench
from tests.fakes.source import FakeLog

pytestmark = pytest.mark.postgres

T = 20_000 * DAY_MS
WINDOW_MS, ROWS = 5 * MINUTE_MS, 1_000
KEPT = Retention(10**13, 10**13, 10**13, every_ms=10**13)
BINARY = Monitor(
    "churn", task=Task.BINARY, reference="churn", windows=(WindowSpec.tumbling(WINDOW_MS),), segments=("country",),
    labels=LabelPolicy(positive="yes"),
)  # fmt: skip
REGRESSION = replace(BINARY, task=Task.REGRESSION, labels=LabelPolicy())
MULTICLASS = replace(BINARY, task=Task.MULTICLASS, labels=LabelPolicy())


class Rows(NamedTuple):
    """What a model was asked and said, and what came true; `score` None of a regression."""

    country: NDArray[np.str_]
    says: NDArray[Any]
    score: NDArray[np.float64] | None
    truth: NDArray[Any]

    def table(self, *, labels: bool = True) -> Mapping[str, NDArray[Any]]:
        known = {"country": self.country, "answer": self.says}
        known |= {} if self.score is None else {"p": self.score}
        return known | ({"truth": self.truth} if labels else {})


def binary(seed: int, n: int, drifted: bool = False, law: tuple[float, float] = (1.0, 1.0)) -> Rows:
    """Scores are too high: a yes comes true to the chance score ** 2; once drifted, as if a no were a yes."""
    random = np.random.default_rng(seed)
    score = np.round(random.beta(*law, n), 4)
    chance = (1 - score) ** 2 if drifted else score**2
    truth = np.where(random.random(n) < chance, "yes", "no")
    return Rows(random.choice(["DE", "FR"], n), np.where(score >= 0.5, "yes", "no"), score, truth)


def regression(seed: int, n: int, drifted: bool = False, law: tuple[float, float] = (1.0, 1.0)) -> Rows:
    """Large answers are off by more; once drifted all by twice as much."""
    random = np.random.default_rng(seed)
    says = 100 * random.beta(*law, n)
    error = random.normal(0, 0.5 + says / 20) * (2 if drifted else 1)
    return Rows(random.choice(["DE", "FR"], n), says, None, says - error)


def multiclass(seed: int, n: int, drifted: bool = False, law: tuple[float, float] = (1.0, 1.0)) -> Rows:
    """The score says how sure the answer is; once drifted that is nothing."""
    random = np.random.default_rng(seed)
    says, score = random.choice(["a", "b", "c"], n), np.round(random.beta(*law, n), 3)
    right = random.random(n) < (0.3 if drifted else score)
    other = np.array([{"a": "b", "b": "c", "c": "a"}[one] for one in says.tolist()])
    return Rows(random.choice(["DE", "FR"], n), says, score, np.where(right, says, other))


class Live:
    """A collector and an evaluator on one database, fed window by window."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        monitor: Monitor,
        trained_on: Rows,
        *,
        labels: bool = True,
        first_ms: int | None = None,
    ) -> None:
        self.engine = engine
        columns = self.write_table(folder, trained_on, labels=labels)
        spec = ReferenceSpec(
            "churn", "churn", label="truth" if labels else None, prediction="answer",
            score="p" if "p" in columns else None, task=monitor.task,
        )  # fmt: skip
        self.profile = replace(build_reference(folder / "table.csv", spec), first_ms=first_ms)
        apply_monitors(engine, [monitor], [to_be_stored(self.profile)], 0)
        self._bench = Bench(engine, FakeLog(partitions=1))
        self._now_ms = T
        delivery, metrics = Delivery(Outbox(engine), lambda _: None), PipelineMetrics(CollectorRegistry())
        self._evaluator = Evaluator(engine, "one", metrics, lambda: self._now_ms, delivery, KEPT)

    @staticmethod
    def write_table(folder: Path, rows: Rows, *, labels: bool = True) -> Mapping[str, NDArray[Any]]:
        """The table that a reference is built from."""
        columns = rows.table(labels=labels)
        csv.write_csv(pa.table(dict(columns)), folder / "table.csv")
        return columns

    def predict(self, window: int, rows: Rows, part: str = "") -> None:
        """The predictions of one window, evenly over its time."""
        n = len(rows.says)
        for i in range(n):
            said = {"value": float(rows.says[i])} if rows.score is None else {
                "label": str(rows.says[i]), "score": float(rows.score[i])}  # fmt: skip
            self._put(
                T + window * WINDOW_MS + i * WINDOW_MS // n, type="prediction", id=f"{part}{window}-{i}", version="7",
                features={"country": str(rows.country[i])}, prediction=said,
            )  # fmt: skip

    def label(self, window: int, rows: Rows) -> None:
        """The labels of one window, a window later."""
        for i, truth in enumerate(rows.truth.tolist()):
            self._put(T + (window + 1) * WINDOW_MS + i, type="label", id=f"{window}-{i}", label=truth)

    def pass_time(self, window: int) -> None:
        """Event time moves on to a window, and all that is due is done."""
        self._put(T + window * WINDOW_MS + 6_000, type="features", features={"country": "DE"}, version="7")
        self._bench.collector().read_all()
        for _ in range(3):
            self._now_ms += 20_000
            self._evaluator.step()

    def _put(self, ts: int, **event: Any) -> None:
        self._bench.log.append([json.dumps({"model": "churn", "ts": ts, **event}).encode()], [ts], 0)

    def told(self, basis: str, metric: str, segment: str = "") -> Mapping[int, Any]:
        """A metric by the number of its window."""
        c = performance.c
        query = select(performance).where(c.basis == basis, c.metric == metric, c.segment == segment)
        with transaction(self.engine) as connection:
            return {(row.start_ms - T) // WINDOW_MS: row for row in connection.execute(query)}


MODELS = [(BINARY, binary, "accuracy"), (REGRESSION, regression, "mae"), (MULTICLASS, multiclass, "accuracy")]


@pytest.mark.parametrize(("monitor", "law", "metric"), MODELS, ids=["binary", "regression", "multiclass"])
def test_estimates_agree_with_the_labels_that_come_later_until_the_concept_drifts(
    engine: Engine, tmp_path: Path, monitor: Monitor, law: Any, metric: str
) -> None:
    live = Live(engine, tmp_path, monitor, law(1, 20_000))
    windows = [law(10 + w, ROWS, drifted=w >= 4, law=(1.0, 1.0) if w < 2 else (2.0, 1.0)) for w in range(6)]
    for window, rows in enumerate(windows):
        live.predict(window, rows)
    live.pass_time(6)
    estimated = live.told("estimated", metric)
    assert live.told("realized", metric) == {}
    for window, rows in enumerate(windows):
        live.label(window, rows)
    live.pass_time(9)
    realized = live.told("realized", metric)
    assert set(estimated) == set(realized) == set(range(6))
    errors = {w: (estimated[w].high - estimated[w].low) / 3.92 for w in range(6)}
    apart = {w: abs(realized[w].value - estimated[w].value) / errors[w] for w in range(6)}
    assert max(apart[w] for w in range(4)) < 3.5
    assert min(apart[w] for w in (4, 5)) > 8
    # the estimate sees what changes in the scores, and nothing of what changes behind them
    assert abs(estimated[2].value - estimated[1].value) > 3 * errors[2]
    assert estimated[4].value == pytest.approx(estimated[3].value, abs=4 * errors[4])
    for segment in ("country=DE", "country=FR"):
        one, other = live.told("estimated", metric, segment)[1], live.told("realized", metric, segment)[1]
        assert other.value == pytest.approx(one.value, abs=(one.high - one.low) / 3.92 * 3.5)
        assert (one.n, one.version) == (other.n, "7")


def test_all_metrics_of_decisions_and_scores_are_estimated_for_two_classes(
    engine: Engine, tmp_path: Path
) -> None:
    live, rows = Live(engine, tmp_path, BINARY, binary(1, 20_000)), binary(2, 2_000)
    live.predict(0, rows)
    live.label(0, rows)
    live.pass_time(4)
    names = ("precision", "recall", "f1", "prevalence", "accuracy", "balanced_accuracy", "macro_precision",
             "macro_recall", "macro_f1", "roc_auc", "average_precision", "brier", "log_loss")  # fmt: skip
    for name in names:
        one, true = live.told("estimated", name)[0], live.told("realized", name)[0]
        assert one.low <= one.value <= one.high
        assert true.value == pytest.approx(one.value, abs=0.9 * (one.high - one.low) + one.resolution), name
    assert live.told("estimated", "calibration_error") == {}


def test_late_rows_restate_the_estimate_of_their_window_and_no_other(engine: Engine, tmp_path: Path) -> None:
    live = Live(engine, tmp_path, BINARY, binary(1, 20_000))
    for window in range(2):
        live.predict(window, binary(10 + window, ROWS))
    live.pass_time(2)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE performance SET high = -1"))
    live.predict(1, binary(30, 500, law=(9.0, 1.0)), part="late-")
    live.pass_time(2)
    told = live.told("estimated", "accuracy")
    assert [(told[w].n, told[w].high > 0) for w in range(2)] == [(ROWS, False), (ROWS + 500, True)]


def test_a_reference_without_labels_learns_from_the_first_that_come_live(
    engine: Engine, tmp_path: Path
) -> None:
    # window       0      1      2      3      4
    # predictions  700    700    700           700
    # labels              of 0   of 1   of 2
    live = Live(engine, tmp_path, BINARY, binary(1, 5_000), labels=False)
    windows = {w: binary(10 + w, 700) for w in (0, 1, 2, 4)}
    for window in range(3):
        live.predict(window, windows[window])
    live.label(0, windows[0])
    live.pass_time(3)
    assert live.told("estimated", "accuracy")[2].reason == "fewer_than_1000_labels_to_learn_from"
    live.label(1, windows[1])
    live.label(2, windows[2])
    live.predict(4, windows[4])
    live.label(4, windows[4])
    live.pass_time(8)
    told, came = live.told("estimated", "accuracy")[4], live.told("realized", "accuracy")[4]
    assert came.value == pytest.approx(told.value, abs=3.5 * (told.high - told.low) / 3.92)
    with transaction(engine) as connection:
        learned = connection.execute(select(reference.c.answers)).scalar_one()
    live.label(4, binary(99, 700, drifted=True))
    live.pass_time(9)
    with transaction(engine) as connection:
        assert connection.execute(select(reference.c.answers)).scalar_one() == learned


def test_a_reference_learned_live_is_not_given_the_labels_from_before_it(
    engine: Engine, tmp_path: Path
) -> None:
    # window       0        1      2      3      4
    # predictions  drifted  1,200  1,200
    # reference             |----------...
    live = Live(engine, tmp_path, BINARY, binary(1, 5_000), labels=False, first_ms=T + WINDOW_MS + 17_000)
    windows = [binary(10 + w, 1_200, drifted=w == 0) for w in range(3)]
    for window, rows in enumerate(windows):
        live.predict(window, rows)
        live.label(window, rows)
    live.pass_time(7)
    live.predict(7, binary(20, 1_200))
    live.pass_time(8)
    with transaction(engine) as connection:
        found = reference_answers(connection, load_configuration(engine).models["churn"][-1])
        of_germany = reference_answers(
            connection, load_configuration(engine).models["churn"][-1], "country=DE"
        )
    assert found is not None and of_germany is not None  # noqa: PT018
    assert found["counts"].sum() == 2_400
    assert of_germany["counts"].sum() == sum((rows.country == "DE").sum() for rows in windows[1:])
    assert live.told("estimated", "accuracy")[7].value == pytest.approx(0.75, abs=0.03)


NOTHING = [
    (BINARY, lambda rows: rows._replace(score=np.full(len(rows.says), 37.0)), "scores_beyond_0_to_1"),
    (BINARY, lambda rows: Rows(*(column[:50] for column in rows)), "effective_size_below_100"),
    (replace(BINARY, labels=LabelPolicy(positive="maybe")), lambda rows: rows, "reference_counted_in_another_way"),
    (replace(BINARY, task=Task.REGRESSION, labels=LabelPolicy()), lambda rows: rows,
     "reference_counted_in_another_way"),
]  # fmt: skip


@pytest.mark.parametrize(("monitor", "change", "reason"), NOTHING, ids=["scores", "few", "class", "task"])
def test_where_nothing_can_be_estimated_one_line_says_why(
    engine: Engine, tmp_path: Path, monitor: Monitor, change: Any, reason: str
) -> None:
    live = Live(engine, tmp_path, BINARY, binary(1, 5_000))
    apply_monitors(engine, [monitor], [], 0)
    if monitor != BINARY:
        with transaction(engine) as connection:
            connection.execute(text("UPDATE model_version SET since_ms = 1 WHERE number = 2"))
            connection.execute(text("UPDATE revision SET number = number + 1"))
    live.predict(0, change(binary(2, ROWS)))
    live.pass_time(1)
    c = performance.c
    query = select(c.metric, c.value, c.reason).where(c.basis == "estimated", c.segment == "")
    with transaction(engine) as connection:
        (told,) = connection.execute(query)
    assert (told.value, told.reason) == (None, reason)


def test_decisions_that_do_not_follow_the_score_leave_only_metrics_of_scores(
    engine: Engine, tmp_path: Path
) -> None:
    live, rows = Live(engine, tmp_path, BINARY, binary(1, 20_000)), binary(2, ROWS)
    live.predict(0, rows._replace(says=rows.says[::-1]))
    live.pass_time(1)
    assert live.told("estimated", "f1")[0].reason == "decisions_do_not_follow_the_score"
    assert live.told("estimated", "roc_auc")[0].value > 0.8


def test_a_profile_keeps_its_answers_on_the_way_through_a_file_and_a_new_one_replaces_them(
    engine: Engine, tmp_path: Path
) -> None:
    live = Live(engine, tmp_path, BINARY, binary(1, 2_000))
    again = profile_from_bytes(profile_to_bytes(live.profile))
    assert to_be_stored(again).answers == to_be_stored(live.profile).answers
    with transaction(engine) as connection:
        before = connection.execute(select(reference.c.answers)).scalar_one()
    csv.write_csv(pa.table(dict(binary(3, 2_000).table())), tmp_path / "other.csv")
    spec = ReferenceSpec("churn", "churn", label="truth", prediction="answer", score="p", task=Task.BINARY)
    store_reference(engine, to_be_stored(build_reference(tmp_path / "other.csv", spec)))
    with transaction(engine) as connection:
        assert connection.execute(select(reference.c.answers)).scalar_one() != before


def test_windows_whose_panes_are_gone_get_a_line_and_hold_up_nothing(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimated, "MOST_WINDOWS", 2)
    # window       0    1    2    3   ...   60   61        62
    # predictions  200  200  200  200       200  200
    # panes        gone gone kept kept      kept kept      all windows are to be estimated anew
    windows = (0, 1, 2, 3, 60, 61)
    live = Live(engine, tmp_path, BINARY, binary(1, 5_000))
    for window in windows:
        live.predict(window, binary(window, 200))
    live.pass_time(62)
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM performance"))
        connection.execute(text("DELETE FROM performance_course"))
        connection.execute(text("DELETE FROM pane WHERE start_ms < :until"), {"until": T + 2 * WINDOW_MS})
    live.pass_time(63)
    told = live.told("estimated", "accuracy")
    assert [told[w].reason for w in windows] == ["panes_no_longer_kept"] * 2 + [None] * 4
    with transaction(engine) as connection:
        course = connection.execute(select(performance_course)).one()
    assert course.estimated_ms == T + 63 * WINDOW_MS


def test_who_has_lost_the_lease_tells_nothing(engine: Engine, tmp_path: Path) -> None:
    live = Live(engine, tmp_path, BINARY, binary(1, 5_000))
    live.predict(0, binary(2, 500))
    live.pass_time(1)
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM performance"))
    with lease(engine, "churn", "me") as held:
        assert held is not None
        with transaction(engine) as connection:
            connection.execute(text("UPDATE evaluation SET token = gen_random_uuid()"))
        profiles, grids = stored_profiles(engine), stored_grids(engine)
        made = Estimator(engine, load_configuration(engine), profiles, grids, Learner())
        with pytest.raises(LeaseLost):
            made.estimate(held, T + WINDOW_MS)
    assert live.told("estimated", "accuracy") == {}
