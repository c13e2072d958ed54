"""How long panes and windows should be, given how fast events come."""

from __future__ import annotations

from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, WindowSpec, format_duration
from service.sniffing.found import Rhythm

FEWEST_IN_WINDOW = 500
"""With so many events a window shows a shift of a fifth of a standard deviation, and a rate that doubles from 2 %."""
_LADDER = (
    (MINUTE_MS, 5 * MINUTE_MS, HOUR_MS),
    (5 * MINUTE_MS, 30 * MINUTE_MS, 6 * HOUR_MS),
    (15 * MINUTE_MS, HOUR_MS, DAY_MS),
    (HOUR_MS, 6 * HOUR_MS, DAY_MS),
    (6 * HOUR_MS, DAY_MS, 7 * DAY_MS),
)
"""Pane, short and long window."""


def rhythm_of(events_per_second: float | None) -> Rhythm:
    """The shortest windows that have enough events; the longest of all where none has."""
    if events_per_second is None:
        usual = _LADDER[0]
        return _rhythm(None, usual, "too few events, or all of one moment: these are the usual lengths")
    fitting = [one for one in _LADDER if _expected(events_per_second, one[1]) >= FEWEST_IN_WINDOW]
    chosen = fitting[0] if fitting else _LADDER[-1]
    count = _expected(events_per_second, chosen[1])
    said = f"at {events_per_second:.3g} events a second a window of {format_duration(chosen[1])} has about {count:,.0f}"
    if not fitting:
        said += (
            f", fewer than the {FEWEST_IN_WINDOW} that show a small change: expect to find large ones only"
        )
    return _rhythm(events_per_second, chosen, said)


def _expected(events_per_second: float, length_ms: int) -> float:
    return events_per_second * length_ms / 1_000


def _rhythm(events_per_second: float | None, lengths: tuple[int, int, int], why: str) -> Rhythm:
    pane_ms, short_ms, long_ms = lengths
    return Rhythm(
        events_per_second, pane_ms, (WindowSpec.tumbling(short_ms), WindowSpec.tumbling(long_ms)), why
    )
