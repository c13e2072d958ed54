"""Who says something over the API or a page, and why: nobody signs with another's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Request
from pydantic import AfterValidator, Field

from service.store.statements import LONGEST_WHO, LONGEST_WHY, Statement, one_line
from service.web.authorization import address_of, caller_of


def _line(longest: int) -> Callable[[str], str]:
    return lambda text: one_line(text, longest)


Why = Annotated[str, Field(max_length=LONGEST_WHY), AfterValidator(_line(LONGEST_WHY))]
Who = Annotated[str, Field(max_length=LONGEST_WHO), AfterValidator(_line(LONGEST_WHO))]


def signed(request: Request, why: str, named: str | None = None) -> Statement:
    """The words with who says them: the key that was sent is always told."""
    return Statement(signed_by(request, named), why)


def signed_by(request: Request, named: str | None) -> str:
    """Nobody signs with another's name: the key that was sent is always told."""
    key = caller_of(request).key
    if key is None:
        return named or f"somebody at {address_of(request)}"
    return key.name if named in {None, key.name} else f"{named} (by the key {key.name})"
