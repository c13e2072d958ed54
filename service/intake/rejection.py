"""Says why bytes are no event. Called only for bytes that the fast decoder refused."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import msgspec

from service.messages import Reason


class Rejected(Exception):  # noqa: N818 - it is a value on its way to a dead letter, and never leaves intake
    """Carries the reason of a dead letter out of nested checks."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


_BOM = b"\xef\xbb\xbf"
_LITERAL = re.compile(rb"(?<![\w\"])-?(?:NaN|Infinity)(?![\w\"])")


def parse_json(value: bytes, depth: int, *, nonfinite_as_missing: bool = False) -> Any:  # noqa: ANN401
    """Any JSON value; raises `Rejected`. With `nonfinite_as_missing`, NaN and Infinity literals are read as numbers."""
    value = value.removeprefix(_BOM)
    if not value.strip():
        raise Rejected(Reason.EMPTY_VALUE, "the value has no bytes")
    if nesting(value) > depth:
        raise Rejected(Reason.TOO_DEEP, f"nested deeper than {depth}")
    try:
        return msgspec.json.decode(value)
    except UnicodeDecodeError:
        raise Rejected(Reason.BAD_UTF8, "the bytes are not UTF-8") from None
    except RecursionError:
        raise Rejected(Reason.TOO_DEEP, f"nested deeper than {depth}") from None
    except msgspec.DecodeError as error:
        return _second_look(value, str(error), nonfinite_as_missing=nonfinite_as_missing)


def nesting(value: bytes) -> int:
    """The deepest nesting of brackets, strings left out; an upper bound at once when there are few."""
    if value.count(b"[") + value.count(b"{") <= 32:  # noqa: PLR2004 - cheap for every usual event
        return value.count(b"[") + value.count(b"{")
    bare = re.sub(rb'"(?:[^"\\]|\\.)*"', b"", value)
    level = deepest = 0
    for bracket in re.findall(rb"[\[{\]}]", bare):
        level += 1 if bracket in b"[{" else -1
        deepest = max(deepest, level)
    return deepest


def _second_look(value: bytes, error: str, *, nonfinite_as_missing: bool) -> Any:  # noqa: ANN401
    try:
        value.decode()
    except UnicodeDecodeError:
        raise Rejected(Reason.BAD_UTF8, "the bytes are not UTF-8") from None
    if "surrogate" in error.lower() or _has_lone_surrogate(value):
        raise Rejected(Reason.LONE_SURROGATE, "a \\u escape is half of a surrogate pair")
    if _LITERAL.search(value):
        if nonfinite_as_missing:
            return _with_literals(value)
        raise Rejected(Reason.NONFINITE_NUMBER, "NaN and Infinity are not JSON; send null, or set `nonfinite: missing`")
    if "out of range" in error.lower():
        raise Rejected(Reason.NUMBER_OUT_OF_RANGE, "a number does not fit in 64 bits")
    raise Rejected(Reason.BAD_JSON, _where(error))


def _where(error: str) -> str:
    """The parser's own words, which name a position and never echo the payload."""
    return error[:200]


def _has_lone_surrogate(value: bytes) -> bool:
    try:
        json.dumps(json.loads(value), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _with_literals(value: bytes) -> Any:  # noqa: ANN401
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        _reject_json()


def _reject_json() -> NoReturn:
    raise Rejected(Reason.BAD_JSON, "not JSON, even with NaN and Infinity allowed")
