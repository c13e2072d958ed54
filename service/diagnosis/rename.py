"""Which vanished field goes on under which new name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.distances import Fit, best_fit
from service.diagnosis.fields import Appeared, Vanished, as_many
from service.diagnosis.matching import cheapest_pairs
from service.diagnosis.name_similarity import name_similarity
from service.diagnosis.phrasing import of_rows, shown
from service.messages import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray = NDArray[np.float64]

_IMPOSSIBLE = 1e6
_NAMES_WEIGH = 12.0
"""Nats that the same letters in two names are worth against the values of the fields."""
_SAME_NAME = 0.8
_DRIFTED = 0.15
_FAR = 0.45
_MUCH_WORSE = 0.5
_TELLING = 2.5
_OWN_WORDS = 3
_ALL_KNOWN = 0.98


class Pair(NamedTuple):
    """A field's old and its new name, and how well values and names agree.

    `vocabulary` is the share of its texts that the old field is known to have held, if they are words of its own.
    """

    old: Vanished
    new: Appeared
    fit: Fit
    names: float
    vocabulary: float
    confidence: float = 0.0


def find_renames(gone: Sequence[Vanished], new: Sequence[Appeared]) -> list[Pair]:
    """The best assignment of new names to vanished fields, those pairs of it that are convincing."""
    pairs = [[_pair(old, one) for one in new] for old in gone]
    costs = np.array([[_cost(pair) for pair in row] for row in pairs]).reshape(len(gone), len(new))
    chosen = [(i, j) for i, j in cheapest_pairs(costs) if costs[i, j] < _IMPOSSIBLE]
    found = [
        pair._replace(confidence=_confidence(pair, _regret(costs, chosen, (i, j))))
        for i, j in chosen
        if (pair := pairs[i][j]) is not None
    ]
    return [pair for pair in found if pair.confidence >= 0.5]


def _regret(costs: FloatArray, chosen: Sequence[tuple[int, int]], pair: tuple[int, int]) -> float:
    """By what part the best assignment of these fields without this pair would cost more; inf if there is none."""
    i, j = (np.array(side) for side in zip(*chosen, strict=True))
    kept = costs[np.ix_(i, j)].copy()
    least = float(np.trace(kept))
    at = chosen.index(pair)
    kept[at, at] = _IMPOSSIBLE
    second = sum(float(kept[p]) for p in cheapest_pairs(kept))
    return (second - least) / max(least, 1.0) if second < _IMPOSSIBLE else np.inf


def diagnose_renames(pairs: Sequence[Pair], rows: int) -> list[Diagnosis]:
    """In words."""
    return [_told(pair, rows) for pair in pairs]


def _pair(old: Vanished, new: Appeared) -> Pair | None:
    """None if types or numbers of rows rule it out."""
    fit = best_fit(new.view, *old.usual)
    if fit is None or not as_many(old.rows, new.rows):
        return None
    return Pair(old, new, fit, name_similarity(old.column.name, new.column.name), _vocabulary(old, new))


def _vocabulary(old: Vanished, new: Appeared) -> float:
    """Texts in common prove more than their shares, which a season moves, unless they are but a few."""
    known = {text for view in old.usual for text in view.texts}
    if len(known) < _OWN_WORDS or not new.view.n_texts:
        return 0.0
    return sum(n for text, n in new.view.texts.items() if text in known) / new.view.n_texts


def _cost(pair: Pair | None) -> float:
    """In nats, never below zero, so that costs can be compared as parts of each other."""
    if pair is None:
        return _IMPOSSIBLE
    return min(pair.fit.nats, 0.1 * _IMPOSSIBLE) + _NAMES_WEIGH * (1.0 - pair.names)


def _confidence(pair: Pair, regret: float) -> float:
    """Values that agree say it alone, if there are enough different ones; names help, and may do without values.

    Where they drifted meanwhile, any other assignment of the fields must fit much worse (`regret`).
    """
    fit, alike = pair.fit, pair.names >= _SAME_NAME
    known_words = pair.vocabulary >= _ALL_KNOWN
    if fit.agrees:
        return 0.98 if alike or known_words or fit.cells >= _TELLING else 0.8
    if known_words:
        return 0.98 if alike else 0.9
    near = fit.distance <= fit.noise + _DRIFTED
    if alike:
        return 0.95 if near else 0.85
    if near:
        return 0.75 if regret >= _MUCH_WORSE else 0.0
    return 0.6 if regret >= _MUCH_WORSE and fit.distance <= _FAR else 0.0


def _told(pair: Pair, rows: int) -> Diagnosis:
    old, new = pair.old.column, pair.new.column
    share = pair.new.rows / max(1, rows)
    agrees = pair.fit.distance <= pair.fit.noise + _DRIFTED or pair.vocabulary >= _ALL_KNOWN
    why = "its values fit" if agrees else "its values changed too, but no other field is as near"
    sentence = f"feature {old.name} is sent as {shown(new.name)} {of_rows(share)}: {why}"
    evidence = {
        "rows_share": round(share, 4),
        "distance_of_values": round(pair.fit.distance, 4),
        "distance_by_chance": round(pair.fit.noise, 4),
        "similarity_of_names": round(pair.names, 2),
    }
    return Diagnosis(Cause.RENAME, (old, new), sentence, pair.confidence, evidence)
