"""A back-test comes to what the evaluator came to, asks other questions of the same panes, and changes nothing."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import Engine, select, text

from service.backtest import backtest as course
from service.backtest.backtest import Backtested, Span
from service.messages import Severity
from service.monitor import WindowSpec
from service.store.engine import transaction
from service.store.marks import AlarmVerdict, add_mark
from service.store.statements import Statement
from service.store.tables import finding
from tests.backtest.past import (
    STRICT,
    backtest,
    collect,
    evaluate,
    eventful,
    everything,
    stored_alerts,
)
from tests.fakes.collecting import empty
from tests.replaying import (
    MINUTE,
    MONITOR,
    START_MS,
    Line,
    last_states,
    minute_of,
    of_kind,
    reference_of,
)

pytestmark = pytest.mark.postgres

HOURLY = WindowSpec.tumbling(60 * MINUTE)
WATCHED = replace(MONITOR, segments=("country",))


@pytest.fixture(scope="module")
def past(migrated: Engine, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An eventful past, judged when it was the present; no test here changes its panes."""
    empty(migrated)
    collect(migrated, [(WATCHED, eventful())], [reference_of(tmp_path_factory.mktemp("reference"))])
    evaluate(migrated)
    return migrated


@pytest.fixture(scope="module")
def again(past: Engine) -> tuple[list[Line], Backtested]:
    """The same monitors once more."""
    return backtest(past, WATCHED)


def at(minute: float) -> int:
    return START_MS + round(minute * MINUTE)


# ---------------------------------------------------------------- the same again
def test_unchanged_monitors_tell_the_alerts_that_the_evaluator_stored(
    past: Engine, again: tuple[list[Line], Backtested]
) -> None:
    lines, judged = again
    stored = stored_alerts(past)
    told = {i: {name: line[name] for name in stored[i]} for i, line in last_states(lines).items()}
    assert told == stored
    assert {one["cause"] for one in stored.values()} >= {"silence"}
    assert {one["severity"] for one in stored.values()} >= {"page"}
    assert judged.tally.windows == len(
        {(w["end"], w["window"], str(w["segment"])) for w in of_kind(lines, "window")}
    )


def test_unchanged_monitors_find_what_the_evaluator_stored(
    past: Engine, again: tuple[list[Line], Backtested]
) -> None:
    lines, _ = again
    told = {
        (minute_of(f["end"]), f["window"], segment_of(f), f["feature"] or "", f["method"]): (
            f["score"],
            f["limit"],
        )
        for f in of_kind(lines, "finding")
    }
    with transaction(past) as connection:
        rows = connection.execute(select(finding).where(finding.c.model == "churn")).mappings().all()
    stored = {
        ((r["end_ms"] - START_MS) / MINUTE, r["window"], r["segment"], r["feature"], r["method"]): (
            r["value"],
            r["limit"],
        )
        for r in rows
    }
    assert len(stored) > 1_000
    assert told == stored


def segment_of(line: Line) -> str:
    return "".join(f"{name}={value}" for name, value in (line["segment"] or {}).items())


def test_small_pages_of_time_change_no_line(
    past: Engine, again: tuple[list[Line], Backtested], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = again
    monkeypatch.setattr(course, "_PAGE_MS", 7 * MINUTE)
    paged, _ = backtest(past, WATCHED)
    assert len(whole) > 100
    assert msgspec.json.encode(paged) == msgspec.json.encode(whole)


def test_nothing_is_written_though_the_server_would_not_let_it(past: Engine) -> None:
    before = everything(past)
    with transaction(past) as connection:
        connection.execute(text("ALTER ROLE current_user SET default_transaction_read_only = on"))
    past.dispose()
    try:
        backtest(past, replace(WATCHED, segments=()))
        assert everything(past) == before
    finally:
        with transaction(past) as connection:
            connection.execute(text("SET TRANSACTION READ WRITE"))
            connection.execute(text("ALTER ROLE current_user RESET default_transaction_read_only"))
        past.dispose()


# ---------------------------------------------------------------- other monitors
def test_a_smaller_budget_rings_less(past: Engine, again: tuple[list[Line], Backtested]) -> None:
    _, usual = again
    _, strict = backtest(past, replace(WATCHED, budget=STRICT))
    assert 0 < len(strict.tally.fired) < len(usual.tally.fired)
    loud = {a.id for a in strict.tally.fired if a.severity is Severity.PAGE}
    assert loud <= {a.id for a in usual.tally.fired}


def test_other_windows_and_longer_panes_are_made_of_the_same_panes(past: Engine) -> None:
    lines, _ = backtest(past, replace(WATCHED, windows=(HOURLY,), pane_ms=5 * MINUTE))
    windows = [w for w in of_kind(lines, "window") if w["segment"] is None]
    assert [(w["window"], minute_of(w["start"]), w["events"]) for w in windows] == [("1h", 0, 1_200)]


def test_segments_that_nobody_asks_for_any_more_are_left_out(past: Engine) -> None:
    lines, _ = backtest(past, replace(WATCHED, segments=()))
    assert {line["segment"] is None for line in lines} == {True}


def test_a_reference_that_is_given_stands_in_for_the_stored_one(
    past: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = replace(reference_of(tmp_path_factory.mktemp("other"), seed=2), name="churn-2")
    _, judged = backtest(past, replace(WATCHED, reference="churn-2"), [other])
    assert len(judged.tally.fired) > 0
    assert "interpolating them moves a column by up to 0.0" in judged.notes[0]


# ---------------------------------------------------------------- times
def test_only_what_began_to_ring_in_the_time_asked_for_is_told(
    past: Engine, again: tuple[list[Line], Backtested]
) -> None:
    # minute   0       40       50    60    70   80
    # events   |-------|amount+3|-----|     |----|
    # asked                 (                 ]
    whole, _ = again
    lines, judged = backtest(past, WATCHED, span=Span(at(45), at(75)))
    ends = [minute_of(line.get("end") or line["at"]) for line in lines]
    assert (min(ends), max(ends)) == (50, 75)
    assert {line["cause"] for line in of_kind(lines, "alert")} == {"silence"}
    silent = {i for i, line in last_states(whole).items() if line["cause"] == "silence"}
    assert {a.id for a in judged.tally.fired} == silent


def test_what_is_usual_is_known_from_the_time_before(past: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    # minute   0      30    40
    # judged  (             ]       with a warm-up
    # told            (     ]
    def volumes() -> list[str]:
        lines, _ = backtest(past, replace(WATCHED, segments=()), span=Span(at(30), at(40)))
        return [f["verdict"] for f in of_kind(lines, "finding") if f["method"] == "volume"]

    warm = volumes()
    monkeypatch.setattr(course, "WARM_UP_MS", 0)
    cold = volumes()
    assert (set(warm), set(cold)) == ({"ok"}, {"too_little_data"})


# ---------------------------------------------------------------- what people said
def test_what_people_said_is_held_against_it(past: Engine, again: tuple[list[Line], Backtested]) -> None:
    _, before = again
    pages = {a.incident for a in before.tally.fired if a.severity is Severity.PAGE}
    assert before.hindsight.paged_then == len(pages)
    silence = next(a.incident for a in before.tally.fired if a.cause.value == "silence")
    drift = next(a.incident for a in before.tally.fired if a.feature == "amount")
    for incident, verdict in ((silence, AlarmVerdict.TRUE_ALARM), (drift, AlarmVerdict.FALSE_ALARM)):
        add_mark(past, incident, verdict, Statement("anna", "because"))
    _, usual = backtest(past, WATCHED)
    seen = usual.hindsight
    assert (seen.caught, seen.true_alarms, seen.again, seen.false_alarms, seen.outside) == (1, 1, 1, 1, 0)
    quiet = replace(WATCHED, silence_after_ms=86_400_000, reference=None)
    _, deaf = backtest(past, quiet)
    assert (deaf.hindsight.again, deaf.hindsight.false_alarms) == (0, 1)
    _, later = backtest(past, WATCHED, span=Span(at(75)))
    assert (later.hindsight.true_alarms, later.hindsight.outside) == (0, 2)
