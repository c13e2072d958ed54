"""What is known of one rate of a slice from window to window: what is usual, how far windows differ, the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING

import msgspec

from service.alerting.state import join
from service.scoring.answers import (
    FEWEST_LEARNED,
    NOTHING_SEEN,
    QUIET,
    ErrorState,
    Watched,
    error_findings,
    raised_findings,
)

if TYPE_CHECKING:
    from service.messages import Finding, WindowKey

LEARNING_WINDOWS = 24
"""So many windows must have been seen before a slice without a reference of its errors is judged."""
MEMORY = 20_000.0
"""Labelled predictions that tell what is usual: long, so that what gets worse slowly does not become it."""
_FORGETS = 1 - 1 / 200
_MOST_SURPRISED = 25.0
_FEWEST_WINDOWS = 10
_KEPT_WINDOWS = 400


class Rate(msgspec.Struct, array_like=True):
    """Evidence by raised rate, the hits and rows remembered, and by how much windows differ more than chance has them.

    `surprise` adds up squared deviations in standard errors over the remembered `windows`; `end_ms` is the last one's.
    """

    evidence: list[float]
    hits: float = 0.0
    rows: float = 0.0
    surprise: float = 0.0
    windows: float = 0.0
    end_ms: int = 0

    @property
    def dispersion(self) -> float:
        """How many rows of a window count as one; 1 while too few windows were seen."""
        return max(1.0, self.surprise / self.windows) if self.windows >= _FEWEST_WINDOWS else 1.0

    @property
    def usual(self) -> float | None:
        """The mean of what was seen; None before anything was."""
        return self.hits / self.rows if self.rows else None


Rates = dict[str, Rate]
"""By version, segment and the name of the evidence."""


def rate_of(rates: Mapping[str, Rate], key: WindowKey, evidence: str) -> Rate:
    """The slice's own; of a new version what was usual for the one that was heard last, without its evidence."""
    own = rates.get(join(key.version, key.segment, evidence))
    if own is not None:
        return own
    before = [one for name, one in sorted(rates.items()) if name.split("\x1f")[1:] == [key.segment, evidence]]
    last = max(before, key=lambda one: one.end_ms, default=None)
    nothing = list(NOTHING_SEEN.evidence)
    return Rate(nothing) if last is None else msgspec.structs.replace(last, evidence=nothing)


def weighed(
    rates: Rates, key: WindowKey, counted: tuple[int, int], reference: tuple[int, int] | None, limit: float,
    watched: Watched,
) -> Sequence[Finding]:  # fmt: skip
    """Take a window's hits and rows, and tell whether the rate is higher than usual. `rates` are changed."""
    rate = rate_of(rates, key, watched.evidence)
    is_known = reference is not None or rate.windows >= LEARNING_WINDOWS
    how = watched._replace(
        memory=MEMORY, dispersion=rate.dispersion, fewest=FEWEST_LEARNED if is_known else inf
    )
    before = ErrorState(rate.evidence, rate.hits, rate.rows)
    after, found = error_findings(before, *counted, reference, limit, how)
    if not found:
        return ()
    is_quiet = len(found) == 1 or (found[-1].value or 0.0) < QUIET
    spread = _spread(rate, counted) if is_quiet else (rate.surprise, rate.windows)
    rates[join(key.version, key.segment, watched.evidence)] = Rate(*after, *spread, key.end_ms)
    return found


def weighed_against(
    rates: Rates, key: WindowKey, counted: tuple[int, int], usual: float, limit: float, watched: Watched
) -> Sequence[Finding]:  # fmt: skip
    """The same where it is known otherwise how high the rate may be at most."""
    rate = rate_of(rates, key, watched.evidence)
    after, found = raised_findings(ErrorState(rate.evidence, 0.0, 0.0), counted, usual, limit, watched)
    rates[join(key.version, key.segment, watched.evidence)] = Rate(*after, end_ms=key.end_ms)
    return found


def forget_old(rates: Rates, window: WindowKey) -> set[str]:
    """Drop what was not heard of for long; the versions that are left."""
    oldest = window.end_ms - _KEPT_WINDOWS * (window.end_ms - window.start_ms)
    for name in [name for name, one in rates.items() if one.end_ms < oldest]:
        del rates[name]
    return {name.split("\x1f", 1)[0] for name in rates}


def _spread(rate: Rate, counted: tuple[int, int]) -> tuple[float, float]:
    """By how much this window differs from what was usual before it, in squared standard errors."""
    (hits, rows), usual = counted, rate.usual
    if usual is None:
        return rate.surprise, rate.windows + 1
    expected = usual * rows
    surprise = (hits - expected) ** 2 / max(expected * (1 - usual), 1.0)
    return rate.surprise * _FORGETS + min(surprise, _MOST_SURPRISED), rate.windows * _FORGETS + 1
