"""Which data a model is advised to be trained on: since its concept drifted, labelled, complete, and else quiet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.labelling.retraining import (
    Confirmed,
    Evidence,
    Labelled,
    Ringing,
    Span,
    advise,
    good_spans,
    kind_to_train_on,
)
from service.monitor import HOUR_MS, MINUTE_MS, WindowSpec

T = 1_795_305_600_000  # 2026-11-22T00:00:00Z
WHY = Confirmed("a-1", "i-1", "churn", "7", "concept_drift", T, "wrong in 31 % of rows, usually in 9 %.")
HOURLY = WindowSpec.tumbling(HOUR_MS)


def hour(number: int, labels: int = 100, *, incomplete: bool = False) -> Labelled:
    return Labelled(T + number * HOUR_MS, T + (number + 1) * HOUR_MS, labels, incomplete)


def evidence(*windows: Labelled, others: tuple[Ringing, ...] = (), ripe: int = 24) -> Evidence:
    return Evidence(windows, others, T + ripe * HOUR_MS, HOUR_MS)


def spans(found: Evidence) -> list[tuple[float, float, int]]:
    """In hours after the drift began."""
    return [
        ((one.from_ms - T) / HOUR_MS, (one.until_ms - T) / HOUR_MS, one.labels)
        for one in good_spans(T, found)
    ]


def test_neighbouring_windows_are_one_span() -> None:
    assert spans(evidence(hour(1), hour(0), hour(2, 50), hour(4))) == [(0, 3, 250), (4, 5, 100)]


def test_windows_from_before_the_drift_are_not_good_nor_those_it_began_in() -> None:
    half = replace(hour(-1), start_ms=T - HOUR_MS // 2, end_ms=T + HOUR_MS // 2)
    assert spans(evidence(hour(-1), half, hour(1))) == [(1, 2, 100)]


def test_windows_that_are_not_ripe_have_no_labels_or_lost_records_are_not_good() -> None:
    windows = [hour(0), hour(1, 0), hour(2), hour(3, incomplete=True), hour(4), hour(5)]
    assert spans(evidence(*windows, ripe=5)) == [(0, 1, 100), (2, 3, 100), (4, 5, 100)]
    assert good_spans(T, Evidence(windows, (), None, None)) == ()


@pytest.mark.parametrize(
    ("other", "good"),
    [
        (Ringing(T + HOUR_MS, T + 2 * HOUR_MS), [(0, 1, 100), (2, 4, 200)]),
        (Ringing(T + 90 * MINUTE_MS, T + 91 * MINUTE_MS), [(0, 1, 100), (2, 4, 200)]),
        (Ringing(T + 2 * HOUR_MS, None), [(0, 2, 200)]),
        (Ringing(T - HOUR_MS, T), [(0, 4, 400)]),
        (Ringing(T - HOUR_MS, None), []),
    ],
)
def test_windows_in_which_another_alert_rang_are_not_good(
    other: Ringing, good: list[tuple[float, float, int]]
) -> None:
    assert spans(evidence(*map(hour, range(4)), others=(other,))) == good


def test_windows_that_slide_count_no_row_twice() -> None:
    # hours    0    1    2    3
    # windows  [---------)
    #               [---------)       overlaps the one before
    #                    [---------)
    sliding = [replace(hour(i), end_ms=T + (i + 2) * HOUR_MS) for i in range(3)]
    assert spans(evidence(*sliding)) == [(0, 4, 200)]


def test_the_advice_says_why_and_what_to_train_on() -> None:
    made = advise(WHY, HOURLY, evidence(hour(0), hour(1)), T + 30 * HOUR_MS)
    assert (made.spans, made.labels, made.ready_ms) == ((Span(T, T + 2 * HOUR_MS, 200),), 200, None)
    assert made.summary == (
        "churn 7 should be trained again: wrong in 31 % of rows, usually in 9 %; good to train on are 200 labelled "
        "predictions from 2026-11-22T00:00:00Z to 2026-11-22T02:00:00Z"
    )


def test_without_data_it_says_when_there_will_be_some() -> None:
    later = replace(WHY, since_ms=T + 10 * MINUTE_MS)
    made = advise(later, HOURLY, evidence(), T + 20 * MINUTE_MS)
    assert (made.spans, made.ready_ms) == ((), T + 3 * HOUR_MS), (
        "a whole hour, and an hour until its labels are there"
    )
    assert (
        "the first data since 2026-11-22T00:10:00Z will be labelled by 2026-11-22T03:00:00Z" in made.summary
    )
    over = evidence(others=(Ringing(T, T + 4 * HOUR_MS),))
    assert advise(later, HOURLY, over, T).ready_ms == T + 6 * HOUR_MS


@pytest.mark.parametrize(
    ("found", "at_hour"),
    [
        (evidence(others=(Ringing(T, None),)), 0),
        (evidence(), 50),
        (Evidence((), (), None, None), 0),
    ],
    ids=["another alert rings", "no labels came in time", "no label ever came"],
)
def test_where_nobody_can_say_when_it_says_what_is_missing(found: Evidence, at_hour: int) -> None:
    made = advise(WHY, HOURLY, found, T + at_hour * HOUR_MS)
    assert (made.spans, made.ready_ms) == ((), None)
    assert made.summary.endswith(
        "no data since 2026-11-22T00:00:00Z are labelled, complete and without another alert yet"
    )


def test_spans_are_made_of_the_shortest_windows() -> None:
    assert kind_to_train_on([HOURLY, WindowSpec.tumbling(5 * MINUTE_MS)]).name == "5m"
    assert kind_to_train_on([WindowSpec(HOUR_MS, 5 * MINUTE_MS), HOURLY]).name == "1h/5m"
