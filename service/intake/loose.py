"""The slower way to read an event: any JSON object, field by field, with a reason for what does not fit.

A bad feature never costs the rest of the event; a bad model name, timestamp or id does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from service.intake.rejection import Rejected, parse_json
from service.messages import Reason
from service.names import clean_name
from service.sketches.cells import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.intake.limits import Limits

_KINDS = ("prediction", "features", "label")
_SCALARS = {str, int, type(None)}
_STAMPS = _SCALARS | {float}
_NOTHING: dict[str, Any] = {}


class LooseEvent(msgspec.Struct, gc=False):
    """One event as plain values; `body` is all of it."""

    kind: str
    model: str
    version: str | int | None
    id: str | int | None
    ts: str | int | float | None
    features: dict[str, Any]
    prediction: Any
    latency_ms: Any
    tags: dict[str, Any]
    label: Any
    body: dict[str, Any]


def read_event(value: bytes, limits: Limits, *, nonfinite_as_missing: bool = False) -> LooseEvent:
    """The event in these bytes; raises `Rejected`."""
    body = parse_json(value, limits.depth, nonfinite_as_missing=nonfinite_as_missing)
    if not isinstance(body, dict):
        raise Rejected(Reason.NOT_AN_OBJECT, f"an event is an object, this is {_kind_of(body)}")
    get = body.get
    kind = get("type")
    if kind is None:
        raise Rejected(Reason.MISSING_FIELD, "no field `type` (prediction, features or label)")
    if kind not in _KINDS:
        raise Rejected(Reason.UNKNOWN_TYPE, "`type` is none of prediction, features, label")
    features = _mapping(body, "features")
    if len(features) > limits.features:
        raise Rejected(Reason.TOO_WIDE, f"{len(features)} features; at most {limits.features} are read")
    return LooseEvent(
        kind, _model(get("model")), _scalar(body, "version"), _scalar(body, "id"), _timestamp(get("ts")),
        features,
        get("prediction", UNSET), get("latency_ms", ABSENT), _mapping(body, "tags"), get("label", UNSET),
        body,
    )  # fmt: skip


def _kind_of(body: object) -> str:
    return {list: "an array", str: "a text", type(None): "null", bool: "a truth value"}.get(
        type(body), "a number"
    )


def _model(model: object) -> str:
    if model is None:
        raise Rejected(Reason.MISSING_FIELD, "no field `model`")
    if not isinstance(model, str):
        raise Rejected(Reason.BAD_FIELD, "`model` is not a text")
    clean = _clean(model)
    if clean is None:
        raise Rejected(Reason.BAD_NAME, "`model` has no readable name of 1 to 200 characters")
    return clean


@lru_cache(maxsize=256)
def _clean(model: str) -> str | None:
    return clean_name(model)


def _scalar(body: Mapping[str, Any], name: str) -> Any:
    value = body.get(name)
    if type(value) not in _SCALARS:
        raise Rejected(Reason.BAD_FIELD, f"`{name}` is neither a text nor an integer")
    return value


def _timestamp(ts: Any) -> Any:
    if type(ts) not in _STAMPS:
        raise Rejected(Reason.BAD_TIMESTAMP, "`ts` is neither ISO 8601 nor a number")
    return ts


def _mapping(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if value is None:
        return _NOTHING
    if not isinstance(value, dict):
        raise Rejected(Reason.BAD_FIELD, f"`{name}` is not an object")
    return value
