"""Fields that a contract's rules speak of and nobody has: most likely misspelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.expressions.parsing import parse_expression
from service.intake.rules import OUTPUTS
from service.messages import Role
from service.parsers import nearest

if TYPE_CHECKING:
    from service.promises import Contract
    from service.sketches.grids import Grid


def unknown_names(contract: Contract, reference: Grid) -> list[str]:
    """One sentence for each name of a rule that neither the reference nor the contract knows."""
    columns = (*reference.number_at, *reference.text_at)
    features = {column.name for column in columns if column.role is Role.FEATURE} | contract.features.keys()
    known = sorted({*features, *OUTPUTS})
    return [
        f"rule {rule.name}: {_unknown(name, known)}"
        for rule in contract.rules
        for name in sorted(parse_expression(rule.check).names.difference(known))
    ]


def _unknown(name: str, known: list[str]) -> str:
    near = nearest(name, known)
    return f"there is no feature {name!r}" + (f"; did you mean {near!r}?" if near else "")
