"""The small words of diagnoses: columns, shares and texts as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.messages import Column, Role
from service.names import clean_name

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_SHOWN = 40
_LONGEST_READ = 160


def named(column: Column) -> str:
    """'feature weight', 'the prediction'."""
    if column.role is Role.FEATURE:
        return f"feature {column.name}"
    return f"the {column.name.removesuffix('_ms')}"


def percent(share: float) -> str:
    """'2.5 %', with about two digits; what is not quite all is not said to be 100 %."""
    hundred = 100.0 * share
    if share >= 1.0 or share <= 0.0:
        return "100 %" if share > 0 else "0 %"
    if hundred >= 99.0:
        return f"{min(hundred, 99.99):.4g} %"
    return f"{hundred:.2g} %" if hundred < 10.0 else f"{hundred:.0f} %"


def of_rows(share: float) -> str:
    """'in every row' or 'in 2.5 % of the rows'."""
    return "in every row" if share >= 0.9995 else f"in {percent(share)} of the rows"


def shown(text: str) -> str:
    """A text out of events in quotes, without what would not print, shortened."""
    clean = clean_name(text[:_LONGEST_READ]) or ""
    if not clean:
        return "(a text that does not print)"
    return f"'{clean}'" if len(clean) <= _LONGEST_SHOWN else f"'{clean[: _LONGEST_SHOWN - 1]}…'"


def listed(parts: Sequence[str], most: int = 3) -> str:
    """'a', 'a and b', 'a, b, c and 4 more'."""
    if len(parts) > most:
        return f"{', '.join(parts[:most])} and {len(parts) - most} more"
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""
