"""The settings, judged: whether all of them can be used, and what is insecure and allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.doctor.check import Check, failure, warning, well
from service.plurals import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = "settings"


def settings_checks(given: int, mistakes: Sequence[str], tolerated: Sequence[str]) -> list[Check]:
    """One for each mistake, which keeps every role from starting, and for each danger that is allowed."""
    found = [failure(_NAME, *_parted(mistake)) for mistake in mistakes]
    allowed = "it is allowed by DRIFTBELL_ALLOW_INSECURE; take that away once this is mended"
    found += [warning(_NAME, f"insecure: {danger}", allowed) for danger in tolerated]
    return found or [well(_NAME, f"{counted(given, 'setting')} given, and all can be used")]


def _parted(mistake: str) -> tuple[str, str]:
    """What is wrong, and what a setting's sentence says to do about it."""
    wrong, _, advice = mistake.partition("; ")
    return wrong, advice or "mend it; `driftbell settings` lists them all"
