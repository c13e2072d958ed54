"""What a finding about a contract says, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.contract.clauses import UNTOLD, Code
from service.messages import Role, Verdict
from service.promises import Promise

if TYPE_CHECKING:
    from service.messages import Column, Finding
    from service.promises import Contract

_PHRASES = {
    Code.MISSING_COLUMN: "is absent", Code.NOT_PRESENT: "has no usable value",
    Code.LOW_FRACTION_PRESENT: "has no usable value", Code.NULL: "is null", Code.ABSENT: "is absent",
    Code.NAN: "is NaN", Code.INFINITE: "is infinite", Code.EMPTY: "is empty", Code.NOT_FLOAT: "is no number",
    Code.NOT_TEXT: "is a number, not a category", Code.WRONG_TYPE: "has the wrong type",
    Code.SMALL: "is below {low}", Code.BIG: "is above {high}", Code.SMALL_INTEGER: "is below {low}",
    Code.BIG_INTEGER: "is above {high}", Code.NOT_INTEGER: "is no integer",
    Code.UNEXPECTED_TEXT: "is none of its {values} categories",
    Code.UNEXPECTED_NUMBER: "is none of its {values} values", Code.NOT_CONSTANT: "is not {constant!r}",
    Code.LOW_UNIQUE: "repeats a value", Code.NEW_COLUMN: "is there though no contract names it",
    Code.RULE: "({check}) is broken",
}  # fmt: skip


def sentence(contract: Contract, finding: Finding) -> str:
    """How many rows break the clause, and how many may: "feature amount is above 100 in 3 % of 1,000 rows, ..."."""
    what = phrase(contract, finding)
    if finding.verdict is Verdict.TOO_LITTLE_DATA:
        return f"{what}: {_why_untold(finding)}"
    value, allowed = finding.value or 0.0, finding.limit or 0.0
    rows = f"{_share(value)} of {finding.n:,} rows"
    certainty = "" if finding.resolution == 0 else f" (known to within {_share(finding.resolution)})"
    return f"{what} in {rows}{certainty}, allowed {'is none' if allowed == 0 else f'are {_share(allowed)}'}"


def phrase(contract: Contract, finding: Finding) -> str:
    """What the clause says of a row that breaks it: "feature amount is above 100"."""
    column = finding.column
    promise = Promise() if column is None else contract.features.get(column.name, Promise())
    check = next((r.check for r in contract.rules if column is not None and r.name == column.name), "")
    words = _PHRASES[Code(finding.method)].format(
        low=_number(promise.low), high=_number(promise.high), constant=promise.constant,
        values=len(promise.categories or ()), check=check,
    )  # fmt: skip
    return f"{_named(column)} {words}"


def _named(column: Column | None) -> str:
    if column is None:
        return "the model"
    return f"rule {column.name}" if column.role is Role.RULE else f"feature {column.name}"


def _why_untold(finding: Finding) -> str:
    if finding.reason == UNTOLD:
        return "cannot be told, the reference counts it as categories"
    return "cannot be told of any row"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _share(ratio: float) -> str:
    return f"{100 * ratio:.3g} %" if ratio > 0 else "none"
