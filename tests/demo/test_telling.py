"""However many alerts ring for one thing, the terminal says it once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from service.demo.faults import SILENT_MARKET
from service.demo.script import SCRIPT
from service.demo.telling import Telling
from service.messages import State

TEMP, SILENT = SCRIPT.steps[1], SCRIPT.steps[4]


@dataclass(frozen=True)
class Row:
    """What the telling reads of a stored alert."""

    id: str
    feature: str = "temp"
    state: str = "firing"
    segment: str = ""
    severity: str = "page"
    model: str = "bike-rentals"
    window: str = "5s"
    rule: str = "drift"

    @property
    def summary(self):
        return f"{self.feature} of {self.model} {self.segment} is odd"


@pytest.fixture
def telling():
    return Telling()


def texts(lines):
    return [line.text for line in lines]


def test_a_firing_alert_is_said_once(telling):
    rows = [Row("a")]
    assert texts(telling.take(rows, 1_000)) == ["temp of bike-rentals  is odd"]
    assert telling.take(rows, 2_000) == []


def test_a_pending_alert_is_not_said(telling):
    assert telling.take([Row("a", state="pending")], 1_000) == []


def test_segments_and_windows_of_one_column_are_one_sentence_of_the_whole(telling):
    rows = [Row("a", segment="channel=app"), Row("b"), Row("c", window="30s")]
    assert len(telling.take(rows, 1_000)) == 1
    assert telling.firing == 3


def test_a_page_is_said_rather_than_a_ticket(telling):
    (line,) = telling.take([Row("a", severity="ticket"), Row("b", severity="page")], 1_000)
    assert line.severity == "page"


def test_more_than_three_columns_at_once_are_named_in_one_line(telling):
    rows = [Row(name, feature=name) for name in ("a", "b", "c", "d", "e")]
    assert texts(telling.take(rows, 1_000))[3:] == ["bike-rentals: with it d and e"]


def test_it_is_well_again_when_the_last_alert_has_resolved(telling):
    telling.take([Row("a"), Row("b")], 1_000)
    assert telling.take([Row("a", state="resolved"), Row("b")], 2_000) == []
    (line,) = telling.take([Row("a", state="resolved"), Row("b", state="resolved")], 31_000)
    assert line.state is State.RESOLVED
    assert "temp is as usual again, after 30 s (2 alerts" in line.text


@pytest.mark.parametrize(
    ("rule", "segment", "words"),
    [
        ("silence", "channel=web", "traffic of channel=web"),
        ("performance", "channel=web", "performance of channel=web"),
        ("version", "", "performance"),
        ("contract", "", "data contract"),
        ("schema", "", "set of fields"),
        ("relation", "channel=app", "relation of features of channel=app"),
    ],
)
def test_what_is_well_again_without_a_column_is_what_its_rule_looks_at(telling, rule, segment, words):
    telling.take([Row("a", feature="", rule=rule, segment=segment)], 1_000)
    (line,) = telling.take([Row("a", feature="", rule=rule, segment=segment, state="resolved")], 31_000)
    assert line.text == f"bike-rentals: {words} is as usual again, after 30 s (1 alert)"


def test_traffic_that_is_back_says_nothing_of_performance(telling):
    def both(traffic):
        silent = Row("a", feature="", rule="silence", segment="channel=web", state=traffic)
        return [silent, Row("b", feature="", rule="performance", segment="channel=web")]

    assert len(telling.take(both("firing"), 1_000)) == 2
    assert texts(telling.take(both("resolved"), 2_000)) == [
        "bike-rentals: traffic of channel=web is as usual again, after 1 s (1 alert)"
    ]


def test_alerts_of_an_earlier_demo_in_the_same_folder_are_not_said_again():
    assert Telling([Row("a")]).take([Row("a")], 1_000) == []


def test_a_step_is_noticed_by_the_first_alert_on_its_column(telling):
    telling.begun(TEMP, 1_000)
    telling.take([Row("a", feature="hum")], 3_000)
    telling.take([Row("b")], 8_000)
    telling.take([Row("c", window="30s")], 9_000)
    assert [one.after_seconds for one in telling.noticed] == [7.0]


def test_silence_is_noticed_by_its_segment_only(telling):
    telling.begun(SILENT, 1_000)
    telling.take([Row("a", feature="", model="power-price")], 2_000)
    assert telling.noticed[0].after_seconds is None
    telling.take([Row("b", feature="", model="power-price", segment=f"market={SILENT_MARKET}")], 3_000)
    assert telling.noticed[0].after_seconds == 2.0
