"""How much is missing of each column over time, as charts show it: of windows spread evenly over it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from service.store.tables import finding, window_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from service.store.window_heat import WindowSpan

MISSING = "missing_"
"""What the methods begin with that tell how much is missing, and of which kind."""


class MissingColumn(NamedTuple):
    """One column: the share that is missing, of all kinds together, by the window's end."""

    role: str
    feature: str
    shares: dict[int, float]

    @property
    def worst(self) -> float:
        """The highest share."""
        return max(self.shares.values())


def missing_columns(
    connection: Connection, span: WindowSpan, points: int
) -> tuple[list[int], list[MissingColumn]]:
    """The ends of at most so many windows, and the columns of which something is missing in them, the worst first."""
    ends = _spread(_ends(connection, span), points)
    shares: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for role, feature, end_ms, share in _shares(connection, span, ends):
        shares[role, feature][end_ms] = min(1.0, share)
    found = [MissingColumn(role, feature, by_end) for (role, feature), by_end in shares.items()]
    return ends, sorted(
        (one for one in found if one.worst > 0), key=lambda one: (-one.worst, one.role, one.feature)
    )


def _ends(connection: Connection, span: WindowSpan) -> list[int]:
    c = window_score.c
    rows = select(c.end_ms).where(
        c.model == span.model, c.window == span.window, c.segment == span.segment, c.version != "",
        c.end_ms > span.since_ms, c.end_ms <= span.until_ms,
    ).distinct()  # fmt: skip
    return sorted(connection.execute(rows).scalars())


def _spread(ends: Sequence[int], points: int) -> list[int]:
    """Every so many-th, counted back from the last."""
    step = max(1, -(-len(ends) // points))
    return list(ends[::-1][::step][::-1])


def _shares(
    connection: Connection, span: WindowSpan, ends: Sequence[int]
) -> list[tuple[str, str, int, float]]:
    """By column and window; of several versions the rows together."""
    c = finding.c
    of_version = [] if span.version is None else [c.version == span.version]
    by_version = (
        select(
            c.version, c.role, c.feature, c.end_ms, func.sum(c.value).label("share"), func.max(c.n).label("n")
        )
        .where(c.model == span.model, c.window == span.window, c.segment == span.segment, *of_version)
        .where(c.end_ms.in_(ends), c.method.startswith(MISSING, autoescape=True))
        .group_by(c.version, c.role, c.feature, c.end_ms)
        .subquery()
    )
    b = by_version.c
    rows = select(
        b.role, b.feature, b.end_ms, func.coalesce(func.sum(b.share * b.n) / func.nullif(func.sum(b.n), 0), 0.0)
    ).group_by(b.role, b.feature, b.end_ms)  # fmt: skip
    return [(role, feature, end, float(share)) for role, feature, end, share in connection.execute(rows)]
