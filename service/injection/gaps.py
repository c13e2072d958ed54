"""Faults that leave a feature without its value: missing in five ways, or filled with a default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from msgspec import Raw

from service.injection.event import as_value
from service.injection.fault import Change, Expected, Fault, Ground, edit, of, option
from service.messages import Cause

if TYPE_CHECKING:
    from service.injection.event import Event

_WRITTEN = {"null": None, "nan": Raw(b"NaN"), "infinite": Raw(b"Infinity"), "empty": ""}


@dataclass(frozen=True)
class Missing(Fault):
    """A feature has no value: null, absent, NaN, infinite (the last two as Python writes them) or an empty text."""

    name: ClassVar = "missing"
    feature: str = option("The feature.", required=True)
    how: Literal["null", "absent", "nan", "infinite", "empty"] = option("In which way.", "null")

    def begin(self, ground: Ground) -> Change:
        ground.survey.feature(self.feature)

        def take(event: Event) -> None:
            if self.how == "absent":
                event.drop_feature(self.feature)
            else:
                event.set_feature(self.feature, _WRITTEN[self.how])

        return edit(take)

    def expects(self) -> Expected:
        return of(Cause.MISSING, on=[self.feature])


@dataclass(frozen=True)
class DefaultFill(Fault):
    """A feature holds a default in place of its value: what a join that found nothing leaves."""

    name: ClassVar = "default-fill"
    feature: str = option("The feature.", required=True)
    value: str | None = option("The default (default: 0, or the text unknown).")

    def begin(self, ground: Ground) -> Change:
        numeric = ground.survey.feature(self.feature).is_numeric
        value = as_value(("0" if numeric else "unknown") if self.value is None else self.value)

        def fill(event: Event) -> None:
            event.set_feature(self.feature, value)

        return edit(fill)

    def expects(self) -> Expected:
        return of(Cause.DEFAULT_FILL, on=[self.feature])
