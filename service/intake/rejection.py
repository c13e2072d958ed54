"""Says why bytes are no event. Called only for bytes that the fast decoder refused."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from service.messages import Reason


class Rejected(Exception):
    """Carries the reason of a dead letter out of nested checks."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


_BOM = b"\xef\xbb\xbf"
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A text, also one that never ends: else every quote in it would be tried as a start, in quadratic time."""
_OPENING = b"[{"
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_decode = msgspec.json.Decoder().decode


def parse_json(value: bytes, depth: int, *, nonfinite_as_missing: bool = False) -> Any:
    """Any JSON value; raises `Rejected`. NaN and Infinity are read as numbers if `nonfinite_as_missing`."""
    try:
        body = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = _second_look(value.removeprefix(_BOM), depth, nonfinite_as_missing=nonfinite_as_missing)
    if value.count(b"{") + value.count(b"[") > depth:
        _refuse_depth(value, depth)
    return body


def _refuse_depth(value: bytes, depth: int) -> None:
    if nesting(value) > depth:
        raise Rejected(Reason.TOO_DEEP, f"nested deeper than {depth}")


def nesting(value: bytes) -> int:
    """The deepest nesting of brackets, those in texts left out."""
    level = deepest = 0
    for bracket in _TEXT.sub(b"", value).translate(None, delete=_NO_BRACKET):
        if bracket in _OPENING:
            level += 1
            deepest = max(deepest, level)
        else:
            level -= 1
    return deepest


def _second_look(value: bytes, depth: int, *, nonfinite_as_missing: bool) -> Any:
    """What a second parser, which forgives more, makes of bytes that the first one refused."""
    if not value.strip():
        raise Rejected(Reason.EMPTY_VALUE, "the value has no bytes")
    _refuse_depth(value, depth)
    try:
        return _decode(value)
    except UnicodeDecodeError:
        raise Rejected(Reason.BAD_UTF8, "the bytes are not UTF-8") from None
    except (msgspec.DecodeError, RecursionError) as error:
        words = str(error)
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise Rejected(Reason.BAD_UTF8, "the bytes are not UTF-8") from None
    return _forgive(text, words, nonfinite_as_missing=nonfinite_as_missing)


def _forgive(text: str, words: str, *, nonfinite_as_missing: bool) -> Any:
    """`words` are the first parser's, which name a position and never echo the payload."""
    literals: list[str] = []

    def number(literal: str) -> float:
        literals.append(literal)
        return float(literal)

    out_of_range = "out of range" in words
    try:
        body = json.loads(text, parse_constant=number)
    except (ValueError, RecursionError):
        if out_of_range:
            raise Rejected(Reason.NUMBER_OUT_OF_RANGE, "a number has too many digits") from None
        raise Rejected(Reason.BAD_JSON, words) from None
    if "\\u" in text and _has_lone_surrogate(body):
        raise Rejected(Reason.LONE_SURROGATE, "a \\u escape is half of a surrogate pair")
    if nonfinite_as_missing and (literals or out_of_range):
        return body
    if literals:
        raise Rejected(
            Reason.NONFINITE_NUMBER, "NaN and Infinity are not JSON; send null, or set `nonfinite: missing`"
        )
    if out_of_range:
        raise Rejected(Reason.NUMBER_OUT_OF_RANGE, "a number does not fit in 64 bits")
    raise Rejected(Reason.BAD_JSON, words)


def _has_lone_surrogate(body: object) -> bool:
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
