"""How often each text stood in a column's rows, before and now, and whether two such shares differ beyond noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from service.diagnosis.view import ColumnView

FloatArray = NDArray[np.float64]

_REFERENCE_ROWS = 50.0
"""As so many rows the reference counts beside the rows just before, which are of the same season (Dirichlet prior)."""

_STILL_NEW = 0.2
"""A text is news if the rows just before held less than this part of its share now: a rollout may have begun there."""

_LEAST_COUNT, _NEVER, _CLEARLY = 2, 20, 4.0
_SURPRISE, _TOLERANCE = 8.0, 0.08
"""Shares are unchanged if they differ by noise, or by so little (root of the relative squares) that nobody cares."""


@dataclass(frozen=True, slots=True)
class UsualTexts:
    """The shares of a column's texts as they were; `rows` is how many rows they are known from.

    `unkept` is the share of texts that the reference does not know one by one.
    """

    shares: Mapping[str, float]
    rows: float
    unkept: float


def usual_texts(reference: ColumnView, before: ColumnView | None, current: ColumnView) -> UsualTexts:
    """What is usual: the rows just before, filled up with the reference; the reference where there are none.

    A text that only the rows just before have is usual, unless it has become much more frequent since.
    """
    first = _shares_of(reference)
    if before is None or before.n_texts == 0:
        return UsualTexts(first, float(reference.n_texts), _unkept(reference))
    prior = min(_REFERENCE_ROWS, float(reference.n_texts))
    rows = before.n_texts + prior
    known = first.keys() | {text for text in before.texts if not _is_news(text, before, current)}
    shares = {t: (before.texts.get(t, 0) + prior * first.get(t, 0.0)) / rows for t in sorted(known)}
    strange = sum(n for text, n in before.texts.items() if text not in known) + before.texts_other
    return UsualTexts(shares, rows, max(_unkept(reference), strange / rows))


def new_texts(usual: UsualTexts, current: ColumnView) -> dict[str, int]:
    """Texts that are not usual, most frequent first."""
    fresh = {text: n for text, n in current.texts.items() if text not in usual.shares}
    return dict(sorted(fresh.items(), key=lambda item: (-item[1], item[0])))


def _is_news(text: str, before: ColumnView, current: ColumnView) -> bool:
    share_now = current.texts.get(text, 0) / max(1, current.n_texts)
    return before.texts[text] / before.n_texts <= _STILL_NEW * share_now


def _shares_of(view: ColumnView) -> dict[str, float]:
    n = max(1, view.n_texts)
    return {text: count / n for text, count in sorted(view.texts.items()) if count}


def _unkept(view: ColumnView) -> float:
    return view.texts_other / max(1, view.n_texts)


def surprise(now: FloatArray, shares: FloatArray, rows: float) -> tuple[float, float]:
    """How far counts are from shares known from `rows` rows: standardised for noise, and as a size.

    The first is (G - df) / sqrt(2 df) of the likelihood ratio statistic G, reduced by rows / (n + rows) since
    the shares are estimates; the second sqrt(G / n), about the root of the relative squared differences.
    """
    n = float(now.sum())
    cells = len(now)
    if n == 0 or cells < 2:
        return 0.0, 0.0
    shares = (shares * rows + 0.5) / (shares.sum() * rows + 0.5 * cells)
    seen = now > 0
    g = 2.0 * float(np.sum(now[seen] * np.log(now[seen] / (n * shares[seen]))))
    degrees = cells - 1
    return (max(0.0, g) * rows / (n + rows) - degrees) / np.sqrt(2.0 * degrees), float(
        np.sqrt(max(0.0, g) / n)
    )


def unchanged(now: FloatArray, shares: FloatArray, rows: float) -> bool:
    """Whether these counts are as usual, but for noise or a trifle."""
    beyond_noise, size = surprise(now, shares, rows)
    return bool(beyond_noise <= _SURPRISE or size <= _TOLERANCE)


def beyond(now: float, n: float, share: float, rows: float) -> float:
    """By how many standard errors the count `now` of `n` rows is above the usual share."""
    pooled = min(max((now + share * rows + 0.5) / (n + rows + 1.0), 1e-12), 1.0 - 1e-12)
    return float((now / n - share) / np.sqrt(pooled * (1.0 - pooled) * (1.0 / n + 1.0 / max(rows, 1.0))))


def grew(count: int, n: int, *known: tuple[float, int]) -> bool:
    """Whether `count` of `n` rows are more than usual.

    `known` are shares and of how many rows they are, the rows just before first. Four standard errors above one of them
    suffice, if it is two above each: few rows just before do not hide what the whole reference never had.
    """
    if count < _LEAST_COUNT or not n:
        return False
    above = [
        np.inf if not share and rows >= _NEVER * count else beyond(count, n, share, rows)
        for share, rows in known
        if rows
    ]
    return bool(above) and max(above) >= _CLEARLY and min(above) >= _CLEARLY / 2.0
