"""Texts that are all known, but in other shares: codes that changed places, a default that took rows, plain drift."""

from __future__ import annotations

from math import lgamma
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.matching import cheapest_pairs
from service.diagnosis.phrasing import listed, named, of_rows, percent, shown
from service.diagnosis.placeholders import may_be_default
from service.diagnosis.shares import UsualTexts, beyond, surprise, unchanged
from service.diagnosis.view import ColumnView
from service.messages import LABEL, Cause, Role

FloatArray = NDArray[np.float64]

_MOST_CODES = 40
_FAR = 30.0
"""Codes changed places only if the shares are so many standard deviations of noise from usual,"""
_MOVED = 0.1
"""and a category's share moved by so much at least."""
_SIGMAS = 5.0
_LEAST_REST = 2
_LEAST_CODES, _MANY = 3, 200


class Shift(NamedTuple):
    """Counts now and usual shares of the same texts, most usual first."""

    texts: tuple[str, ...]
    now: FloatArray
    usual: FloatArray
    rows: float

    @property
    def n(self) -> float:
        """Rows now, of these texts."""
        return float(self.now.sum())

    @property
    def moved(self) -> FloatArray:
        """By how much each share grew."""
        return np.asarray(self.now / max(self.n, 1.0) - self.usual)


def shift_of(usual: UsualTexts, current: ColumnView) -> Shift:
    """The known texts before and now."""
    texts = tuple(sorted(usual.shares, key=lambda text: (-usual.shares[text], text)))
    shares = np.array([usual.shares[text] for text in texts])
    now = np.array([current.texts.get(text, 0) for text in texts], np.float64)
    return Shift(texts, now, shares / shares.sum() if len(shares) else shares, usual.rows)


def exchanged(shift: Shift) -> list[tuple[str, str]]:
    """Pairs (old, new) of known codes that changed places among themselves, as of an encoder that was trained anew."""
    few = 2 <= len(shift.texts) <= _MOST_CODES
    if not few or shift.n == 0 or surprise(shift.now, shift.usual, shift.rows)[0] < _FAR:
        return []
    smooth = np.log((shift.usual * shift.rows + 0.5) / (shift.rows + 0.5 * len(shift.usual)))
    stays = 1e-6 * np.eye(len(shift.texts))
    places = np.array([j for _, j in cheapest_pairs(-np.outer(shift.now, smooth) - stays)])
    fits = surprise(shift.now, shift.usual[places], shift.rows)[0] <= _SIGMAS
    if not fits or np.abs(shift.moved).max() < _MOVED:
        return []
    moved = [i for i in np.argsort(-shift.now, kind="stable").tolist() if places[i] != i and shift.now[i]]
    if len(moved) > 2 and _misfit_alone(shift) <= _misfit(
        shift.now, shift.usual[places], shift
    ) + _codes_nats(len(moved)):
        return []
    return [(shift.texts[places[i]], shift.texts[i]) for i in moved]


def _misfit(now: FloatArray, usual: FloatArray, shift: Shift) -> float:
    """The likelihood ratio statistic."""
    degrees = max(1, len(now) - 1)
    return float(surprise(now, usual, shift.rows)[0] * np.sqrt(2.0 * degrees) + degrees)


def _misfit_alone(shift: Shift) -> float:
    """The same if one text took rows from all others: it passes those of about the same share, which is no exchange."""
    rest = np.arange(len(shift.texts)) != int(np.argmax(shift.moved))
    return _misfit(shift.now[rest], shift.usual[rest], shift)


def _codes_nats(codes: int) -> float:
    """What it costs that the best of so many orders was picked."""
    return lgamma(codes + 1)


def diagnose_exchange(shift: Shift, current: ColumnView, *, stable: bool | None) -> Diagnosis | None:
    """Three codes or more that changed places; two do so by drift too often to be told from it.

    `stable`: the rows just before were as the reference, so that no season moves the shares (None: not known).
    """
    pairs = exchanged(shift)
    if len(pairs) < _LEAST_CODES or stable is False:
        return None
    arrows = [f"{shown(old)} -> {shown(new)}" for old, new in pairs]
    certain = (len(pairs) > _LEAST_CODES or shift.n >= _MANY) and stable is True
    told = f"{listed(arrows, 4)}; put back, the shares are as usual"
    sentence = f"the codes of {named(current.column)} changed places: {told}"
    evidence: dict[str, float | str] = {"mapping": "; ".join(arrows[:20]), "categories_moved": len(pairs)}
    return Diagnosis(
        Cause.CATEGORY_ENCODING,
        (current.column,),
        sentence,
        0.85 if certain else 0.55,
        evidence,
        ("the mix itself changed so",),
    )


def grown_alone(shift: Shift) -> int | None:
    """The one text that took rows from all the others in proportion; None when the change is another one."""
    if len(shift.texts) < 2 or shift.n == 0:
        return None
    most = int(np.argmax(shift.moved))
    rest = np.arange(len(shift.texts)) != most
    if beyond(shift.now[most], shift.n, float(shift.usual[most]), shift.rows) < _SIGMAS:
        return None
    return most if unchanged(shift.now[rest], shift.usual[rest], shift.rows) else None


def diagnose_fill(shift: Shift, current: ColumnView, *, stable: bool | None) -> Diagnosis | None:
    """A known default that stands in rows where other values belong. `stable` as for `diagnose_exchange`."""
    most = grown_alone(shift) if current.column.role is Role.FEATURE else None
    if most is None or not may_be_default(shift.texts[most]):
        return None
    usual, now = float(shift.usual[most]), float(shift.now[most] / shift.n)
    filled = (now - usual) / max(1.0 - usual, 1e-9)
    rest = int(np.count_nonzero(shift.usual * shift.n >= _SIGMAS)) - 1
    sentence = (
        f"{named(current.column)} is filled with {shown(shift.texts[most])} {of_rows(filled)} that had other values: "
        f"its share went from {percent(usual)} to {percent(now)}, the others shrank alike"
    )
    evidence = {"filled_share": round(filled, 4), "share_usual": round(usual, 4), "share": round(now, 4)}
    confidence = 0.9 if rest > _LEAST_REST else 0.75 if rest == _LEAST_REST else 0.55
    confidence = min(confidence, 0.55) if stable is False else confidence
    return Diagnosis(Cause.DEFAULT_FILL, (current.column,), sentence, confidence, evidence)


def diagnose_mix(shift: Shift, current: ColumnView) -> Diagnosis | None:
    """Which texts grew and shrank, when that is more than noise."""
    if shift.n == 0 or unchanged(shift.now, shift.usual, shift.rows):
        return None
    grew = [i for i in np.argsort(-shift.moved, kind="stable").tolist() if shift.moved[i] > 0]
    shrank = [i for i in np.argsort(shift.moved, kind="stable").tolist() if shift.moved[i] < 0]
    telling = [
        _change(shift, i)
        for i in [*grew[:2], *shrank[:2]]
        if abs(shift.moved[i]) >= 0.1 * np.abs(shift.moved).max()
    ]
    alone = grown_alone(shift)
    how = ", the others shrank alike" if alone is not None and len(shift.texts) > 2 else ""
    told = listed(telling[:1] if how else telling, 4)
    evidence: dict[str, float | str] = {"moved_share": round(float(np.abs(shift.moved).sum()) / 2.0, 4)}
    evidence |= {shown(shift.texts[i]): round(float(shift.moved[i]), 4) for i in [*grew[:3], *shrank[:3]]}
    sentence = f"the mix of {named(current.column)} changed: {told}{how}"
    pair = exchanged(shift)
    other = (
        (f"the codes {shown(pair[0][0])} and {shown(pair[0][1])} changed places",) if len(pair) == 2 else ()
    )
    return Diagnosis(_drift_of(current), (current.column,), sentence, 0.7 if how else 0.6, evidence, other)


def _change(shift: Shift, i: int) -> str:
    now, usual = float(shift.now[i] / shift.n), float(shift.usual[i])
    return f"{shown(shift.texts[i])} went from {percent(usual)} to {percent(now)}"


def _drift_of(view: ColumnView) -> Cause:
    return Cause.PREDICTION_DRIFT if view.column.role is Role.PREDICTION else Cause.DATA_DRIFT


def is_label(view: ColumnView) -> bool:
    """Whether the column holds labels."""
    return view.column == LABEL
