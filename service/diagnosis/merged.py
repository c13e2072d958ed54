"""Fields that were put together into one, and one that was taken apart into several."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.distances import sample_distance
from service.diagnosis.fields import Appeared, Vanished, as_many
from service.diagnosis.phrasing import listed, of_rows, shown
from service.messages import Cause, Column

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from service.diagnosis.view import ColumnView, SliceView
    from service.reference.bins import BinnedColumn

FloatArray = NDArray[np.float64]

_SEPARATORS = (" ", ", ", ",", "_", "-", "|", "/", ":", ";", ".")
_NEARLY_ALL = 0.9
_MOST = 6
_LEAST_SAMPLE = 20
_NEARER = 0.6
_NOISE = 1.63


class Merge(NamedTuple):
    """Several fields and the one that holds them all; `split` if it was the one that vanished."""

    parts: tuple[Vanished | Appeared, ...]
    whole: Vanished | Appeared
    how: str
    confidence: float
    split: bool


def find_merges(gone: Sequence[Vanished], new: Sequence[Appeared], before: SliceView | None) -> list[Merge]:
    """Two vanished fields whose values stand together in one new field, as text or as a number."""
    found: list[Merge] = []
    for whole in new[:_MOST]:
        used = _used(found)
        left = [one for one in gone[:_MOST] if one.column not in used]
        pairs = [
            pair for pair in combinations(left, 2) if all(as_many(part.rows, whole.rows) for part in pair)
        ]
        candidates = [made for pair in pairs if (made := _merge(pair, whole, before)) is not None]
        if candidates:
            found.append(max(candidates, key=lambda made: made.confidence))
    return found


def find_splits(gone: Sequence[Vanished], new: Sequence[Appeared]) -> list[Merge]:
    """A vanished field of texts whose pieces are the values of several new ones."""
    found: list[Merge] = []
    for whole in gone[:_MOST]:
        used = _used(found)
        left = [one for one in new[:_MOST] if one.column not in used and as_many(whole.rows, one.rows)]
        if whole.usual and (made := _split(whole, left)) is not None:
            found.append(made)
    return found


def _used(found: Sequence[Merge]) -> frozenset[Column]:
    return frozenset(part.column for made in found for part in made.parts)


def diagnose_merges(merges: Sequence[Merge], rows: int) -> list[Diagnosis]:
    """In words."""
    return [_told(made, rows) for made in merges]


def _merge(pair: tuple[Vanished, Vanished], whole: Appeared, before: SliceView | None) -> Merge | None:
    first, second = (part.usual[0] for part in pair)
    if whole.view.n_texts > whole.view.n_numbers and first.texts and second.texts:
        separator = _separator(whole.view.texts, first.texts.keys(), second.texts.keys())
        return (
            Merge(pair, whole, f"joined by {separator!r}", 0.95, split=False)
            if separator is not None
            else None
        )
    if whole.view.numbers is None or before is None:
        return None
    return _computed(pair, whole, whole.view.numbers, before)


def _separator(texts: Mapping[str, int], first: Collection[str], second: Collection[str]) -> str | None:
    """What stands between a text of the one and a text of the other field, in nearly all rows."""
    total = sum(texts.values())
    for separator in _SEPARATORS:
        joined = sum(n for text, n in texts.items() if _is_joined(text, separator, first, second))
        if total and joined >= _NEARLY_ALL * total:
            return separator
    return None


def _is_joined(text: str, separator: str, first: Collection[str], second: Collection[str]) -> bool:
    pieces = text.split(separator)
    cuts = ((separator.join(pieces[:i]), separator.join(pieces[i:])) for i in range(1, len(pieces)))
    return any((a in first and b in second) or (a in second and b in first) for a, b in cuts)


_COMPUTED: tuple[tuple[str, Callable[[FloatArray, FloatArray], FloatArray]], ...] = (
    ("{a} + {b}", np.add),
    ("{a} x {b}", np.multiply),
    ("{a} - {b}", np.subtract),
    ("{b} - {a}", lambda a, b: b - a),
    ("{a} / {b}", lambda a, b: a / b),
    ("{b} / {a}", lambda a, b: b / a),
    ("the mean of {a} and {b}", lambda a, b: (a + b) / 2.0),
)


def _computed(
    pair: tuple[Vanished, Vanished], whole: Appeared, numbers: BinnedColumn, before: SliceView
) -> Merge | None:
    """What of rows just before, computed from both fields, has the new field's distribution while neither field has."""
    values = _sampled(pair, before)
    if values is None:
        return None
    n = values.shape[1]
    noise = _NOISE * float(np.sqrt(1.0 / n + 1.0 / max(1.0, whole.rows)))
    with np.errstate(all="ignore"):
        tried = [(how, np.asarray(combine(values[0], values[1]))) for how, combine in _COMPUTED]
    distances = [(sample_distance(made[np.isfinite(made)], numbers), how) for how, made in tried]
    distance, how = min(distances)
    alone = min(sample_distance(values[0], numbers), sample_distance(values[1], numbers))
    others = sorted(other for other, _ in distances)[1]
    if distance > noise or distance > _NEARER * alone:
        return None
    words = how.format(a=pair[0].column.name, b=pair[1].column.name)
    return Merge(pair, whole, words, 0.8 if others > distance + noise / 2.0 else 0.65, split=False)


def _sampled(pair: tuple[Vanished, Vanished], before: SliceView) -> FloatArray | None:
    """Rows just before in which both fields hold a number, (2, rows)."""
    if any(part.column not in before.joint_columns for part in pair):
        return None
    rows = before.joint[[before.joint_columns.index(part.column) for part in pair]]
    complete = rows[:, np.isfinite(rows).all(axis=0)]
    return complete if complete.shape[1] >= _LEAST_SAMPLE else None


def _split(whole: Vanished, new: Sequence[Appeared]) -> Merge | None:
    texts = whole.usual[-1].texts
    for count in range(min(3, len(new)), 1, -1):
        for parts in permutations(new, count):
            for separator in _SEPARATORS:
                pieces = [
                    text.split(separator, count - 1) for text in texts if text.count(separator) >= count - 1
                ]
                if len(pieces) >= _NEARLY_ALL * len(texts) > 0 and _hold(parts, pieces):
                    return Merge(parts, whole, f"cut at {separator!r}", 0.93, split=True)
    return None


def _hold(parts: Sequence[Appeared], pieces: Sequence[Sequence[str]]) -> bool:
    """Whether each new field holds the pieces of its place, as texts or as numbers."""
    return all(_holds(part.view, {piece[i] for piece in pieces}) for i, part in enumerate(parts))


def _holds(view: ColumnView, pieces: Collection[str]) -> bool:
    if view.n_texts >= view.n_numbers:
        known = sum(n for text, n in view.texts.items() if text in pieces)
        return known >= _NEARLY_ALL * view.n_texts
    numbers = [float(piece) for piece in pieces if piece.strip().lstrip("+-").replace(".", "", 1).isdigit()]
    within = view.numbers is not None and bool(numbers) and len(numbers) >= _NEARLY_ALL * len(pieces)
    return within and view.numbers is not None and {view.numbers.low, view.numbers.high} <= set(numbers)


def _told(made: Merge, rows: int) -> Diagnosis:
    parts = listed([shown(part.column.name) for part in made.parts])
    share = of_rows(made.whole.rows / max(1, rows))
    evidence: dict[str, float | str] = {
        "how": made.how,
        "rows_share": round(made.whole.rows / max(1, rows), 4),
    }
    if made.split:
        sentence = f"feature {made.whole.column.name} was taken apart into {parts} ({made.how}) {share}"
        columns = (made.whole.column, *(part.column for part in made.parts))
    else:
        sentence = f"features {parts} are sent as one, {shown(made.whole.column.name)} ({made.how}), {share}"
        columns = (*(part.column for part in made.parts), made.whole.column)
    return Diagnosis(Cause.SCHEMA_CHANGE, columns, sentence, made.confidence, evidence)
