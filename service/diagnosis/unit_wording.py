"""What is said of unit changes, and the figures behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.conversions import linear_conversions
from service.diagnosis.explanation import Told
from service.diagnosis.phrasing import named, percent

if TYPE_CHECKING:
    from service.diagnosis.affine import Fit
    from service.diagnosis.conversions import Curved, Linear
    from service.diagnosis.drifts import Drifts
    from service.diagnosis.setting import Setting, Usual

FloatArray = NDArray[np.float64]
Figures = dict[str, float | str]

_MOST_NAMES = 4


class Part(NamedTuple):
    """A share of the rows, and its standard error."""

    share: float
    error: float


def tell_linear(setting: Setting, usual: Usual, drifts: Drifts, one: Linear, shares: FloatArray) -> Told:
    """A named conversion of all rows."""
    figures = _figures(setting, drifts, shares)
    figures |= {"ratio": one.ratio, "offset": one.offset, "share of rows": 1.0} | _interval(drifts.scale, one)
    brief, *others = _briefly(one)
    sentence = f"{named(setting.column)} is {formula(one)}: {one.names[0]}? {_fits(usual, figures)}"
    return Told(sentence, brief, figures, tuple(others))


def tell_part(
    setting: Setting, usual: Usual, drifts: Drifts, one: Linear, shares: FloatArray, part: Part
) -> Told:
    """A named conversion of a share of the rows."""
    figures = _figures(setting, drifts, shares)
    figures |= {"ratio": one.ratio, "offset": one.offset, "share of rows": part.share}
    figures |= {"error of the share": part.error}
    brief, *others = _briefly(one)
    where = f"in {percent(part.share)} of the rows"
    sentence = f"{named(setting.column)} is {formula(one)} {where}: {one.names[0]}? {_fits(usual, figures)}"
    return Told(sentence, brief, figures, tuple(others))


def tell_rescaled_part(
    setting: Setting, drifts: Drifts, ratios: FloatArray, odds: FloatArray, part: float, shares: FloatArray
) -> Told:
    """A share of the rows by a ratio in an interval."""
    upto = np.cumsum(odds)
    low, high = (float(ratios[min(len(upto) - 1, int(np.searchsorted(upto, at)))]) for at in (0.05, 0.95))
    figures = _figures(setting, drifts, shares)
    figures |= {"lowest ratio": low, "highest ratio": high, "share of rows": part}
    within = [
        one for one in linear_conversions() if 0.97 * low <= one.ratio <= 1.03 * high and not one.offset
    ]
    within.sort(key=lambda one: one.rarity)
    about = f"x{low:.2g}" if f"{low:.2g}" == f"{high:.2g}" else f"x{low:.2g} to x{high:.2g}"
    return Told(
        f"{named(setting.column)} is {about} in about {percent(part)} of the rows: another unit from one source?",
        f"{about} in a part of the rows",
        figures,
        tuple(_briefly(one)[0] for one in within[:_MOST_NAMES]),
    )


def tell_curved(setting: Setting, drifts: Drifts, one: Curved, shares: FloatArray) -> Told:
    """A monotone transform."""
    figures = _figures(setting, drifts, shares) | {"transform": one.name, "share of rows": 1.0}
    return Told(f"{named(setting.column)} holds {one.name} instead of the value", one.name, figures)


def tell_unnamed(setting: Setting, drifts: Drifts, scale: Fit) -> Told:
    """A ratio that no known units have."""
    figures = _figures(setting, drifts, scale.shares) | {"ratio": scale.value, "share of rows": 1.0}
    what = f"x{scale.value:.4g}, the ratio of no known units"
    return Told(
        f"{named(setting.column)} is {what}: another currency, or a new scale?",
        f"x{scale.value:.4g}: no known units",
        figures | _interval(scale, None),
    )


def tell_standardised(setting: Setting, drifts: Drifts, name: str) -> Told:
    """The column's own statistics."""
    figures = _figures(setting, drifts, drifts.affine.shares)
    figures |= {"ratio": drifts.affine.ratio, "offset": drifts.affine.offset, "share of rows": 1.0}
    what = f"{named(setting.column)} is {name}: it was prepared for training once more"
    return Told(what, name, figures)


def formula(one: Linear) -> str:
    """'x2.205', 'x1.8 + 32', '1 - x'."""
    if one.ratio == -1.0:
        return f"{one.offset:g} - x" if one.offset else "-x"
    ratio = "" if one.ratio == 1.0 else f"x{one.ratio:.4g}"
    if not one.offset:
        return ratio
    return f"{ratio} {'+' if one.offset > 0 else '-'} {abs(one.offset):.4g}".strip()


def _figures(setting: Setting, drifts: Drifts, shares: FloatArray) -> Figures:
    return {
        "psi before undoing it": round(setting.partition.psi(drifts.unchanged), 4),
        "psi after undoing it": round(setting.partition.psi(shares), 4),
    }


def _fits(usual: Usual, figures: Figures) -> str:
    where = "reference" if usual.name == "reference" else "rows just before"
    after, before = figures["psi after undoing it"], figures["psi before undoing it"]
    return f"undone, it fits the {where} (PSI {after:.2g}, before {before:.2g})"


def _interval(scale: Fit | None, one: Linear | None) -> Figures:
    """Three standard errors around the ratio that fits best, unless that is another than the one told."""
    if scale is None or (one is not None and (one.offset or one.ratio < 0)):
        return {}
    low, high = (float(scale.value * np.exp(times * scale.error)) for times in (-3, 3))
    if one is not None and not low <= one.ratio <= high:
        return {}
    return {"lowest ratio": low, "highest ratio": high}


def _briefly(one: Linear) -> list[str]:
    return [f"{formula(one)}: {name}" for name in one.names]
