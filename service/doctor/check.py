"""One thing that was looked at: how it is, in a sentence, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Condition(StrEnum):
    """How a thing is, as far as is known."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Check:
    """`advice` says what to do; what was not checked and has none needs no person."""

    name: str
    condition: Condition
    sentence: str
    advice: str = ""

    @property
    def is_problem(self) -> bool:
        """Whether somebody should look at it."""
        return self.condition is not Condition.OK and bool(self.advice)


def well(name: str, sentence: str) -> Check:
    """It is as it should be."""
    return Check(name, Condition.OK, sentence)


def warning(name: str, sentence: str, advice: str) -> Check:
    """It works, but not as it should, or not for long."""
    return Check(name, Condition.WARNING, sentence, advice)


def failure(name: str, sentence: str, advice: str) -> Check:
    """Something does not work."""
    return Check(name, Condition.FAILURE, sentence, advice)


def not_checked(name: str, why: str, advice: str = "") -> Check:
    """Nobody knows."""
    return Check(name, Condition.NOT_CHECKED, why, advice)


_GRAVITY = (Condition.NOT_CHECKED, Condition.WARNING, Condition.FAILURE)


def problems_of(checks: Iterable[Check]) -> Sequence[Check]:
    """What needs a person, the worst last."""
    found = [check for check in checks if check.is_problem]
    return sorted(found, key=lambda check: _GRAVITY.index(check.condition))


def exit_code_of(checks: Iterable[Check]) -> int:
    """0: all is well; 1: warnings, or something that should be looked at could not be; 2: failures."""
    problems = problems_of(checks)
    if not problems:
        return 0
    return 2 if problems[-1].condition is Condition.FAILURE else 1
