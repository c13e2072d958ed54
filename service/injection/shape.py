"""Faults of the event's shape: features renamed, swapped, merged, split, or of another type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import trunc
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from msgspec import UNSET

from service.errors import ConfigurationError
from service.injection.column import is_number
from service.injection.event import value_text
from service.injection.fault import Change, Expected, Fault, Ground, edit, edit_number, of, option
from service.messages import Cause

if TYPE_CHECKING:
    from service.injection.event import Event

_BETWEEN = re.compile(r"[\s_\-/.:]+")


@dataclass(frozen=True)
class Rename(Fault):
    """A feature arrives under another name."""

    name: ClassVar = "rename"
    feature: str = option("The feature.", required=True)
    new_name: str | None = option("Its new name (default: user_ before the old one).")

    def begin(self, ground: Ground) -> Change:
        ground.survey.feature(self.feature)
        if self.renamed in ground.survey.features:
            raise ConfigurationError(
                f"there is a feature {self.renamed!r} already; name another with --new-name"
            )
        return edit(lambda event: event.rename_feature(self.feature, self.renamed))

    @property
    def renamed(self) -> str:
        """The new name."""
        return f"user_{self.feature}" if self.new_name is None else self.new_name

    def expects(self) -> Expected:
        return of(Cause.RENAME, on=[self.feature, self.renamed])


@dataclass(frozen=True)
class Swap(Fault):
    """Two features arrive under each other's names."""

    name: ClassVar = "swap"
    feature: str = option("The feature.", required=True)
    other: str = option("The other one.", required=True)

    def begin(self, ground: Ground) -> Change:
        _two(ground, self.feature, self.other)

        def swap(event: Event) -> None:
            one, other = event.feature(self.feature), event.feature(self.other)
            _put(event, self.feature, other)
            _put(event, self.other, one)

        return edit(swap)

    def expects(self) -> Expected:
        return of(Cause.SWAP, on=[self.feature, self.other])


@dataclass(frozen=True)
class Merge(Fault):
    """Two features become one: texts joined, numbers added; the two are gone."""

    name: ClassVar = "merge"
    feature: str = option("The feature.", required=True)
    other: str = option("The other one.", required=True)
    into: str | None = option("The one that both become (default: the two names with _ between).")

    def begin(self, ground: Ground) -> Change:
        _two(ground, self.feature, self.other)

        def merge(event: Event) -> None:
            parts = [event.feature(self.feature), event.feature(self.other)]
            event.drop_feature(self.feature)
            event.drop_feature(self.other)
            event.set_feature(self.merged, _joined(parts))

        return edit(merge)

    @property
    def merged(self) -> str:
        """The new feature."""
        return f"{self.feature}_{self.other}" if self.into is None else self.into

    def expects(self) -> Expected:
        gone = Cause.SCHEMA_CHANGE, Cause.MISSING, Cause.RENAME
        return of(*gone, on=[self.feature, self.other, self.merged])


@dataclass(frozen=True)
class Split(Fault):
    """A feature becomes two: a text's parts, or what stands before and after the point of a number; it is gone."""

    name: ClassVar = "split"
    feature: str = option("The feature.", required=True)

    def begin(self, ground: Ground) -> Change:
        ground.survey.feature(self.feature)

        def split(event: Event) -> None:
            value = event.feature(self.feature)
            if value is UNSET:
                return
            event.drop_feature(self.feature)
            for name, part in zip(self.parts, _halves(value), strict=True):
                event.set_feature(name, part)

        return edit(split)

    @property
    def parts(self) -> tuple[str, str]:
        """The two new features."""
        return f"{self.feature}_1", f"{self.feature}_2"

    def expects(self) -> Expected:
        gone = Cause.SCHEMA_CHANGE, Cause.MISSING, Cause.RENAME
        return of(*gone, on=[self.feature, *self.parts])


@dataclass(frozen=True)
class TypeChange(Fault):
    """A number arrives as a text: its digits, with a unit behind them, or with a decimal comma."""

    name: ClassVar = "type-change"
    feature: str = option("The feature.", required=True)
    how: Literal["digits", "unit", "comma"] = option("As which text.", "digits")
    unit: str = option("The unit behind the digits.", "kg")

    def begin(self, ground: Ground) -> Change:
        ground.survey.numbers(self.feature, self.name)
        return edit_number(self.feature, lambda x, _: self._text(x))

    def _text(self, x: float) -> str:
        digits = repr(x)
        if self.how == "comma":
            return digits.replace(".", ",") if "." in digits else f"{digits},0"
        return digits if self.how == "digits" else f"{digits} {self.unit}"

    def expects(self) -> Expected:
        return of(Cause.TYPE_CHANGE, on=[self.feature])


def _two(ground: Ground, feature: str, other: str) -> None:
    ground.survey.feature(feature)
    ground.survey.feature(other)
    if feature == other:
        raise ConfigurationError(f"{feature!r} is both features; name two")


def _put(event: Event, name: str, value: Any) -> None:
    if value is UNSET:
        event.drop_feature(name)
    else:
        event.set_feature(name, value)


def _joined(parts: list[Any]) -> object:
    if all(is_number(part) for part in parts):
        return sum(parts)
    texts = [value_text(part) for part in parts if part is not UNSET]
    return " ".join(text for text in texts if text) or None


def _halves(value: Any) -> tuple[object, object]:
    if is_number(value):
        return trunc(value), value - trunc(value)
    if not isinstance(value, str):
        return value, None
    parts = _BETWEEN.split(value, maxsplit=1)
    middle = (len(value) + 1) // 2
    return (parts[0], parts[1]) if len(parts) > 1 else (value[:middle], value[middle:])
