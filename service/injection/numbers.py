"""Faults of number features: other units, shifts, less precision, cut ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor, trunc
from typing import TYPE_CHECKING, ClassVar

from service.errors import ConfigurationError
from service.injection.fault import Change, Expected, Fault, Ground, edit_number, edit_text, of, option
from service.injection.units import Affine, between
from service.messages import Cause

if TYPE_CHECKING:
    from service.injection.column import ColumnFacts


@dataclass(frozen=True)
class Unit(Fault):
    """A number arrives in another unit: multiplied, and moved."""

    name: ClassVar = "unit"
    feature: str = option("The feature.", required=True)
    unit: str | None = option("A known pair of units, such as kg:lb, c:f or eur:cent.")
    factor: float | None = option("Or what to multiply by.")
    offset: float = option("And what to add after that.", 0.0)

    def begin(self, ground: Ground) -> Change:
        ground.survey.numbers(self.feature, self.name)
        by = self.affine()
        return edit_number(self.feature, lambda x, _: x * by.factor + by.offset)

    def affine(self) -> Affine:
        """The change. Raises ConfigurationError when none was said."""
        if (self.unit is None) == (self.factor is None and not self.offset):
            raise ConfigurationError("say either --unit, such as kg:lb, or --factor and --offset")
        if self.unit is not None:
            return between(self.unit)
        return Affine(1.0 if self.factor is None else self.factor, self.offset)

    def expects(self) -> Expected:
        return of(Cause.UNIT_CHANGE, on=[self.feature])


@dataclass(frozen=True)
class Shift(Fault):
    """A number moves by so many of its standard deviations, at once or little by little."""

    name: ClassVar = "shift"
    feature: str = option("The feature.", required=True)
    sigma: float = option("By so many standard deviations.", 0.5)
    gradual: bool = option("From nothing to all of it over the fault's time.", default=False)

    def begin(self, ground: Ground) -> Change:
        facts = ground.survey.numbers(self.feature, self.name)
        by, settle = self.sigma * facts.std, _settling(facts, ground)
        if self.gradual:
            return edit_number(self.feature, lambda x, event: settle(x + by * ground.passed(event.ts_ms)))
        return edit_number(self.feature, lambda x, _: settle(x + by))

    def expects(self) -> Expected:
        return of(Cause.DATA_DRIFT, on=[self.feature])


@dataclass(frozen=True)
class Spread(Fault):
    """A number spreads wider or narrower around its mean."""

    name: ClassVar = "spread"
    feature: str = option("The feature.", required=True)
    factor: float = option("Its standard deviation becomes so many times what it was.", 1.5)

    def begin(self, ground: Ground) -> Change:
        facts = ground.survey.numbers(self.feature, self.name)
        mean, settle = facts.mean, _settling(facts, ground)
        return edit_number(self.feature, lambda x, _: settle(mean + self.factor * (x - mean)))

    def expects(self) -> Expected:
        return of(Cause.DATA_DRIFT, on=[self.feature])


@dataclass(frozen=True)
class Rounding(Fault):
    """A number loses its last decimals: it is rounded."""

    name: ClassVar = "rounding"
    feature: str = option("The feature.", required=True)
    decimals: int = option("So many decimals stay; -1 rounds to tens.", 0)

    def begin(self, ground: Ground) -> Change:
        ground.survey.numbers(self.feature, self.name)
        return edit_number(self.feature, lambda x, _: float(round(x, self.decimals)))

    def expects(self) -> Expected:
        return of(Cause.PRECISION_LOSS, on=[self.feature])


@dataclass(frozen=True)
class Truncation(Fault):
    """What stands after the point of a number is cut off, or all of a text but its beginning."""

    name: ClassVar = "truncation"
    feature: str = option("The feature.", required=True)
    length: int = option("So many characters of a text stay.", 3)

    def begin(self, ground: Ground) -> Change:
        if ground.survey.feature(self.feature).is_numeric:
            return edit_number(self.feature, lambda x, _: float(trunc(x)))
        ground.survey.texts(self.feature, self.name)
        return edit_text(self.feature, lambda text, _: text[: self.length])

    def expects(self) -> Expected:
        return of(Cause.PRECISION_LOSS, Cause.CATEGORY_ENCODING, on=[self.feature])


@dataclass(frozen=True)
class Clipping(Fault):
    """A number no longer exceeds a bound: what would, arrives as the bound."""

    name: ClassVar = "clipping"
    feature: str = option("The feature.", required=True)
    quantile: float = option("The bound: so many of the log's values are below it.", 0.9)
    bound: float | None = option("Or the bound itself.")
    below: bool = option("Cut what lies below the bound instead.", default=False)

    def begin(self, ground: Ground) -> Change:
        facts = ground.survey.numbers(self.feature, self.name)
        if not 0.0 < self.quantile < 1.0:
            raise ConfigurationError("--quantile is a share; write a number between 0 and 1")
        bound = self._usual_bound(facts) if self.bound is None else self.bound
        return edit_number(self.feature, lambda x, _: _cut(x, bound, below=self.below))

    def _usual_bound(self, facts: ColumnFacts) -> float:
        bound = facts.quantile(self.quantile)
        return float(floor(bound)) if facts.are_whole else bound

    def expects(self) -> Expected:
        return of(Cause.CLIPPING, on=[self.feature])


def _settling(facts: ColumnFacts, ground: Ground) -> Callable[[float], float]:
    """Whole columns stay whole, at random up or down so that the mean is right: else the first decimal would tell."""
    if not facts.are_whole:
        return lambda x: x
    return lambda x: float(floor(x + ground.random.random()))


def _cut(x: float, bound: float, *, below: bool) -> float:
    return x if (x >= bound if below else x <= bound) else bound
