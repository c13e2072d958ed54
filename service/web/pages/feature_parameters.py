"""What the address of a feature's page says: which column, which rows, which time, and what they are held against."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from service.messages import Role
from service.monitor import DAY_MS
from service.store.column_views import Time
from service.web.api.distributions import ColumnParameters, DistributionParameters
from service.web.api.parameters import Filled, Name
from service.web.api.parameters import Time as Moment

if TYPE_CHECKING:
    from service.monitor import WindowSpec

WEEK_MS = 7 * DAY_MS


class Compare(StrEnum):
    """What a time is held against."""

    REFERENCE = "reference"
    BEFORE = "before"
    WEEK = "week"
    TIMES = "times"


COMPARE_WORDS = {
    Compare.REFERENCE: "the reference",
    Compare.BEFORE: "the time before",
    Compare.WEEK: "the same time a week before",
    Compare.TIMES: "the time below",
}


class FeatureParameters(ColumnParameters):
    """Of a form that is sent by GET: an empty field is none."""

    window: Filled[Name] = None
    feature: Filled[Name] = None
    method: Filled[Name] = None
    since: Filled[Moment] = None
    until: Filled[Moment] = None
    compare: Compare = Compare.REFERENCE
    against_since: Filled[Moment] = None
    against_until: Filled[Moment] = None

    @property
    def names_none(self) -> bool:
        """Whether no column is named."""
        return self.feature is None and self.role is Role.FEATURE

    def distribution(self, time: Time, spec: WindowSpec) -> DistributionParameters:
        """The same question to the API."""
        against = against_of(self, time, spec)
        values: dict[str, Any] = self.column() | {"since": time.since_ms, "until": time.until_ms}
        if against is not None:
            values |= {"against_since": against.since_ms, "against_until": against.until_ms}
        return DistributionParameters.model_construct(**values)

    def column(self) -> dict[str, Any]:
        """The column and the rows, as every address of the page and of the API names them."""
        names = ("model", "role", "window", "version", "segment")
        found = {name: value for name in names if (value := getattr(self, name))}
        return found if self.names_none else found | {"feature": self.feature or self.role.value}


def against_of(asked: FeatureParameters, time: Time, spec: WindowSpec) -> Time | None:
    """The time that is compared with; None: the reference."""
    length_ms = time.until_ms - time.since_ms
    match asked.compare:
        case Compare.BEFORE:
            return Time(time.since_ms - length_ms, time.since_ms)
        case Compare.WEEK:
            return Time(time.since_ms - WEEK_MS, time.until_ms - WEEK_MS)
        case Compare.TIMES if asked.against_since is not None or asked.against_until is not None:
            start, end = asked.against_since, asked.against_until
            end = (start or 0) + spec.length_ms if end is None else end
            return Time(end - spec.length_ms if start is None else start, end)
    return None
