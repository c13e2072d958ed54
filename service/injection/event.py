"""One record of a log, opened without loss: what a fault does not touch keeps its own bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec
from msgspec import UNSET, Raw

from service.messages import iso

INFERENCES = ("prediction", "features")
_decode = msgspec.json.decode
_encode = msgspec.json.Encoder().encode
_PER_MS = {"s": 1e-3, "ms": 1.0, "us": 1e3, "ns": 1e6}
_MAGNITUDES = (("s", 1e11), ("ms", 1e14), ("us", 1e17))


class Head(msgspec.Struct, gc=False):
    """Just enough of an event to know whose it is, and when."""

    type: str
    model: str
    id: str | int | None = None
    ts: str | int | float | None = None


_HEAD = msgspec.json.Decoder(Head)
_OBJECT = msgspec.json.Decoder(dict[str, Raw])


def head_of(line: bytes) -> Head | None:
    """The head of an event; None of what is none, which no fault touches."""
    try:
        return _HEAD.decode(line)
    except (msgspec.MsgspecError, ValueError):
        return None


@dataclass(slots=True, eq=False)
class Event:
    """An event as faults change it. `late_ms`: so much later than it was read it is written.

    Values are plain Python ones, UNSET where there is none. A value of `Raw` is written as it is, JSON or not.
    """

    line: bytes
    type: str
    id: str
    ts_ms: int
    key: bytes | None = None
    stamp_ms: int = -1
    late_ms: int = 0
    _body: dict[str, Raw] | None = None
    _features: dict[str, Raw] | None = None
    _tags: dict[str, Raw] | None = None
    _is_changed: bool = False

    @property
    def is_inference(self) -> bool:
        """Whether it is a prediction or features, and no label."""
        return self.type in INFERENCES

    def feature(self, name: str) -> Any:
        """A feature's value."""
        return _plain(self._opened_features().get(name))

    def features(self) -> Mapping[str, Any]:
        """All features."""
        return {name: _plain(raw) for name, raw in self._opened_features().items()}

    def tags(self) -> Mapping[str, Any]:
        """All tags."""
        return {name: _plain(raw) for name, raw in self._opened_tags().items()}

    def slice_value(self, name: str) -> Any:
        """The value that makes it part of a segment: that of a feature, or else of a tag."""
        value = self.feature(name)
        return _plain(self._opened_tags().get(name)) if value is UNSET else value

    def set_feature(self, name: str, value: object) -> None:
        """Give a feature this value; a new one comes last."""
        self._opened_features()[name] = _raw(value)
        self._is_changed = True

    def drop_feature(self, name: str) -> None:
        """Take a feature away."""
        self._is_changed |= self._opened_features().pop(name, None) is not None

    def rename_feature(self, name: str, to: str) -> None:
        """Call a feature otherwise, in its place."""
        features = self._opened_features()
        if name in features:
            self._features = {to if key == name else key: raw for key, raw in features.items() if key != to}
            self._is_changed = True

    def take_features(self, other: Event) -> None:
        """Have the features and tags of another event."""
        self._features, self._tags = dict(other._opened_features()), dict(other._opened_tags())
        self._is_changed = True

    def field(self, name: str) -> Any:
        """A field beside the features, such as `prediction` or `label`."""
        return _plain(self._opened().get(name))

    def set_field(self, name: str, value: object) -> None:
        """Give such a field this value."""
        self._opened()[name] = _raw(value)
        self._is_changed = True

    def move(self, ts_ms: int) -> None:
        """Give it another event time, written as its own is."""
        old = self.field("ts")
        self.ts_ms = ts_ms
        self.set_field("ts", iso(ts_ms) if isinstance(old, str) else _epoch(old, ts_ms))

    def copy(self) -> Event:
        """The same event once more, apart from this one."""
        return replace(self, line=self.written(), _body=None, _features=None, _tags=None, _is_changed=False)

    def written(self) -> bytes:
        """The line: its own bytes unless something was changed."""
        if not self._is_changed:
            return self.line
        body: dict[str, object] = dict(self._opened())
        for name, part in (("features", self._features), ("tags", self._tags)):
            if part is not None and (part or name in body):
                body[name] = part
        return _encode(body)

    def _opened(self) -> dict[str, Raw]:
        if self._body is None:
            self._body = _OBJECT.decode(self.line)
        return self._body

    def _opened_features(self) -> dict[str, Raw]:
        if self._features is None:
            self._features = _object(self._opened().get("features"))
        return self._features

    def _opened_tags(self) -> dict[str, Raw]:
        if self._tags is None:
            self._tags = _object(self._opened().get("tags"))
        return self._tags


def _object(raw: Raw | None) -> dict[str, Raw]:
    try:
        return {} if raw is None else _OBJECT.decode(raw)
    except (msgspec.MsgspecError, ValueError):  # null, or no object: there are no features then
        return {}


def _plain(raw: Raw | None) -> Any:
    if raw is None:
        return UNSET
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, ValueError):  # a fault's own NaN
        return bytes(raw).decode(errors="replace")


def _raw(value: object) -> Raw:
    return value if isinstance(value, Raw) else Raw(_encode(value))


def _epoch(old: object, ts_ms: int) -> int | float:
    if not isinstance(old, int | float):
        return ts_ms
    unit = next((name for name, limit in _MAGNITUDES if old < limit), "ns")
    moved = ts_ms * _PER_MS[unit]
    return moved if isinstance(old, float) and unit == "s" else int(moved)


def value_text(value: object) -> str | None:
    """A value as segments and options name it; None for what cannot be one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else None


def as_value(text: str) -> object:
    """What an option's text means: a number, true, false, null, or else a text."""
    try:
        value = _decode(text.encode())
    except (msgspec.MsgspecError, ValueError):
        return text
    return cast("object", value) if isinstance(value, int | float | bool | str) or value is None else text
