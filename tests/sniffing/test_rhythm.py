"""Panes and windows that have enough events, at any rate."""

from __future__ import annotations

import pytest

from service.monitor import Monitor
from service.monitor_file import dump_monitors, parse_monitors
from service.sniffing.rhythm import FEWEST_IN_WINDOW, rhythm_of


@pytest.mark.parametrize(
    ("per_second", "pane", "windows"),
    [(None, 60_000, "5m 1h"), (1_000.0, 60_000, "5m 1h"), (2.0, 60_000, "5m 1h"), (0.5, 300_000, "30m 6h"),
     (0.2, 900_000, "1h 1d"), (0.05, 3_600_000, "6h 1d"), (0.01, 21_600_000, "1d 7d"), (1e-9, 21_600_000, "1d 7d")],
)  # fmt: skip
def test_the_shortest_window_with_enough_events_is_taken(
    per_second: float | None, pane: int, windows: str
) -> None:
    made = rhythm_of(per_second)
    assert (made.pane_ms, " ".join(one.name for one in made.windows)) == (pane, windows)
    assert made.events_per_second == per_second


@pytest.mark.parametrize("per_second", [None, 1e6, 1.0, 0.1, 1e-3])
def test_what_is_suggested_can_be_written_as_a_monitor(per_second: float | None) -> None:
    made = rhythm_of(per_second)
    monitor = Monitor("m", pane_ms=made.pane_ms, windows=made.windows)
    assert parse_monitors(dump_monitors([monitor]), "m") == (monitor,)


def test_too_slow_a_model_is_told_so() -> None:
    assert f"fewer than the {FEWEST_IN_WINDOW}" in rhythm_of(1e-4).why
    assert "fewer" not in rhythm_of(10.0).why
