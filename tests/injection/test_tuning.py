"""Settings tried on history: which is proposed, and with how few replays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from service.errors import ConfigurationError
from service.injection.gameday import GameDay
from service.injection.tuning import (
    PER_MS,
    Setting,
    Trial,
    Tuning,
    goal_in,
    proposed,
    settings_for,
)
from service.injection.verdict import Clean
from service.messages import Alert, Cause, Column, Role, Severity, State
from service.monitor import DAY_MS, Budget, FeatureOverride, Monitor, WindowSpec
from service.scoring.usual import TOLERANCE
from tests.injection.logs import log_of, rows, surveyed

MONITOR = Monitor("churn", windows=(WindowSpec.tumbling(600_000),))
EVENTS = rows(400)
GOALS = {"missing": 0.02, "shift": 0.25, "unit": 0.2}


class FakeMonitor:
    """Rings for what is missing when more than `1.25 / false_pages` percent is, and for nothing else.

    On a clean log it pages once for each false page in ten.
    """

    def __init__(self) -> None:
        self.replays = 0

    def __call__(self, monitor: Monitor, path: Path) -> Sequence[Alert]:
        self.replays += 1
        events = [json.loads(line) for line in path.read_text().splitlines()]
        gone = sum(e["features"]["amount"] is None for e in events[200:]) / 200
        false = [page(f"false-{n}", "country", 5) for n in range(int(monitor.budget.false_pages / 10))]
        return [
            *false,
            *([page("right", "amount", 250)] if gone > 0.0125 / monitor.budget.false_pages else []),
        ]


def page(name: str, feature: str, minute: int) -> Alert:
    """A page of this minute."""
    at_ms = EVENTS[minute]["ts"]
    return Alert(
        name, name, "churn", "1", "", "10m", Column(Role.FEATURE, feature), name, Cause.MISSING, Severity.PAGE,
        State.FIRING, at_ms, at_ms, name,
    )  # fmt: skip


def tried(folder: Path, goals: Mapping[str, float], *settings: Setting) -> tuple[list[Trial], FakeMonitor]:
    """The trials of these settings."""
    rings = FakeMonitor()
    day = GameDay(surveyed(EVENTS), log_of(EVENTS), MONITOR, lambda _: [], folder)
    tuning = Tuning(day, "amount", settings, goals, rings)
    trials = tuning.run()
    assert rings.replays <= tuning.most_replays
    return trials, rings


def test_the_weakest_strength_that_each_setting_finds_is_known(tmp_path: Path) -> None:
    trials, _ = tried(tmp_path, GOALS, Setting(0.2), Setting(1.0), Setting(10.0))
    assert [t.smallest["missing"][0] for t in trials] == [0.1, 0.02, 0.005]
    assert all(t.smallest["missing"][1] == pytest.approx(5.0) for t in trials)
    assert all("shift" not in t.smallest for t in trials)
    assert [t.count(Severity.PAGE) for t in trials] == [0, 0, 1]


def test_a_ladder_is_searched_by_halves(tmp_path: Path) -> None:
    _, rings = tried(tmp_path, GOALS, Setting(1.0))
    assert rings.replays == 1 + 3 * 2


def test_what_is_asked_for_is_on_the_ladder(tmp_path: Path) -> None:
    trials, _ = tried(tmp_path, {"missing": 0.05}, Setting(0.35))
    assert trials[0].smallest["missing"][0] == 0.05
    assert trials[0].finds({"missing": 0.05})
    assert not trials[0].finds({"missing": 0.04})


def test_the_quietest_setting_that_finds_all_is_proposed_and_of_equal_ones_the_one_that_promises_least(
    tmp_path: Path,
) -> None:
    goals = {"missing": 0.02}
    trials, _ = tried(tmp_path, goals, Setting(0.2), Setting(1.0), Setting(3.0), Setting(10.0))
    assert proposed(trials, goals).setting == Setting(1.0)
    assert proposed(trials, {"missing": 0.005}).setting == Setting(3.0)
    assert proposed(trials, {"missing": 0.1}).setting == Setting(0.2)


def test_what_history_rings_counts_before_what_is_promised() -> None:
    loud, strict = page("false", "country", 5), {"missing": (0.005, 1.0)}
    low = Trial(Setting(0.3), Setting(0.3).applied(MONITOR, []), Clean((loud,)), strict)
    high = Trial(Setting(3.0), Setting(3.0).applied(MONITOR, []), Clean(()), strict)
    ticket = Trial(low.setting, low.monitor, Clean((replace(loud, severity=Severity.TICKET),)), strict)
    assert proposed([low, high], {"missing": 0.02}) is high
    assert proposed([low, ticket], {"missing": 0.02}) is ticket
    assert proposed([ticket, high], {"missing": 0.02}) is high


def test_when_none_finds_all_the_one_that_finds_most_is_proposed(tmp_path: Path) -> None:
    trials, _ = tried(tmp_path, GOALS, Setting(0.2), Setting(10.0))
    best = proposed(trials, GOALS)
    assert best.setting == Setting(10.0)
    assert not best.finds(GOALS)


def test_a_setting_changes_the_budget_and_every_tolerance() -> None:
    monitor = Monitor(
        "churn", budget=Budget(5.0, DAY_MS), features={"a": FeatureOverride(tolerance=0.1, severity="page")}
    )
    made = Setting(0.3, 2.0).applied(monitor, ["a", "b"])
    assert made.budget == Budget(0.3, PER_MS)
    assert made.features == {
        "a": FeatureOverride(tolerance=0.2, severity="page"),
        "b": FeatureOverride(tolerance=2 * TOLERANCE),
    }
    assert Setting().applied(monitor, ["a", "b"]) == monitor
    assert Setting(0.3).applied(monitor, ["a", "b"]).features == monitor.features


def test_the_monitor_as_it_is_is_tried_too() -> None:
    assert len(settings_for(Monitor("churn"), quick=False)) == 15
    own = settings_for(Monitor("churn", budget=Budget(5.0, DAY_MS)), quick=True)
    assert own == [Setting(), Setting(0.3), Setting(1.0), Setting(3.0)]


def test_a_goal_is_written_as_people_do() -> None:
    assert [goal_in(t) for t in ("missing:1%", "shift:0.25", "unit:0.2")] == [
        ("missing", 0.01),
        ("shift", 0.25),
        ("unit", 0.2),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "mising:1%",
            r"^--find 'mising:1%': there is no such fault; did you mean 'missing'\?, as in missing:1%$",
        ),
        ("missing", "^--find 'missing' has no strength; write such as missing:1%"),
        ("missing:200%", "^--find 'missing:200%' has no strength"),
        ("shift:much", "^--find 'shift:much' has no strength"),
    ],
)
def test_a_goal_that_is_none_is_said(text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        goal_in(text)
