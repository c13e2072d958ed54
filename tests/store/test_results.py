"""What evaluation reads and writes: one suite for memory and PostgreSQL, then the leases that only the latter needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Protocol

import pytest
from sqlalchemy import Engine, func, insert, select, text

from service.evaluation.results import Results
from service.messages import (
    Alert,
    Cause,
    Column,
    Evaluated,
    Finding,
    PaneKey,
    PaneRow,
    Partition,
    Role,
    Severity,
    SliceResult,
    State,
    Verdict,
    WindowKey,
    WindowTotal,
)  # fmt: skip
from service.replay import MemoryResults
from service.store.engine import transaction
from service.store.results import LeaseLost, PostgresResults, lease
from service.store.tables import alert, finding, outbox, pane, window_result

MIN_MS = 60_000
HOUR_MS = 60 * MIN_MS
ONE, TWO = Partition("events", 0), Partition("events", 1)


class Kept(Protocol):
    """A place for one model's results."""

    results: Results

    def put(self, partition: Partition, row: PaneRow) -> None:
        """A collector writes a pane."""


class InMemory:
    def __init__(self) -> None:
        self.results = MemoryResults()
        self.put = self.results.put


class InPostgres:
    def __init__(self, engine: Engine, held: Any) -> None:
        self._engine = engine
        self.results = PostgresResults(engine, held)

    def put(self, partition: Partition, row: PaneRow) -> None:
        place = {"topic": partition.topic, "partition": partition.number}
        rest = {
            n: getattr(row, n) for n in ("end_ms", "grid_id", "inferences", "labels", "last_ms", "sketch")
        }
        with transaction(self._engine) as connection:
            connection.execute(insert(pane).values(**place, **row.key._asdict(), **rest))


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "memory":
        yield InMemory()
        return
    engine = request.getfixturevalue("engine")
    with lease(engine, "churn", "me") as held:
        yield InPostgres(engine, held)


def pane_of(
    start_ms: int, inferences: int = 3, labels: int = 0, version: str = "1", segment: str = ""
) -> PaneRow:
    key = PaneKey("churn", version, segment, start_ms)
    return PaneRow(key, start_ms + MIN_MS, "g", inferences, labels, start_ms + 1, f"{key}".encode())


AMOUNT = Column(Role.FEATURE, "amount")


def finding_of(method: str = "psi", column: Column | None = AMOUNT, **changes: Any) -> Finding:
    usual: dict[str, Any] = {
        "value": 0.5, "limit": 0.2, "p_value": 1e-9, "n": 10, "m": 20, "resolution": 0.01,
        "verdict": Verdict.DRIFT, "reason": None,
    }  # fmt: skip
    return Finding(column, method, **usual | changes)


def result_of(
    end_ms: int, version: str = "1", segment: str = "", window: str = "5m", **changes: Any
) -> SliceResult:
    key = WindowKey("churn", version, segment, window, end_ms - 5 * MIN_MS, end_ms)
    usual: dict[str, Any] = {"inferences": 10, "labels": 2, "findings": (finding_of(),)}
    return SliceResult(key, **usual | changes)


def save(kept: Kept, position_ms: int, results: Sequence[SliceResult] = (), **more: Any) -> None:
    kept.results.save(Evaluated(position_ms, list(results), **more))


def in_order(result: SliceResult) -> SliceResult:
    """The result with its findings in one order."""
    findings = sorted(result.findings, key=lambda finding: (finding.column or ("", ""), finding.method))
    return replace(result, findings=tuple(findings))


def known(kept: Results, since_ms: int = 0) -> Any:
    """What is stored, in a form that has no order."""
    return {window: set(map(in_order, results)) for window, results in kept.stored(since_ms).items()}


def test_before_the_first_step_there_is_nothing(kept: Kept) -> None:
    results = kept.results
    assert results.position_ms() is None
    assert (
        results.pane_totals(0),
        list(results.panes(0, 10**13)),
        results.window_totals(0),
        results.stored(0),
    ) == ({}, [], {}, {})
    assert results.state_before(10**13) is None


def test_pane_totals_are_rows_of_all_traffic_over_partitions_and_versions(kept: Kept) -> None:
    kept.put(ONE, pane_of(0))
    kept.put(ONE, pane_of(MIN_MS, inferences=3, labels=1))
    kept.put(TWO, pane_of(MIN_MS, inferences=5, version="2"))
    kept.put(TWO, pane_of(MIN_MS, inferences=5, version="2", segment="country=DE"))
    kept.put(ONE, pane_of(2 * MIN_MS, inferences=0))
    assert kept.results.pane_totals(MIN_MS) == {MIN_MS: 9, 2 * MIN_MS: 0}


def test_panes_come_in_one_order_whoever_wrote_them_first(kept: Kept) -> None:
    rows = [
        (TWO, pane_of(MIN_MS)),
        (ONE, pane_of(MIN_MS, segment="country=DE")),
        (ONE, pane_of(MIN_MS)),
        (ONE, pane_of(0)),
    ]
    for partition, row in rows:
        kept.put(partition, row)
    kept.put(ONE, pane_of(2 * MIN_MS))
    assert list(kept.results.panes(0, 2 * MIN_MS)) == [rows[3][1], rows[2][1], rows[1][1], rows[0][1]]
    assert list(kept.results.panes(0, 2 * MIN_MS, "")) == [rows[3][1], rows[2][1], rows[0][1]]
    assert list(kept.results.panes(0, 2 * MIN_MS, "country=DE")) == [rows[1][1]]


def test_panes_tell_the_partition_that_they_were_counted_in(kept: Kept) -> None:
    kept.put(TWO, pane_of(0))
    kept.put(ONE, pane_of(0))
    assert [row.partition for row in kept.results.panes(0, MIN_MS)] == [ONE, TWO]


def test_what_is_saved_is_read_again(kept: Kept) -> None:
    findings = (
        finding_of(), finding_of("ks", p_value=None, verdict=Verdict.OK),
        finding_of("tv", value=None, limit=None, verdict=Verdict.TOO_LITTLE_DATA),
        finding_of("volume", column=None, reason="few windows"), finding_of("tv", Column(Role.SCORE, "score")),
    )  # fmt: skip
    saved = [
        result_of(HOUR_MS, findings=findings), result_of(HOUR_MS, "2", incomplete=True),
        result_of(HOUR_MS, segment="country=DE"),
        result_of(HOUR_MS, window="1h"), result_of(2 * HOUR_MS, inferences=0, labels=0, findings=()),
    ]  # fmt: skip
    save(kept, 2 * HOUR_MS, saved)
    assert kept.results.position_ms() == 2 * HOUR_MS
    assert known(kept.results) == {
        (HOUR_MS, "5m"): set(map(in_order, saved[:3])),
        (HOUR_MS, "1h"): {saved[3]}, (2 * HOUR_MS, "5m"): {saved[4]},
    }  # fmt: skip
    assert known(kept.results, HOUR_MS + 1).keys() == {(2 * HOUR_MS, "5m")}


def test_window_totals_are_of_all_traffic_and_leave_out_windows_without_rows(kept: Kept) -> None:
    save(kept, 2 * HOUR_MS, [
        result_of(HOUR_MS, revision=3), result_of(HOUR_MS, "2", inferences=5, revision=3),
        result_of(HOUR_MS, segment="a=b", revision=3),
        result_of(2 * HOUR_MS, inferences=0, labels=0), result_of(2 * HOUR_MS, window="1h"),
    ])  # fmt: skip
    assert kept.results.window_totals(0) == {
        (HOUR_MS, "5m"): WindowTotal(19, 3), (2 * HOUR_MS, "1h"): WindowTotal(12, 0),
    }  # fmt: skip
    assert kept.results.window_totals(HOUR_MS).keys() == {(2 * HOUR_MS, "1h")}


def test_what_is_said_of_all_versions_together_is_kept_beside_them_and_is_no_rows(kept: Kept) -> None:
    said = result_of(
        HOUR_MS,
        version="",
        labels=0,
        findings=(finding_of("volume", None, n=10),),
        aggregate=True,
        revision=2,
    )
    save(kept, HOUR_MS, [result_of(HOUR_MS, revision=2), said])
    assert known(kept.results) == {(HOUR_MS, "5m"): {result_of(HOUR_MS, revision=2), said}}
    assert kept.results.window_totals(0) == {(HOUR_MS, "5m"): WindowTotal(12, 2)}


def test_a_restated_window_leaves_nothing_of_its_former_revision(kept: Kept) -> None:
    save(kept, HOUR_MS, [result_of(HOUR_MS), result_of(HOUR_MS, "2"), result_of(HOUR_MS, window="1h")])
    again = result_of(HOUR_MS, inferences=11, revision=1, findings=(finding_of("ks"),))
    save(kept, HOUR_MS, [again])
    assert known(kept.results) == {
        (HOUR_MS, "5m"): {again},
        (HOUR_MS, "1h"): {result_of(HOUR_MS, window="1h")},
    }


def test_saving_the_same_again_changes_nothing(kept: Kept) -> None:
    made = [result_of(HOUR_MS), result_of(2 * HOUR_MS)]
    for _ in range(2):
        save(kept, 2 * HOUR_MS, made, states=[(HOUR_MS, b"a"), (2 * HOUR_MS, b"b")])
    assert known(kept.results) == {(HOUR_MS, "5m"): {made[0]}, (2 * HOUR_MS, "5m"): {made[1]}}
    assert kept.results.state_before(10**13) == b"b"


def test_the_state_before_an_end_is_that_of_the_last_end_before_it(kept: Kept) -> None:
    save(kept, 30, states=[(10, b"ten"), (20, b"twenty"), (30, b"thirty")])
    assert [kept.results.state_before(end) for end in (10, 11, 20, 21, 99)] == [
        None,
        b"ten",
        b"ten",
        b"twenty",
        b"thirty",
    ]


def test_states_after_a_restated_end_are_of_another_past(kept: Kept) -> None:
    save(kept, 30, states=[(10, b"ten"), (20, b"twenty"), (30, b"thirty")])
    save(kept, 30, states=[(20, b"again")])
    assert kept.results.state_before(99) == b"again"
    assert kept.results.state_before(20) == b"ten"


def test_of_old_states_the_last_one_is_kept_to_go_on_from(kept: Kept) -> None:
    save(
        kept,
        40,
        states=[(10, b"ten"), (20, b"twenty"), (30, b"thirty"), (40, b"forty")],
        keep_states_after_ms=30,
    )
    assert [kept.results.state_before(end) for end in (20, 30, 99)] == [None, b"twenty", b"forty"]


# Leases


def postgres(engine: Engine, held: Any) -> PostgresResults:
    return PostgresResults(engine, held)


def expire(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("UPDATE evaluation SET expires_at = now() - interval '1 second'"))


@pytest.mark.postgres
def test_a_model_has_one_lease_and_models_do_not_share_it(engine: Engine) -> None:
    with (
        lease(engine, "churn", "one") as held,
        lease(engine, "churn", "two") as other,
        lease(engine, "fraud", "two") as of_fraud,
    ):
        assert held is not None
        assert other is None
        assert of_fraud is not None
    with lease(engine, "churn", "two") as again:
        assert again is not None


@pytest.mark.postgres
def test_a_lease_is_given_back_when_its_holder_fails(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), lease(engine, "churn", "one"):
        raise ZeroDivisionError
    with lease(engine, "churn", "two") as held:
        assert held is not None


@pytest.mark.postgres
def test_who_lost_the_lease_writes_nothing_and_does_not_give_it_back_for_the_other(engine: Engine) -> None:
    with ExitStack() as two:
        with lease(engine, "churn", "one") as first:
            expire(engine)
            second = two.enter_context(lease(engine, "churn", "two"))
            assert second is not None
            made = Evaluated(HOUR_MS, [result_of(HOUR_MS)], [alert_of()], [(HOUR_MS, b"state")])
            with pytest.raises(LeaseLost):
                postgres(engine, first).save(made)
        assert (
            rows(engine, window_result)
            == rows(engine, finding)
            == rows(engine, outbox)
            == rows(engine, alert)
            == 0
        )
        postgres(engine, second).save(made)
    assert rows(engine, window_result) == 1


@pytest.mark.postgres
def test_who_is_late_but_was_not_replaced_may_write_and_has_the_lease_anew(engine: Engine) -> None:
    with lease(engine, "churn", "one") as held:
        expire(engine)
        postgres(engine, held).save(Evaluated(HOUR_MS, [result_of(HOUR_MS)]))
        with lease(engine, "churn", "two") as other:
            assert other is None


@pytest.mark.postgres
def test_the_next_holder_goes_on_from_the_position(engine: Engine) -> None:
    with lease(engine, "churn", "one") as held:
        postgres(engine, held).save(Evaluated(HOUR_MS))
    with lease(engine, "churn", "two") as held:
        assert postgres(engine, held).position_ms() == HOUR_MS


# Alerts


def rows(engine: Engine, table: Any) -> int:
    with transaction(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def alert_of(state: State = State.FIRING, **changes: Any) -> Alert:
    usual: dict[str, Any] = {
        "id": "a-1", "incident": "i-1", "model": "churn", "version": "1", "segment": "", "window": "5m",
        "column": Column(Role.FEATURE, "amount"), "rule": "drift", "cause": Cause.DATA_DRIFT, "severity": Severity.PAGE,
        "since_ms": 0, "at_ms": HOUR_MS, "summary": "it drifts",
    }  # fmt: skip
    return Alert(**usual | changes, state=state)


@pytest.mark.postgres
def test_people_hear_once_of_each_state_but_not_of_pending_ones(engine: Engine) -> None:
    states = [State.PENDING, State.FIRING, State.RESOLVED]
    with lease(engine, "churn", "one") as held:
        for _ in range(2):
            postgres(engine, held).save(Evaluated(HOUR_MS, alerts=[alert_of(state) for state in states]))
    with transaction(engine) as connection:
        assert connection.execute(select(outbox.c.state).order_by(outbox.c.id)).scalars().all() == [
            "firing",
            "resolved",
        ]
        assert connection.execute(select(alert.c.state)).scalars().all() == ["resolved"]


@pytest.mark.postgres
def test_no_words_of_an_alert_break_the_transaction(engine: Engine) -> None:
    with lease(engine, "churn", "one") as held:
        postgres(engine, held).save(
            Evaluated(HOUR_MS, alerts=[alert_of(summary="value \0 and \ud800 %s :x")])
        )
    with transaction(engine) as connection:
        assert (
            connection.execute(select(outbox.c.message)).scalar_one()["summary"] == "value \ufffd and ? %s :x"
        )


@pytest.mark.postgres
def test_windows_of_times_far_apart_are_saved_at_once(engine: Engine) -> None:
    """A first event of 1970, then today: three thousand weeks lie between."""
    now_ms = 1_795_305_600_000
    with lease(engine, "churn", "one") as held:
        postgres(engine, held).save(Evaluated(now_ms, [result_of(5 * MIN_MS), result_of(now_ms)]))
    assert rows(engine, window_result) == 2
    with transaction(engine) as connection:
        made = connection.execute(
            text("SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'")
        ).scalar_one()
    assert made < 30
