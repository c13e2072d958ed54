"""The scale and the shift that carry a column's usual rows nearest to the current ones, with how sure they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.diagnosis.setting import Setting, Usual

FloatArray = NDArray[np.float64]

_LEVELS = np.array([0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9])
_NEXT_TO_ZERO = 1e-150
_DROP = 2.0
"""The evidence falls by this much at two standard errors from the best value."""


class Fit(NamedTuple):
    """The best value, its standard error, the shares of the cells and their evidence."""

    value: float
    error: float
    shares: FloatArray
    evidence: float


class AffineFit(NamedTuple):
    """Values became ratio * value + offset, if anything."""

    ratio: float
    offset: float
    shares: FloatArray
    evidence: float


def best_scale(setting: Setting, usual: Usual) -> Fit | None:
    """The best positive ratio; None for a column around which nothing can be scaled (its quantiles are zero).

    Where exact values repeat, the evidence has needles; its error is that of a normal column at least.
    """
    old, new = usual.curve.quantiles(_LEVELS), setting.current.quantiles(_LEVELS)
    told = (old * new > 0) & (np.abs(old) > _NEXT_TO_ZERO) & (np.abs(new) > _NEXT_TO_ZERO)
    if not told.any():
        return None
    centre = float(np.median(np.log(new[told] / old[told])))
    fit = _climb(setting, usual, centre, (0.5, 0.06, 0.008), lambda at: _scaled(setting, at))
    centres = abs(float(usual.curve.quantiles(np.array([0.5]))[0])) / max(usual.curve.spread(), 1e-150)
    least = 1.0 / float(np.sqrt(setting.partition.rows * (2.0 + centres**2)))
    return fit._replace(value=float(np.exp(fit.value)), error=max(fit.error, least))


def best_shift(setting: Setting, usual: Usual) -> Fit:
    """The best offset, in the column's unit."""
    spread = max(usual.curve.spread(), 1e-12)
    centre = float(np.median(setting.current.quantiles(_LEVELS) - usual.curve.quantiles(_LEVELS)))
    return _climb(
        setting,
        usual,
        centre,
        (0.5 * spread, 0.06 * spread),
        lambda at: setting.partition.edges - at[:, None],
    )


def best_affine(setting: Setting, usual: Usual) -> AffineFit:
    """Ratio and offset together, by refining a grid around those of the quantiles."""
    spread, now = max(usual.curve.spread(), 1e-12), max(setting.current.spread(), 1e-12)
    middle, middle_now = (float(one.quantiles(np.array([0.5]))[0]) for one in (usual.curve, setting.current))
    log_ratio, moved = float(np.log(now / spread)), middle_now
    reach = 0.4
    best = AffineFit(1.0, 0.0, setting.partition.shares(usual.curve), -np.inf)
    steps = np.linspace(-1.0, 1.0, 7)
    for _ in range(4):
        ratios = np.exp(log_ratio + reach * np.repeat(steps, 7))
        middles = moved + reach * now * np.tile(steps, 7)
        offsets = middles - ratios * middle
        shares = setting.partition.shares(
            usual.curve, (setting.partition.edges - offsets[:, None]) / ratios[:, None]
        )
        evidence = setting.evidence(usual, shares)
        at = int(np.argmax(evidence))
        if evidence[at] > best.evidence:
            best = AffineFit(float(ratios[at]), float(offsets[at]), shares[at], float(evidence[at]))
            log_ratio, moved = float(np.log(ratios[at])), float(middles[at])
        reach *= 0.4
    return best


def _scaled(setting: Setting, logs: FloatArray) -> FloatArray:
    return np.asarray(setting.partition.edges * np.exp(-logs)[:, None])


def _climb(
    setting: Setting,
    usual: Usual,
    centre: float,
    widths: tuple[float, ...],
    undone: Callable[[FloatArray], FloatArray],
) -> Fit:
    """Look around the centre, then ever closer around the best, until the interval fills what is looked at."""
    error = widths[0]
    for width in widths:
        at = centre + width * np.linspace(-1.0, 1.0, 41)
        shares = setting.partition.shares(usual.curve, undone(at))
        evidence = setting.evidence(usual, shares)
        best = int(np.argmax(evidence))
        near = at[evidence > evidence[best] - _DROP]
        error = max(float(near[-1] - near[0]) / 4, width / 80)
        fit = Fit(float(at[best]), error, shares[best], float(evidence[best]))
        centre = fit.value
        if error > width / 12:
            break
    return fit
