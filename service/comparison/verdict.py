"""Is one version better than another: a verdict that may be asked for after every window."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from detectors.sequential.difference import (
    Difference,
    difference_of_means,
    difference_of_rates,
    labels_needed,
    nothing,
)
from detectors.sequential.difference_strata import Losses
from service.comparison.losses import Course, Courses, Loss, shared_loss, side_by_side

ALPHA = 0.05
RATE_MARGIN = 0.01
LOSS_MARGIN = 0.02
"""Of the other version's mean loss: a smaller difference of losses that are no rates means nothing to anybody."""
MOST_SEGMENTS = 20
MOST_MARGIN = 1e150
"""Its square is a number still, and so must be that of a loss."""
_LEAST_MARGIN = 1e-150
_LEAST_OF_ERROR = 1e-9
"""A margin so far below the standard error takes more labels than ever come."""


class Standing(StrEnum):
    """How a version stands against another."""

    BETTER = "better"
    WORSE = "worse"
    ALIKE = "alike"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The mean loss of a version less that of another, over the hours in which both have labels.

    `low` and `high` hold for all looks together, with confidence 1 - `alpha`. `p_value` is of "no difference" and
    `p_above` of "at most `margin` worse", whenever one looks. `labels_needed` are about so many more, of both versions
    together, if the difference stays as it is, and `labels_at_most` whatever it is. `rows` are labelled.
    """

    standing: Standing
    loss: Loss | None
    mean: float | None
    other_mean: float | None
    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    p_above: float | None
    margin: float | None
    alpha: float
    rows: int
    other_rows: int
    labels_needed: int | None = None
    labels_at_most: int | None = None

    @property
    def has_regressed(self) -> bool:
        """Whether the version is worse by more than the margin, beyond doubt."""
        return self.p_above is not None and self.p_above <= self.alpha


def compare(
    version: Course, against: Course, *, alpha: float = ALPHA, margin: float | None = None
) -> Comparison:
    """Compare all that is known of two versions so far; a pure function of these sums.

    `margin` is in the unit of the loss; without one it is `RATE_MARGIN` for error rates, and `LOSS_MARGIN` of the other
    version's mean loss else.
    """
    loss = shared_loss(version, against)
    if loss is None:
        return _told(None, nothing(0, 0), margin, alpha)
    mine, theirs = side_by_side(version, against, loss)
    if not (_can_be_compared(mine) and _can_be_compared(theirs)):
        return _told(loss, nothing(int(mine.rows.sum()), int(theirs.rows.sum())), margin, alpha)
    if loss is Loss.ERROR_RATE:
        margin = RATE_MARGIN if margin is None else margin
        return _told(loss, difference_of_rates(mine, theirs, alpha, margin), margin, alpha)
    found = difference_of_means(mine, theirs, alpha)
    if margin is None and found.means is not None:
        margin = LOSS_MARGIN * found.means[1]
    if margin is not None:
        found = difference_of_means(mine, theirs, alpha, margin)
    return _told(loss, found, margin, alpha)


def _can_be_compared(losses: Losses) -> bool:
    """A number may be wrong by so much that the squares of errors are too large for a number."""
    return bool(
        losses.total.sum() <= MOST_MARGIN * losses.rows.sum() and losses.squares.sum() <= MOST_MARGIN**2
    )


def compare_segments(
    courses: Courses, version: str, against: str, *, alpha: float = ALPHA, margin: float | None = None
) -> tuple[tuple[str, Comparison], ...]:
    """The segments that both versions have labels in, those with the most first; all intervals hold together.

    Each has the same share of `alpha` (Bonferroni), however many there are: one that changed as segments come would
    break what was said before. Segments beyond `MOST_SEGMENTS` are left out.
    """
    names = {segment for name, segment in courses if segment and name == version}
    pairs = {
        name: (courses[version, name], courses[against, name]) for name in names if (against, name) in courses
    }
    rows = {name: compare(*pair, alpha=alpha, margin=margin) for name, pair in pairs.items()}
    most = sorted(
        (name for name, one in rows.items() if one.loss is not None),
        key=lambda name: (-min(rows[name].rows, rows[name].other_rows), name),
    )[:MOST_SEGMENTS]
    share = alpha / MOST_SEGMENTS
    return tuple((name, compare(*pairs[name], alpha=share, margin=margin)) for name in most)


def _told(loss: Loss | None, found: Difference, margin: float | None, alpha: float) -> Comparison:
    mean, other_mean = found.means or (None, None)
    standing = _standing(found, margin)
    needed, most = _labels_needed(found, margin, alpha) if standing is Standing.UNKNOWN else (None, None)
    return Comparison(
        standing, loss, mean, other_mean, found.value, found.low, found.high, found.p_value,
        found.p_above if margin is not None else None, margin, alpha, found.n, found.m, needed, most,
    )  # fmt: skip


def _labels_needed(found: Difference, margin: float | None, alpha: float) -> tuple[int | None, int | None]:
    """Until the interval leaves 0 or fits into the margin; half a margin on either side does either for certain."""
    if found.value is None or margin is None or margin < max(_LEAST_MARGIN, _LEAST_OF_ERROR * found.error):
        return None, None
    away = abs(found.value)
    return labels_needed(found, max(away, margin - away), alpha), labels_needed(found, margin / 2, alpha)


def _standing(found: Difference, margin: float | None) -> Standing:
    """Within the margin on both sides is alike, even where the sign of the difference is certain."""
    if found.low is None or found.high is None:
        return Standing.UNKNOWN
    if margin is not None and -margin <= found.low and found.high <= margin:
        return Standing.ALIKE
    if found.low > 0:
        return Standing.WORSE
    return Standing.BETTER if found.high < 0 else Standing.UNKNOWN
