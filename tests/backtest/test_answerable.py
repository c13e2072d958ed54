"""What stored panes cannot answer is said in a sentence each, with what to do instead; what they can is answered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, delete

from service.backtest.backtest import Span
from service.errors import ConfigurationError
from service.monitor import Monitor
from service.promises import Contract, Promise, RowRule
from service.reference.profile import ReferenceProfile
from service.store.engine import transaction
from service.store.tables import pane
from tests.backtest.past import ALL, backtest, collect
from tests.replaying import MINUTE, MONITOR, START_MS, minute_of, of_kind, reference_of, steady

pytestmark = pytest.mark.postgres

WATCHED = replace(MONITOR, segments=("country",))


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> ReferenceProfile:
    """The reference of the model churn."""
    return reference_of(tmp_path_factory.mktemp("reference"))


@pytest.fixture
def past(engine: Engine, profile: ReferenceProfile) -> Engine:
    """Twenty quiet minutes."""
    collect(engine, [(WATCHED, steady(range(20)))], [profile])
    return engine


def at(minute: float) -> int:
    return START_MS + round(minute * MINUTE)


def refused(engine: Engine, monitor: Monitor, span: Span = ALL) -> str:
    """All that is said instead of an answer."""
    with pytest.raises(ConfigurationError) as why:
        backtest(engine, monitor, span=span)
    return str(why.value)


def test_an_empty_database_says_what_to_do(engine: Engine) -> None:
    assert refused(engine, replace(MONITOR, reference=None)) == (
        "no panes of churn are stored; let `driftbell collect` count its events first, or replay a log instead, "
        "with --events"
    )


def test_a_time_before_all_panes_is_said(past: Engine) -> None:
    assert refused(past, WATCHED, Span(to_ms=START_MS)) == (
        "no panes of churn are stored up to 2024-10-04T00:00:00Z; say a later --to, or replay a log instead, "
        "with --events"
    )


def test_all_that_the_panes_cannot_answer_is_said_at_once(past: Engine) -> None:
    asked = replace(WATCHED, pane_ms=30_000, segments=("country", "plan"))
    assert refused(past, asked).splitlines() == [
        "churn: panes of 30s cannot be made of stored ones of 1m; replay a log instead, with --events",
        "churn: the stored panes do not count the segment 'plan'; replay a log instead, with --events",
    ]


def test_a_reference_that_nobody_has_is_said(past: Engine) -> None:
    assert "'churn-9' is neither a file" in refused(past, replace(WATCHED, reference="churn-9"))


def test_panes_from_before_there_was_a_reference_are_too_coarse_for_it(
    engine: Engine, profile: ReferenceProfile
) -> None:
    collect(engine, [(replace(MONITOR, reference=None), steady(range(30)))], [profile])
    assert refused(engine, MONITOR) == (
        "churn: the stored panes count 'amount', 'score' too coarsely for this reference; "
        "replay a log instead, with --events"
    )


# ---------------------------------------------------------------- panes that were counted in several ways
def test_from_where_on_panes_will_do_is_said_and_done(engine: Engine, profile: ReferenceProfile) -> None:
    # minute  0      21      40
    # panes   |--1m--|--30s--|
    short = replace(WATCHED, pane_ms=30_000)
    collect(engine, [(WATCHED, steady(range(20))), (short, steady(range(22, 40)))], [profile])
    until = "2024-10-04T00:20:00Z"
    assert refused(engine, short) == (
        f"churn: panes of 30s cannot be made of stored ones of 1m; panes from {until} on will do: say --from {until}"
    )
    assert refused(engine, short, Span(at(19))) == refused(engine, short)
    lines, judged = backtest(engine, short, span=Span(at(20)))
    assert min(minute_of(w["start"]) for w in of_kind(lines, "window")) == 20
    assert judged.tally.windows > 0
    _, both = backtest(engine, WATCHED)
    assert both.tally.start_ms == START_MS


def test_a_segment_that_is_counted_only_since_is_said(engine: Engine, profile: ReferenceProfile) -> None:
    collect(engine, [(MONITOR, steady(range(20))), (WATCHED, steady(range(22, 40)))], [profile])
    _, judged = backtest(engine, WATCHED)
    assert judged.notes == ("churn: the segment 'country' is counted only from 2024-10-04T00:22:00Z on",)


RULE = RowRule("cheap", "amount < 50")
BOUND = Contract({"amount": Promise(low=-20.0, high=33.3)})


@pytest.mark.parametrize(
    ("contract", "why"),
    [
        (Contract(rules=(RULE,)), "the stored panes do not count the rule 'cheap' as it is written"),
        (BOUND, "what the contract promises of 'amount' lies between the stored bins"),
    ],
)
def test_a_contract_that_the_panes_were_not_counted_for_is_not_judged(
    past: Engine, contract: Contract, why: str
) -> None:
    assert refused(past, replace(WATCHED, contract=contract)).startswith(f"churn: {why}; replay a log")


def test_a_contract_that_they_were_counted_for_is(engine: Engine, profile: ReferenceProfile) -> None:
    kept = replace(WATCHED, contract=replace(BOUND, rules=(RULE,)))
    collect(engine, [(kept, steady(range(20)))], [profile])
    lines, _ = backtest(engine, kept)
    assert "contract_rule" in {f["method"] for f in of_kind(lines, "finding")}
    written = replace(kept, contract=Contract(rules=(replace(RULE, check="amount < 5"),)))
    assert "'cheap' as it is written" in refused(engine, written)


def test_what_lets_other_events_in_is_said(past: Engine) -> None:
    _, judged = backtest(past, replace(WATCHED, allowed_lateness_ms=0, nonfinite="missing"))
    assert judged.notes == (
        "churn: the panes hold the events that another 'allowed_lateness', 'nonfinite' let in",
    )


def test_what_retention_has_left_is_judged(past: Engine) -> None:
    with transaction(past) as connection:
        connection.execute(delete(pane).where(pane.c.start_ms < at(8)))
    lines, judged = backtest(past, WATCHED)
    assert (judged.tally.start_ms, judged.panes) == (at(5), 12)
    assert [(minute_of(w["start"]), w["events"]) for w in of_kind(lines, "window") if w["segment"] is None] == [
        (5, 40), (10, 100),
    ]  # fmt: skip
