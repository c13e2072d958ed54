"""Decides with `json` and the rules alone what becomes of a record: counted, or dead for one of these reasons.

Written apart from the decoder, and slow. Where several things are wrong at once any of them may be the reason.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from service.messages import Reason
from service.names import clean_name

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_BYTES, MOST_FEATURES, DEEPEST = 2**20, 2_000, 32
YEAR_10000_MS = 253_402_300_800_000
SKEW_MS = 300_000
GOOD: frozenset[Reason] = frozenset()
UNREADABLE = frozenset({Reason.BAD_JSON, Reason.BAD_UTF8, Reason.TOO_DEEP, Reason.NUMBER_OUT_OF_RANGE})


@dataclass
class _Faults:
    """What is wrong with a text that is JSON to Python."""

    found: set[Reason] = field(default_factory=set)

    def constant(self, _: str) -> None:
        self.found.add(Reason.NONFINITE_NUMBER)

    def fraction(self, literal: str) -> float:
        value = float(literal)
        if value in (float("inf"), float("-inf")):
            self.found.add(Reason.NUMBER_OUT_OF_RANGE)
        return value

    def whole(self, literal: str) -> int:
        try:
            return int(literal)
        except ValueError:
            self.found.add(Reason.NUMBER_OUT_OF_RANGE)
            return 0

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for name, value in pairs:
            self.texts(name)
            self.texts(value)
        return dict(pairs)

    def texts(self, value: object) -> None:
        if isinstance(value, str) and any("\ud800" <= mark <= "\udfff" for mark in value):
            self.found.add(Reason.LONE_SURROGATE)
        if isinstance(value, list):
            for inner in value:
                self.texts(inner)


def judge(value: bytes, record_ms: int, models: Collection[str]) -> frozenset[Reason]:
    """The reasons of which one must be given; none for an event that counts."""
    if len(value) > MOST_BYTES:
        return frozenset({Reason.TOO_LARGE})
    value = value.removeprefix(b"\xef\xbb\xbf")
    if not value.strip():
        return frozenset({Reason.EMPTY_VALUE})
    faults = _Faults()
    try:
        text = value.decode()
        body = json.loads(
            text, parse_constant=faults.constant, parse_float=faults.fraction, parse_int=faults.whole,
            object_pairs_hook=faults.pairs,
        )  # fmt: skip
    except UnicodeDecodeError:
        return frozenset({Reason.BAD_UTF8, Reason.TOO_DEEP, Reason.BAD_JSON})
    except (ValueError, RecursionError):
        return UNREADABLE
    faults.texts(body)
    if _depth(text) > DEEPEST:
        faults.found.add(Reason.TOO_DEEP)
    return frozenset(faults.found) or _judge_body(body, record_ms, models)


def _depth(text: str) -> int:
    """The deepest nesting of brackets outside of texts; the text is known to be JSON."""
    level = deepest = 0
    for mark in re.sub(r'"(?:[^"\\]|\\.)*"', "", text, flags=re.DOTALL):
        level += (mark in "[{") - (mark in "]}")
        deepest = max(deepest, level)
    return deepest


def _judge_body(body: object, record_ms: int, models: Collection[str]) -> frozenset[Reason]:
    if not isinstance(body, dict):
        return frozenset({Reason.NOT_AN_OBJECT})
    found = {*_type(body.get("type")), *_features(body.get("features")), *_model(body.get("model"), models)}
    for name in ("version", "id"):
        if type(body.get(name)) not in (str, int, type(None)):
            found.add(Reason.BAD_FIELD)
    if not isinstance(body.get("tags"), dict | None):
        found.add(Reason.BAD_FIELD)
    found |= _time(body.get("ts"), record_ms)
    return frozenset(found)


def _type(kind: object) -> set[Reason]:
    if kind is None:
        return {Reason.MISSING_FIELD}
    return set() if kind in ("prediction", "features", "label") else {Reason.UNKNOWN_TYPE}


def _features(features: object) -> set[Reason]:
    if features is None:
        return set()
    if not isinstance(features, dict):
        return {Reason.BAD_FIELD}
    return {Reason.TOO_WIDE} if len(features) > MOST_FEATURES else set()


def _model(model: object, models: Collection[str]) -> set[Reason]:
    if model is None:
        return {Reason.MISSING_FIELD}
    if not isinstance(model, str):
        return {Reason.BAD_FIELD}
    name = clean_name(model)
    if name is None:
        return {Reason.BAD_NAME}
    return set() if name in models else {Reason.UNKNOWN_MODEL}


def _time(ts: object, record_ms: int) -> set[Reason]:
    if ts is None:
        return set()
    at_ms = time_of(ts)
    if at_ms is None:
        return {Reason.BAD_TIMESTAMP}
    return {Reason.FUTURE_TIMESTAMP} if at_ms > record_ms + SKEW_MS else set()


def time_of(ts: object) -> int | None:
    """Milliseconds since 1970 of a time whose unit is told by its magnitude; None for what is no time."""
    if isinstance(ts, bool) or not isinstance(ts, int | float | str):
        return None
    at_ms = _text_ms(ts) if isinstance(ts, str) else _number_ms(ts)
    return at_ms if at_ms is not None and 0 <= at_ms < YEAR_10000_MS else None


def _number_ms(ts: float) -> int | None:
    if not 0 <= ts < 2**63:
        return None
    steps = ((10**11, 1_000, 1), (10**14, 1, 1), (10**17, 1, 1_000), (2**63, 1, 1_000_000))
    numerator, denominator = next((n, d) for limit, n, d in steps if ts < limit)
    if isinstance(ts, int):
        return ts * numerator // denominator
    return int(ts * numerator / denominator + 5e-4)


def _text_ms(ts: str) -> int | None:
    if not ts.isascii() or not ts.isprintable() or (ts.isdecimal() and len(ts) != 8):
        return None
    try:
        at = datetime.fromisoformat(ts)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
