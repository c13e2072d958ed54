"""Whether a column's texts were written in another way, or given other codes: married -> MARRIED, US -> USA."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.matching import cheapest_pairs
from service.diagnosis.phrasing import listed, named, of_rows, shown
from service.diagnosis.rewriting import canonical, renaming, rewriting
from service.diagnosis.shares import UsualTexts, beyond, surprise, unchanged
from service.messages import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.diagnosis.view import ColumnView

_LEAST_ROWS = 3
_MOST_TEXTS = 60
"""Of so many vanished and new texts, the most frequent ones, pairs are looked for."""

_MOST = 0.8
"""A recoding accounts for this part of the new rows at least; what is left is news beside it."""

_LEAST_LOSS = 0.5
"""A text has vanished if less than this part of its rows is left; in a partial rollout more than that may be."""

_SIGMAS = 4.0
_FREE = _SIGMAS**2
_CLEARLY = 3.0
_LEAST_CODES, _FITS = 3, 3.0
_LETTERS_HELP = 8.0
_WELL_SEEN = 10.0
_FEW = 0.01
_NEARLY_ALL, _MANY_TIMES, _FREQUENT = 0.98, 2, 0.05
_LIKELIEST = 0.5


@dataclass(frozen=True, slots=True)
class Recoding:
    """Pairs (old, new) of texts, most rows first, and how each new one was made of the old one (None: codes only).

    `all_of`: so many frequent texts were replaced, and no known one is left (0: known ones are left).
    """

    pairs: Sequence[tuple[str, str]]
    how: Sequence[str | None]
    rows: int
    ambiguous: bool = False
    all_of: int = 0

    @property
    def explained(self) -> frozenset[str]:
        """The new texts."""
        return frozenset(new for _, new in self.pairs)


def find_rewriting(usual: UsualTexts, fresh: Mapping[str, int]) -> Recoding | None:
    """New texts that are known ones written in another way; None when they are less than half of the new rows."""
    known: dict[str, str] = {}
    for text in sorted(usual.shares, key=lambda text: usual.shares[text]):
        known[canonical(text)] = text
    found = [(known[canonical(new)], new, n) for new, n in fresh.items() if canonical(new) in known]
    rows = sum(n for _, _, n in found)
    if rows < _LEAST_ROWS or 2 * rows < sum(fresh.values()):
        return None
    return Recoding([(o, n) for o, n, _ in found], [rewriting(o, n) for o, n, _ in found], rows)


def find_codes(usual: UsualTexts, fresh: Mapping[str, int], current: ColumnView) -> Recoding | None:
    """New texts that took over the rows of known ones, matched by how frequent they are and by letters.

    Three ways are tried: texts that vanished, in all rows; known texts that lost rows to new ones that could stand
    for them by their letters; all texts at once in a share of the rows, so that the new ones are spread as usual.
    """
    news = list(fresh)[:_MOST_TEXTS]
    if not news or sum(fresh[text] for text in news) < _LEAST_ROWS:
        return None
    n = current.n_texts
    lost = {text: usual.shares[text] * n - current.texts.get(text, 0) for text in usual.shares}
    lettered = [text for text in usual.shares if any(renaming(text, new) for new in news)]
    return (
        _all_replaced(usual, fresh, n)
        or _taken_over({text: lost[text] for text in _vanished(usual, current)}, fresh, n / usual.rows)
        or _taken_over({text: lost[text] for text in lettered}, fresh, n / usual.rows, by_letters=True)
        or _all_at_once(usual, fresh)
    )


def _all_replaced(usual: UsualTexts, fresh: Mapping[str, int], n: int) -> Recoding | None:
    """Every text is new, and about as many as there were: matched by rank, and by letters where these tell."""
    expected = {text: share * n for text, share in usual.shares.items() if share * n >= 1.0}
    alike = len(expected) <= _MANY_TIMES * len(fresh) and len(fresh) <= _MANY_TIMES * len(usual.shares)
    frequent = min(sum(rows >= _FREQUENT * n for rows in counts.values()) for counts in (expected, fresh))
    if sum(fresh.values()) < _NEARLY_ALL * n or not alike or frequent < 2:
        return None
    gone, news = sorted(expected, key=lambda t: (-expected[t], t))[:_MOST_TEXTS], list(fresh)[:_MOST_TEXTS]
    less, more = np.sqrt([expected[t] for t in gone])[:, None], np.sqrt([fresh[t] for t in news])[None, :]
    letters = np.array([[renaming(old, new) is not None for new in news] for old in gone])
    chosen = cheapest_pairs((less - more) ** 2 - _LETTERS_HELP * letters)
    pairs = sorted(((gone[i], news[j]) for i, j in chosen), key=lambda pair: -fresh[pair[1]])
    near = any(abs(less[i, 0] - less[k, 0]) <= _CLEARLY for i, _ in chosen for k, _ in chosen if k != i)
    return Recoding(pairs, [renaming(*pair) for pair in pairs], sum(fresh.values()), near, frequent)


def _all_at_once(usual: UsualTexts, fresh: Mapping[str, int]) -> Recoding | None:
    """All texts in a share of the rows; only the frequencies speak for it, so that they have to fit well."""
    rows = sum(fresh.values())
    expected = {text: share * rows for text, share in usual.shares.items() if share * rows >= 1.0}
    if len(expected) < _LEAST_CODES or len(fresh) != len(expected):
        return None
    found = _taken_over(expected, fresh, rows / usual.rows)
    if found is None or len(found.pairs) < len(expected):
        return None
    now = np.array([fresh[new] for _, new in found.pairs], np.float64)
    shares = np.array([usual.shares[old] for old, _ in found.pairs])
    return found if surprise(now, shares, usual.rows)[0] <= _FITS else None


def _taken_over(
    lost: Mapping[str, float], fresh: Mapping[str, int], ratio: float, *, by_letters: bool = False
) -> Recoding | None:
    """The best pairs of lost and gained rows; None unless they account for nearly all of both."""
    gone, news = sorted(lost, key=lambda t: (-lost[t], t))[:_MOST_TEXTS], list(fresh)[:_MOST_TEXTS]
    if not gone:
        return None
    less, more = (
        np.array([lost[t] for t in gone])[:, None],
        np.array([float(fresh[t]) for t in news])[None, :],
    )
    apart = (less - more) ** 2 / (np.maximum((less + more) / 2.0, 1.0) * (1.0 + ratio))
    letters = np.array([[renaming(old, new) is not None for new in news] for old in gone])
    allowed = (apart <= _FREE) & (letters | (not by_letters))
    costs = np.where(allowed, apart, 4.0 * _FREE) - _LETTERS_HELP * letters
    chosen = sorted((p for p in cheapest_pairs(costs) if allowed[p]), key=lambda pair: -more[0, pair[1]])
    rows, accounted = sum(more[0, j] for _, j in chosen), sum(less[i, 0] for i, _ in chosen)
    if not chosen or rows < _MOST * sum(fresh.values()) or accounted < _MOST * less[less > 0].sum():
        return None
    pairs = [(gone[i], news[j]) for i, j in chosen]
    alike = any(allowed[i, k] and not letters[i, j] for i, j in chosen for _, k in chosen if k != j)
    return Recoding(pairs, [renaming(*pair) for pair in pairs], int(rows), alike)


def _vanished(usual: UsualTexts, current: ColumnView) -> list[str]:
    """Texts that lost most of their rows and more than noise takes, the most frequent first."""
    n = current.n_texts
    gone = [
        text
        for text, share in usual.shares.items()
        if current.texts.get(text, 0) < (1.0 - _LEAST_LOSS) * share * n
        and beyond(current.texts.get(text, 0), n, share, usual.rows) < -_CLEARLY
    ]
    return sorted(gone, key=lambda text: (-usual.shares[text], text))


def as_before(usual: UsualTexts, current: ColumnView, recoding: Recoding) -> bool:
    """Whether the shares are as usual once the recoding is undone."""
    undone = Counter({text: n for text, n in current.texts.items() if text in usual.shares})
    for old, new in recoding.pairs:
        undone[old] += current.texts[new]
    order = sorted(usual.shares)
    now = np.array([undone[text] for text in order], np.float64)
    return unchanged(now, np.array([usual.shares[text] for text in order]), usual.rows)


def told(
    usual: UsualTexts,
    current: ColumnView,
    recoding: Recoding,
    confidence: float,
    alternatives: tuple[str, ...] = (),
) -> Diagnosis:
    """The diagnosis in words."""
    old = {old for old, _ in recoding.pairs}
    of = sum(1 for text, share in usual.shares.items() if share * current.n_texts >= 1.0 or text in old)
    fits = as_before(usual, current, recoding)
    again = "shares within noise once undone" if fits else "though the shares differ too once undone"
    arrows = [f"{shown(was)} -> {shown(now)}" for was, now in recoding.pairs]
    how = _commonest(recoding)
    sentence = (
        f"{named(current.column)} is written {how} {of_rows(recoding.rows / max(1, current.n_texts))}: "
        f"{listed(arrows, 4)} ({len(old)} of {of} categories, {again})"
    )
    evidence: dict[str, float | str] = {
        "rows_share": round(recoding.rows / max(1, current.n_texts), 4),
        "categories_matched": len(old),
        "categories": of,
        "mapping": "; ".join(arrows[:20]),
        "shares_fit_once_undone": "yes" if fits else "no",
    }
    sure = confidence if fits else confidence - 0.06
    return Diagnosis(Cause.CATEGORY_ENCODING, (current.column,), sentence, sure, evidence, alternatives)


def _commonest(recoding: Recoding) -> str:
    """How most of the texts were made, or that they are other codes."""
    (how, count), *_ = Counter(recoding.how).most_common(1)
    return how if how is not None and 2 * count >= len(recoding.how) else "in other codes"


def diagnose_recoding(
    usual: UsualTexts, fresh: Mapping[str, int], current: ColumnView, *, stable: bool | None
) -> tuple[Diagnosis, frozenset[str]] | None:
    """The recoding, and the new texts that it explains; None when there is none.

    `stable`: the rows just before were as the reference, so that no season moves the texts (None: not known).
    """
    if (rewritten := find_rewriting(usual, fresh)) is not None:
        return told(usual, current, rewritten, 0.97), rewritten.explained
    if usual.unkept > _FEW or (codes := find_codes(usual, fresh, current)) is None:
        return None
    if (sure := _sure(usual, codes, current, stable=stable)) < _LIKELIEST:
        return None
    return told(usual, current, codes, sure, _others(codes)), codes.explained


def _sure(usual: UsualTexts, codes: Recoding, current: ColumnView, *, stable: bool | None) -> float:
    """Letters that tell leave no doubt. By frequency alone, months and seasons replace each other as codes do."""
    if sum(how is not None for how in codes.how) * 2 >= len(codes.how):
        return 0.95
    if stable is False:
        return 0.8 if codes.all_of >= _LEAST_CODES else 0.0
    if len(codes.pairs) > 1:
        sure = 0.85 if codes.ambiguous else 0.92
    else:
        sure = 0.75 if _others_stay(usual, codes, current, 1 if stable else 2) else 0.0
    return sure if stable or codes.all_of >= _LEAST_CODES else min(sure, 0.65)


def _others_stay(usual: UsualTexts, codes: Recoding, current: ColumnView, least: int) -> bool:
    """Whether so many other texts at least are there, and as frequent as ever."""
    old = {old for old, _ in codes.pairs}
    rest = [
        text
        for text, share in usual.shares.items()
        if text not in old and share * current.n_texts >= _WELL_SEEN
    ]
    now = np.array([current.texts.get(text, 0) for text in rest], np.float64)
    return len(rest) >= least and unchanged(now, np.array([usual.shares[text] for text in rest]), usual.rows)


def _others(codes: Recoding) -> tuple[str, ...]:
    if len(codes.pairs) == 1 and codes.how[0] is None:
        return ("one category went away and a new one came",)
    if codes.ambiguous:
        return ("which of the equally frequent codes stands for which is a guess",)
    return ()
