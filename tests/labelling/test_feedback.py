"""Which predictions a person is asked to label: within the budget, of each kind, the same again for the same rows."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from service.labelling.feedback import (
    FeedbackKind,
    allowances,
    choose,
    day_of,
    pace,
    possible_kinds,
    threshold_of,
)
from service.messages import Candidate
from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, FeedbackPolicy, Task, WindowSpec

UNCERTAIN, SURPRISING, RANDOM = FeedbackKind.UNCERTAIN, FeedbackKind.SURPRISING, FeedbackKind.RANDOM
DAY = 20_000 * DAY_MS
ALL = frozenset(FeedbackKind)


def row(number: int, score: float | None = None, priority: int | None = None, **changes: Any) -> Candidate:
    answer: dict[str, float | str] = {"label": "yes" if (score or 0) > 0.5 else "no"}
    answer |= {} if score is None else {"score": score}
    usual = Candidate(
        "churn", "7", DAY, DAY + number, number, number if priority is None else priority, f"p-{number}", {}, answer
    )  # fmt: skip
    return replace(usual, **changes)


def names(chosen: list[Any], kind: FeedbackKind) -> list[str]:
    return [one.candidate.inference_id for one in chosen if one.kind is kind]


# ---------------------------------------------------------------- when
@pytest.mark.parametrize(
    ("windows", "name"),
    [
        ([WindowSpec.tumbling(5 * MINUTE_MS), WindowSpec.tumbling(HOUR_MS)], "1h"),
        ([WindowSpec.tumbling(HOUR_MS), WindowSpec(DAY_MS, HOUR_MS)], "1d/1h"),
        ([WindowSpec.tumbling(7 * DAY_MS), WindowSpec.tumbling(HOUR_MS)], "1h"),
        ([WindowSpec.tumbling(one) for one in (5 * MINUTE_MS, HOUR_MS, DAY_MS)], "1h"),
        ([WindowSpec.tumbling(DAY_MS), WindowSpec.tumbling(6 * HOUR_MS)], "6h"),
        ([WindowSpec.tumbling(7 * DAY_MS), WindowSpec.tumbling(14 * DAY_MS)], "7d"),
    ],
)
def test_rows_are_chosen_of_the_longest_windows_that_end_hourly(windows: list[WindowSpec], name: str) -> None:
    assert pace(windows).name == name


def test_midnight_is_the_end_of_a_day() -> None:
    assert (day_of(DAY), day_of(DAY + 1)) == (DAY - DAY_MS, DAY)


# ---------------------------------------------------------------- how many
def spend(
    policy: FeedbackPolicy, every_ms: int, kinds: frozenset[FeedbackKind] = ALL
) -> list[dict[FeedbackKind, int]]:
    """What the windows of a day may choose, each of which takes all that it may."""
    spent: dict[FeedbackKind, int] = {}
    windows = []
    for end in range(DAY + every_ms, DAY + DAY_MS + 1, every_ms):
        allowed = allowances(policy, kinds, end, spent)
        spent = {kind: spent.get(kind, 0) + n for kind, n in allowed.items()}
        windows.append(allowed)
    return [*windows, spent]


@pytest.mark.parametrize("every_ms", [5 * MINUTE_MS, HOUR_MS, DAY_MS, 7 * MINUTE_MS])
@pytest.mark.parametrize("per_day", [1, 7, 100, 9_999])
def test_a_day_spends_its_budget_and_no_more_whatever_its_windows(per_day: int, every_ms: int) -> None:
    *_, spent = spend(FeedbackPolicy(per_day), every_ms)
    assert sum(spent.values()) <= per_day
    if DAY_MS % every_ms == 0:
        assert spent == {
            UNCERTAIN: per_day * 5 // 10, SURPRISING: per_day * 3 // 10, RANDOM: per_day * 2 // 10
        }  # fmt: skip


def test_the_budget_is_spread_over_the_day_and_what_is_left_over_is_there_later() -> None:
    windows = spend(FeedbackPolicy(240), HOUR_MS)[:-1]
    assert windows == [{UNCERTAIN: 5, SURPRISING: 3, RANDOM: 2}] * 24
    noon = DAY + DAY_MS // 2
    assert allowances(FeedbackPolicy(240), ALL, noon, {}) == {UNCERTAIN: 60, SURPRISING: 36, RANDOM: 24}
    assert allowances(FeedbackPolicy(240), ALL, noon, {RANDOM: 30})[RANDOM] == 0


def test_a_budget_that_was_lowered_in_the_middle_of_a_day_is_kept() -> None:
    allowed = allowances(FeedbackPolicy(10, 0.0, 0.0, 1.0), ALL, DAY + DAY_MS, {UNCERTAIN: 8})
    assert allowed == {UNCERTAIN: 0, SURPRISING: 0, RANDOM: 2}


def test_a_kind_that_cannot_be_told_leaves_its_share_to_the_others() -> None:
    kinds = possible_kinds(Task.REGRESSION, None)
    assert kinds == {RANDOM}
    assert spend(FeedbackPolicy(100), HOUR_MS, kinds)[-1] == {RANDOM: 100}
    assert allowances(FeedbackPolicy(100, 1.0, 0.0, 0.0), kinds, DAY + DAY_MS, {}) == {RANDOM: 0}


# ---------------------------------------------------------------- which
def test_the_most_uncertain_of_two_classes_are_those_nearest_to_where_they_part() -> None:
    rows = [row(i, score) for i, score in enumerate([0.02, 0.45, 0.51, 0.58, 0.97])]
    chosen = choose(rows, {UNCERTAIN: 2}, Task.BINARY, None)
    assert [(one.candidate.offset, round(one.value or 0, 3)) for one in chosen] == [(1, 0.942), (2, 0.942)]
    assert chosen[1].why == "its score is 0.51, where 0.48 decides"


def test_where_two_classes_part_is_learned_from_the_answers() -> None:
    def told(*pairs: tuple[str, float]) -> float:
        rows = [row(i, answer={"label": label, "score": score}) for i, (label, score) in enumerate(pairs)]
        return threshold_of(rows, Task.BINARY)

    assert told(("no", 0.1), ("no", 0.28), ("yes", 0.32), ("yes", 0.9)) == pytest.approx(0.3)
    assert told(("no", 0.9), ("yes", 0.1)) == pytest.approx(0.5)
    assert told(("no", 0.6), ("yes", 0.4), ("no", 0.2), ("yes", 0.7)) == 0.5
    assert told(("no", 0.1), ("maybe", 0.3), ("yes", 0.9)) == 0.5
    assert told(("no", 0.1), ("no", 0.2)) == 0.5
    assert told() == 0.5


def test_a_bare_probability_is_a_score_and_what_is_no_probability_is_none() -> None:
    rows = [row(1, answer={"value": 0.4}), row(2, answer={"label": "yes"}), row(3, answer={"score": 17.0})]
    assert names(choose(rows, {UNCERTAIN: 9}, Task.BINARY, None), UNCERTAIN) == ["p-1"]


def test_of_many_classes_the_lowest_scores_are_the_most_uncertain() -> None:
    rows = [row(i, score) for i, score in enumerate([0.9, 0.35, 0.6])]
    chosen = choose(rows, {UNCERTAIN: 2}, Task.MULTICLASS, None)
    assert [(one.candidate.offset, one.value) for one in chosen] == [(1, 0.65), (2, 0.4)]


def test_the_control_is_what_has_the_smallest_hashes_of_all() -> None:
    rows = [row(i, priority=(i * 7919) % 10_007) for i in range(500)]
    chosen = choose(rows, {RANDOM: 5}, Task.BINARY, None)
    assert [one.candidate.priority for one in chosen] == sorted(one.priority for one in rows)[:5]
    assert {one.value for one in chosen} == {None}


def test_no_prediction_is_chosen_twice_and_the_order_of_rows_changes_nothing() -> None:
    chance = random.Random(1)
    rows = [row(i, chance.random(), priority=chance.randrange(2**64)) for i in range(300)]
    rows += [replace(one, start_ms=DAY + 1, offset=one.offset + 1_000) for one in rows[:50]]
    allowed = {UNCERTAIN: 40, SURPRISING: 40, RANDOM: 40}
    chosen = choose(rows, allowed, Task.BINARY, None)
    ids = [one.candidate.inference_id for one in chosen]
    assert len(ids) == len(set(ids)) == 80, "surprising needs a reference"
    for _ in range(5):
        chance.shuffle(rows)
        again = choose(rows, allowed, Task.BINARY, None)
        assert [(one.kind, one.candidate.inference_id, one.value) for one in again] == [
            (one.kind, one.candidate.inference_id, one.value) for one in chosen
        ]


def test_no_rows_are_no_choice() -> None:
    assert choose([], dict.fromkeys(ALL, 5), Task.BINARY, None) == []
