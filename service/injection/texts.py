"""Faults of text features: case, spaces, codes, new categories, another mix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from service.errors import ConfigurationError
from service.injection.fault import Change, Expected, Fault, Ground, edit, edit_text, of, option
from service.messages import Cause

if TYPE_CHECKING:
    from service.injection.column import ColumnFacts
    from service.injection.event import Event

_CASES: Mapping[str, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "title": str.title}
_SPACES = {"trailing": "{} ", "leading": " {}", "both": " {} "}


@dataclass(frozen=True)
class CategoryCase(Fault):
    """Categories arrive in other letters: DE becomes de."""

    name: ClassVar = "category-case"
    feature: str = option("The feature.", required=True)
    how: Literal["auto", "upper", "lower", "title"] = option(
        "In which letters; auto takes those that change most.", "auto"
    )

    def begin(self, ground: Ground) -> Change:
        facts = ground.survey.texts(self.feature, self.name)
        case = _CASES[case_for(facts) if self.how == "auto" else self.how]
        return edit_text(self.feature, lambda text, _: case(text))

    def expects(self) -> Expected:
        return of(Cause.CATEGORY_ENCODING, on=[self.feature])


def case_for(facts: ColumnFacts) -> str:
    """The letters that change most of a column's rows."""
    return max(("upper", "lower"), key=lambda how: changed_share(facts, _CASES[how]))


def changed_share(facts: ColumnFacts, change: Callable[[str], str]) -> float:
    """How many of a column's texts are not the same after a change."""
    rows = sum(facts.texts.values())
    return sum(n for text, n in facts.texts.items() if change(text) != text) / rows if rows else 0.0


@dataclass(frozen=True)
class Whitespace(Fault):
    """Categories arrive with spaces around them."""

    name: ClassVar = "whitespace"
    feature: str = option("The feature.", required=True)
    how: Literal["trailing", "leading", "both"] = option("Where the space is.", "trailing")

    def begin(self, ground: Ground) -> Change:
        ground.survey.texts(self.feature, self.name)
        return edit_text(self.feature, lambda text, _: _SPACES[self.how].format(text))

    def expects(self) -> Expected:
        return of(Cause.CATEGORY_ENCODING, on=[self.feature])


@dataclass(frozen=True)
class Encoding(Fault):
    """Categories arrive under other names: DE becomes Germany, or each its number."""

    name: ClassVar = "encoding"
    feature: str = option("The feature.", required=True)
    map: str | None = option(
        "Which becomes what, such as DE=Germany,FR=France (default: c0, c1, ... by frequency)."
    )

    def begin(self, ground: Ground) -> Change:
        facts = ground.survey.texts(self.feature, self.name)
        codes = self._codes(facts)
        return edit_text(self.feature, lambda text, _: codes.get(text, text))

    def _codes(self, facts: ColumnFacts) -> Mapping[str, str]:
        if self.map is None:
            return {text: f"c{number}" for number, text in enumerate(facts.texts)}
        pairs = [part.partition("=") for part in self.map.split(",")]
        if wrong := [old for old, equals, new in pairs if not (old and equals and new)]:
            raise ConfigurationError(f"--map has {wrong[0]!r}; write pairs such as DE=Germany,FR=France")
        if not any(old in facts.texts for old, _, _ in pairs):
            known = ", ".join([*facts.texts][:5])
            raise ConfigurationError(f"--map names no category of {self.feature!r}, which has {known}")
        return {old: new for old, _, new in pairs}

    def expects(self) -> Expected:
        return of(Cause.CATEGORY_ENCODING, on=[self.feature])


@dataclass(frozen=True)
class NewCategory(Fault):
    """A category arrives that was never there."""

    name: ClassVar = "new-category"
    feature: str = option("The feature.", required=True)
    value: str = option("The new category.", "never-seen")

    def begin(self, ground: Ground) -> Change:
        facts = ground.survey.texts(self.feature, self.name)
        if self.value in facts.texts:
            raise ConfigurationError(
                f"{self.value!r} is a category of {self.feature!r} already; name another --value"
            )
        return edit_text(self.feature, lambda *_: self.value)

    def expects(self) -> Expected:
        return of(Cause.NEW_CATEGORY, on=[self.feature])


@dataclass(frozen=True)
class CategoryMix(Fault):
    """A known category takes more of the rows than it had: use it with --share."""

    name: ClassVar = "category-mix"
    feature: str = option("The feature.", required=True)
    value: str | None = option("The category that grows (default: the second most frequent).")

    def begin(self, ground: Ground) -> Change:
        facts = ground.survey.texts(self.feature, self.name)
        known = [*facts.texts]
        grows = known[min(1, len(known) - 1)] if self.value is None else self.value
        if grows not in facts.texts:
            raise ConfigurationError(
                f"{grows!r} is no category of {self.feature!r}; for a new one use new-category"
            )

        def grow(event: Event) -> None:
            event.set_feature(self.feature, grows)

        return edit(grow)

    def expects(self) -> Expected:
        return of(Cause.DATA_DRIFT, on=[self.feature])
