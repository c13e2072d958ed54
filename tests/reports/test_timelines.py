"""Scores and volume over time stand where their windows end, gaps included."""

from __future__ import annotations

from service.reports.timelines import MOST_PLACES, MOST_STRIPS, volume, worst_over_time
from service.store.report_scores import Standing
from tests.reports.made import LENGTH_MS, T, stretch, window


def standing(feature: str, number: int, ratio: float) -> Standing:
    return Standing("feature", feature, T + number * LENGTH_MS, ratio)


def test_a_window_without_a_score_leaves_its_place_empty() -> None:
    #  -5m    0    5m   10m   15m
    #   |0.5  |     | 4.0 |     |       amount; 5m and 15m are missing
    told = worst_over_time([standing("amount", 0, 0.5), standing("amount", 2, 4.0)], stretch())
    assert told is not None
    assert told.timeline is not None
    (strip,) = told.timeline.strips
    assert strip.values == (0.5, None, 4.0, None)
    assert (told.timeline.start_ms, told.timeline.end_ms) == (T - LENGTH_MS, T + 3 * LENGTH_MS)
    assert strip.said == "over its limit in 1 of 2 windows; worst 4.00 of its limit, until 2026-11-22 00:10"


def test_columns_are_ranked_by_how_they_stood_in_the_stretch_itself() -> None:
    before = [standing("noisy before", -1, 9.0), standing("noisy before", 1, 0.1)]
    told = worst_over_time([*before, standing("bad", 1, 3.0), standing("calm", 1, 0.2)], stretch())
    assert told is not None
    assert told.timeline is not None
    assert [strip.name for strip in told.timeline.strips] == ["bad", "calm", "noisy before"]
    assert worst_over_time([], stretch()) is None


def test_many_columns_and_windows_are_narrowed_to_their_worst() -> None:
    many = [standing(f"f{n}", end, n / 100) for n in range(MOST_STRIPS + 5) for end in range(1, 289)]
    spike = standing("spike", 100, 7.0)
    told = worst_over_time([*many, spike], stretch(end_ms=T + 288 * LENGTH_MS))
    assert told is not None
    assert told.timeline is not None
    assert len(told.timeline.strips) == MOST_STRIPS
    assert told.timeline.strips[0].name == "spike"
    assert max(value or 0.0 for value in told.timeline.strips[0].values) == 7.0
    assert all(len(strip.values) <= MOST_PLACES for strip in told.timeline.strips)


def test_volume_adds_up_versions_and_says_when_nothing_is_stored() -> None:
    told = volume([window(1), window(1, version="8", inferences=300), window(2)], stretch())
    assert told.timeline is not None
    assert told.timeline.strips[0].values == (1.0, 0.25, None)
    assert told.timeline.strips[0].said == "100 to 400 a window"
    assert volume([window(0)], stretch()).lines == ("No window of that time is stored.",)
