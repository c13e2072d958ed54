"""The small picture of a model's last windows."""

from __future__ import annotations

import pytest

from service.web.pages.spark import HEIGHT, STEP, spark_view


def test_each_window_has_its_place_and_silence_is_dashed() -> None:
    #        . 50 . 150
    view = spark_view([None, 50, None, 150], "5m")
    assert view.width == 4 * STEP
    assert view.within == f"M{STEP} {HEIGHT}v-7h3v7z"
    assert view.over == f"M{3 * STEP} {HEIGHT}v-18.5h3v18.5z"
    assert view.missing.count("M") == 2
    assert view.marks.startswith(f"M{3 * STEP - 0.5} 0")


@pytest.mark.parametrize(
    ("percents", "said"),
    [
        ([None, None], "nothing scored in the last 2 windows of 5m"),
        ([10, 100], "within the limit in 2 windows of 5m, worst 100 %"),
        ([10, None, 101], "over the limit in 1 of 2 windows of 5m, worst 101 %"),
        ([150, 1_250], "over the limit in 2 of 2 windows of 5m, worst 12 times"),
        ([100_000], "over the limit in 1 of 1 window of 5m, worst over 1,000 times"),
    ],
)
def test_it_is_told_in_words(percents: list[int | None], said: str) -> None:
    assert spark_view(percents, "5m").said == said


def test_nothing_is_higher_than_the_picture_and_what_is_over_the_limit_is_higher_than_what_is_not() -> None:
    heights = []
    for percent in (0, 50, 100, 101, 200, 100_000):
        view = spark_view([percent], "5m")
        column = view.over if percent > 100 else view.within
        heights.append(float(column.partition("v-")[2].partition("h")[0]))
    assert heights == sorted(heights)
    assert 0 < heights[0] < heights[-1] < HEIGHT
    assert heights[3] > heights[2]
