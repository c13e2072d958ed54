"""Any text or number as an event time: the same millisecond alone, among others and to the judge."""

from __future__ import annotations

import struct

import numpy as np

from service.intake.timestamps import BAD, parse_timestamps
from tests.fuzz.judge import time_of

UNITS = ("auto", "s", "ms", "us", "ns")
RECORD_MS = 1_795_305_072_000
USUAL = ["2026-11-21T10:00:00Z", "2026-11-21T10:00:00.123Z", 1_795_305_072, 1_795_305_072.5, None]


def one_input(data: bytes) -> None:
    """The first byte says as what the rest is read: a text, a double, or an integer of any size."""
    ts = value_of(data)
    expected = time_of(ts)
    for unit in UNITS:
        alone = parse([ts], unit)
        assert alone == BAD or 0 <= alone < 253_402_300_800_000
        for others in ([ts], USUAL[:1], USUAL[1:2], USUAL):
            assert parse([*others, ts], unit) == alone
        if unit == "auto" or isinstance(ts, str):
            assert close(alone, BAD if expected is None else expected, ts), (ts, alone, expected)


def parse(values: list[object], unit: str) -> int:
    """What becomes of the last value."""
    return int(parse_timestamps(values, unit, np.full(len(values), RECORD_MS))[-1])


def value_of(data: bytes) -> str | float | int:
    """The event time that an input stands for."""
    kind, rest = data[:1], data[1:]
    if kind == b"d" and len(rest) >= 8:
        (number,) = struct.unpack("<d", rest[:8])
        return float(number)
    if kind == b"i":
        return int.from_bytes(rest[:40], "little", signed=True)
    return rest.decode("utf-8", "surrogateescape")


def close(found: int, expected: int, ts: object) -> bool:
    """A double says its time to a unit in its last place, which is where two ways to scale it may differ."""
    if found == expected or not isinstance(ts, float) or BAD in (found, expected):
        return found == expected or (isinstance(ts, float) and abs(ts) > 2.5e11)
    return abs(found - expected) <= 1
