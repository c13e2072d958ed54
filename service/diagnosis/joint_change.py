"""Which two features go together otherwise than before, though neither they nor any correlation need have changed."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.phrasing import listed, shown
from service.messages import Cause, Column
from service.scoring.apart import ToldApart, told_apart
from service.scoring.sampled_rows import SampledRows
from service.sketches.sample import FloatArray

_MOST_FEATURES = 5
_LEAST_SHARE = 0.02
_PAIR = 2
_ALONE = 4.0
"""Two features explain it if a classifier that sees only them is so many standard errors above chance."""
_MOVED = 4.0
_CLOSEST = 0.999
_SURE, _LIKELY = 0.8, 0.6


class Moved(NamedTuple):
    """A correlation between two features, or how far they are from their middles, before and now."""

    words: str
    was: float
    now: float
    sigmas: float


def diagnose_joint_change(before: SampledRows, now: SampledRows) -> Diagnosis | None:
    """The two features that tell the window's rows from those before best; else those that tell them together.

    None when rows or columns are too few.
    """
    told = told_apart(before, now)
    if told is None or not any(told.shares.values()):
        return None
    ranked = sorted(told.shares, key=lambda column: -told.shares[column])
    suspects = [
        c for at, c in enumerate(ranked[:_MOST_FEATURES]) if at < _PAIR or told.shares[c] >= _LEAST_SHARE
    ]
    pairs = {pair: told_apart(before.of(pair), now.of(pair)) for pair in combinations(suspects, 2)}
    known = {pair: one for pair, one in pairs.items() if one is not None and one.deviation >= _ALONE}
    if not known:
        return _of_many(told, suspects)
    pair = max(known, key=lambda one: known[one].deviation)
    return _of_two(told, pair, known[pair], _moved(before.of(pair), now.of(pair)))


def _of_two(told: ToldApart, pair: tuple[Column, ...], alone: ToldApart, moved: Moved | None) -> Diagnosis:
    one, two = (shown(column.name) for column in pair)
    how = "a classifier tells their rows from those just before"
    evidence = {**_evidence(told), "area_of_the_two": round(alone.score.value or 0.0, 3)}
    if moved is not None:
        how = f"{moved.words.format(one=one, two=two)} went from {moved.was:.2f} to {moved.now:.2f}"
        evidence |= {"correlation_usual": round(moved.was, 3), "correlation": round(moved.now, 3)}
    sentence = f"features {one} and {two} go together otherwise than before, while each looks as usual: {how}"
    return Diagnosis(Cause.CORRELATION_BREAK, pair, sentence, _LIKELY if moved is None else _SURE, evidence)


def _of_many(told: ToldApart, suspects: list[Column]) -> Diagnosis:
    names = listed([shown(column.name) for column in suspects])
    sentence = (
        f"features {names} go together otherwise than before, while each looks as usual: a classifier tells the rows "
        "from those just before, though by no two of them alone"
    )
    return Diagnosis(Cause.CORRELATION_BREAK, tuple(suspects), sentence, _LIKELY, _evidence(told))


def _evidence(told: ToldApart) -> dict[str, float | str]:
    return {
        "area_under_the_curve": round(told.score.value or 0.0, 3), "rows": told.score.n, "rows_before": told.score.m,
    }  # fmt: skip


def _moved(before: SampledRows, now: SampledRows) -> Moved | None:
    """What has changed most between two features: their rank correlation, or one with a distance from the middle."""
    then, since = _correlations(before.ranks()), _correlations(now.ranks())
    error = float(np.sqrt(1.0 / max(before.rows - 3, 1) + 1.0 / max(now.rows - 3, 1)))
    words = (
        "their rank correlation", "the correlation of {two} with how far {one} is from its middle",
        "the correlation of {one} with how far {two} is from its middle",
        "the correlation of how far both are from their middles",
    )  # fmt: skip
    changes = np.abs(np.arctanh(since) - np.arctanh(then)) / error
    place = int(np.argmax(changes))
    if changes[place] < _MOVED:
        return None
    return Moved(words[place], float(then[place]), float(since[place]), float(changes[place]))


def _correlations(ranks: FloatArray) -> FloatArray:
    """(4,) of two columns' ranks (2, n), with Legendre's second polynomial for the distance from the middle."""
    whole = 2 * ranks[:, np.isfinite(ranks).all(axis=0)] - 1
    away = 1.5 * whole * whole - 0.5
    pairs = ((whole[0], whole[1]), (away[0], whole[1]), (whole[0], away[1]), (away[0], away[1]))
    found = [float(np.mean(x * y) / max(float(x.std() * y.std()), 1e-9)) for x, y in pairs if x.size]
    return np.clip(found or [0.0] * len(pairs), -_CLOSEST, _CLOSEST)
