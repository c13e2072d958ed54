"""A model's last windows as a picture in a line of text: columns up to the limit and over it, and gaps for silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.plurals import counted

STEP, HEIGHT = 4, 26
_LIMIT_AT, _TOP = 12, 3
"""The limit's line is so far below the top; columns of twice the limit and more end at `_TOP`, below their marks."""


@dataclass(frozen=True, slots=True)
class SparkView:
    """Paths of a drawing `width` wide: columns, those over the limit with a mark each, and dashes where nothing is."""

    width: int
    limit_at: int
    within: str
    over: str
    marks: str
    missing: str
    said: str
    is_over: bool


def spark_view(percents: Sequence[int | None], window: str) -> SparkView:
    """The picture of these windows, and the words for who does not see it."""
    places = [(place * STEP, percent) for place, percent in enumerate(percents)]
    over = [(x, percent) for x, percent in places if percent is not None and percent > 100]
    return SparkView(
        width=len(percents) * STEP,
        limit_at=_LIMIT_AT,
        within="".join(
            _column(x, percent) for x, percent in places if percent is not None and percent <= 100
        ),
        over="".join(_column(x, percent) for x, percent in over),
        # A second sign beside the colour.
        marks="".join(f"M{x - 0.5:g} 0h{STEP}l-{STEP / 2:g} 2.5z" for x, _ in over),
        missing="".join(f"M{x} {HEIGHT - 0.5:g}h{STEP - 2}" for x, percent in places if percent is None),
        said=_said(percents, window),
        is_over=bool(over),
    )


def _column(x: int, percent: int) -> str:
    if percent <= 100:
        high = max(1.0, (HEIGHT - _LIMIT_AT) * percent / 100)
    else:
        high = HEIGHT - _LIMIT_AT + (_LIMIT_AT - _TOP) * min(1.0, (percent - 100) / 100)
    return f"M{x} {HEIGHT}v-{high:.3g}h{STEP - 1}v{high:.3g}z"


def _said(percents: Sequence[int | None], window: str) -> str:
    scored = [percent for percent in percents if percent is not None]
    if not scored:
        return f"nothing scored in the last {len(percents)} windows of {window}"
    over, worst = sum(percent > 100 for percent in scored), worst_words(max(scored))
    if over:
        return f"over the limit in {over:,} of {counted(len(scored), 'window')} of {window}, worst {worst}"
    return f"within the limit in {counted(len(scored), 'window')} of {window}, worst {worst}"


def worst_words(percent: int) -> str:
    """How far by the limit: in percent, or in times where it is far over."""
    if percent >= 100_000:
        return "over 1,000 times"
    return f"{percent / 100:,.0f} times" if percent >= 1_000 else f"{percent} %"
