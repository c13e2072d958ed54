"""Times as the sentences of checks say them."""

from __future__ import annotations

from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

_UNITS = ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min"), (SECOND_MS, "s"))


def lasting(duration_ms: int) -> str:
    """A duration in its largest unit, of which there are two at least, but for one second: '90 s', '3 h'.

    >>> lasting(90_000), lasting(3 * 3_600_000), lasting(250)
    ('90 s', '3 h', '250 ms')
    """
    for unit_ms, unit in _UNITS:
        if duration_ms >= (2 * unit_ms if unit != "s" else unit_ms):
            return f"{duration_ms // unit_ms:,} {unit}"
    return f"{duration_ms} ms"
