"""How the false-alarm budget is shared."""

from __future__ import annotations

import pytest

from service.monitor import Budget, Monitor, WindowSpec
from service.scoring.budget import alpha_for

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
HOURLY = WindowSpec.tumbling(HOUR)


def test_the_budget_is_divided_by_windows_tests_and_slices() -> None:
    monitor = Monitor("m", windows=(HOURLY,), budget=Budget(1.0, 30 * DAY))
    assert alpha_for(monitor, HOURLY, 1) == pytest.approx(1 / 720)
    assert alpha_for(monitor, HOURLY, 100 * 3) == pytest.approx(1 / 720 / 300)


def test_each_kind_of_window_has_its_share_however_often_it_is_scored() -> None:
    often = WindowSpec(HOUR, 5 * MINUTE)
    monitor = Monitor("m", windows=(HOURLY, often), budget=Budget(2.0, 30 * DAY))
    assert alpha_for(monitor, HOURLY, 1) == pytest.approx(2 / 2 / 720)
    assert alpha_for(monitor, often, 1) == pytest.approx(2 / 2 / (720 * 12))


def test_all_tests_of_all_windows_together_spend_the_budget_and_no_more() -> None:
    kinds = (HOURLY, WindowSpec.tumbling(5 * MINUTE), WindowSpec(HOUR, MINUTE))
    monitor = Monitor("m", windows=kinds, budget=Budget(1.0, 30 * DAY))
    spent = sum(alpha_for(monitor, kind, 77) * 77 * (30 * DAY / kind.every_ms) for kind in kinds)
    assert spent == pytest.approx(1.0)


def test_a_test_never_has_a_probability_of_nothing_nor_of_more_than_a_twentieth() -> None:
    strict = Monitor("m", windows=(HOURLY,), budget=Budget(1e-9, 365 * DAY))
    lavish = Monitor("m", windows=(HOURLY,), budget=Budget(1e6, DAY))
    assert alpha_for(strict, HOURLY, 10**9) > 0
    assert alpha_for(lavish, HOURLY, 0) == 0.05
