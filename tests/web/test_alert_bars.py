"""The bars of an incident's alerts: over the time that it lasted, and up to now only while it does."""

from __future__ import annotations

from service.monitor import DAY_MS, MINUTE_MS
from service.reports.phrases import minute
from service.web.pages.alert_bars import WIDTH, bars_of
from tests.reports.made import T, alert

NOW_MS = T + 7 * DAY_MS
ENDED = {"since_ms": T, "at_ms": T + 10 * MINUTE_MS, "state": "resolved"}


def test_what_is_over_fills_the_line() -> None:
    drawn = bars_of([alert(**ENDED), alert(**ENDED | {"since_ms": T + 5 * MINUTE_MS})], NOW_MS)
    assert [(one.start, one.length) for one in drawn.bars] == [(0, WIDTH), (WIDTH / 2, WIDTH / 2)]
    assert drawn.end == minute(T + 10 * MINUTE_MS)


def test_while_one_lasts_the_line_ends_now() -> None:
    drawn = bars_of([alert(**ENDED), alert(since_ms=T, at_ms=T, state="firing")], NOW_MS)
    assert [one.length for one in drawn.bars][1] == WIDTH
    assert drawn.bars[0].length < WIDTH / 100
    assert drawn.end == minute(NOW_MS)
