"""Event times as they are sent, to integer milliseconds since 1970 UTC, always rounded down.

Numbers are epochs in the declared unit, or by magnitude when it is `auto`: below 1e11 seconds (until the year
5138), below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds. Texts are ISO 8601; without a zone
they are UTC. What lies before 1970 or after the year 9999 cannot be read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

IntArray = NDArray[np.int64]

BAD = -(2**62)
"""Stands for a timestamp that cannot be read."""

_LAST_MS = 253_402_300_800_000
"""The year 10000: until then Python, Postgres and people can read it."""
_PER_MS = {"s": 1e-3, "ms": 1.0, "us": 1e3, "ns": 1e6}
_MAGNITUDES = (("s", 10**11), ("ms", 10**14), ("us", 10**17))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ROUNDING = 5e-4
"""In ms: what a double may lack of a whole millisecond when it holds seconds of this century."""


def parse_timestamps(values: Sequence[object], unit: str, record_ms: IntArray) -> IntArray:
    """Milliseconds of each value, or of the record where it is None; `BAD` where it cannot be read."""
    kinds = set(map(type, values))
    if len(kinds) == 1:
        parsed = _of_kind(kinds.pop(), values, unit, record_ms)
    else:
        parsed = np.empty(len(values), np.int64)
        for kind in kinds:
            at = [i for i, value in enumerate(values) if type(value) is kind]
            parsed[at] = _of_kind(kind, [values[i] for i in at], unit, record_ms[at])
    return np.where((parsed < 0) | (parsed >= _LAST_MS), BAD, parsed)


def _of_kind(kind: type, values: Sequence[Any], unit: str, record_ms: IntArray) -> IntArray:
    if kind is int:
        return _from_integers(values, unit)
    if kind is float:
        return _from_floats(np.fromiter(values, np.float64, len(values)), unit)
    if kind is str:
        return _from_texts(values)
    return record_ms if kind is type(None) else np.full(len(values), BAD)


def _from_integers(values: Sequence[int], unit: str) -> IntArray:
    try:
        epochs = np.fromiter(values, np.int64, len(values))
    except OverflowError:
        epochs = np.array([value if abs(value) < 2**63 else BAD for value in values])
    if unit != "auto":
        return _scaled(epochs, unit)
    if len(epochs) and int(epochs.min()) >= 10**11 and int(epochs.max()) < 10**14:
        return epochs
    parsed = _scaled(epochs, "ns")
    for magnitude, limit in reversed(_MAGNITUDES):
        parsed = np.where(epochs < limit, _scaled(epochs, magnitude), parsed)
    return parsed


def _scaled(epochs: IntArray, unit: str) -> IntArray:
    if unit == "s":
        return np.where((epochs >= 0) & (epochs < _LAST_MS // 1_000), epochs, BAD // 1_000) * 1_000
    return epochs // int(_PER_MS[unit])


def _from_floats(epochs: NDArray[np.float64], unit: str) -> IntArray:
    per_ms = np.full(len(epochs), _PER_MS["ns" if unit == "auto" else unit])
    for magnitude, limit in reversed(_MAGNITUDES) if unit == "auto" else ():
        per_ms[epochs < limit] = _PER_MS[magnitude]
    with np.errstate(over="ignore"):
        millis = np.floor(epochs / per_ms + _ROUNDING)
    return np.where((epochs >= 0) & (millis < _LAST_MS), millis, BAD).astype(np.int64)


_WHOLE_LENGTHS = {
    len("2026-11-21T10:00:00Z"),
    len("2026-11-21T10:00:00.000Z"),
    len("2026-11-21T10:00:00.000000Z"),
}


def _from_texts(texts: Sequence[str]) -> IntArray:
    at_once = _from_uniform_texts(texts)
    return np.fromiter(map(_from_text, texts), np.int64, len(texts)) if at_once is None else at_once


def _from_uniform_texts(texts: Sequence[str]) -> IntArray | None:
    """The usual texts all at once, four times faster; None if any is unusual, so that both ways agree."""
    if not set(map(len, texts)) <= _WHOLE_LENGTHS or not all(t[-1] == "Z" and t[10] == "T" for t in texts):
        return None
    try:
        micros = pa.array(texts, pa.string()).cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return None
    return np.asarray(micros.to_numpy() // 1_000)


def _from_text(text: str) -> int:
    if (
        not text.isascii() or not text.isprintable()
    ):  # Python overlooks a NUL between the seconds and the zone
        return BAD
    if text.isdecimal() and len(text) != len(
        "20261121"
    ):  # an epoch in quotes, of which Python would make some date
        return BAD
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return BAD
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
