"""A score held against how far windows of late stood out by the same score."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from detectors.pair import FloatArray
from detectors.score import Score, require_alpha

FEWEST_WINDOWS: Final = 12
TOO_FEW_WINDOWS: Final = "too_few_windows"
_CHANCE: Final = 0.5
_FOLDS: Final = 2
_ONE_IN: Final = 0.05


@dataclass(frozen=True, slots=True)
class AmongWindows:
    """An area under the ROC curve with the limit that windows of late ask for.

    Parameters
    ----------
    score : Score
        Its limit and p-value take in how much windows of late varied; no limit when there were too few of them.
    deviation : float
        By how many standard errors it is above chance, to be remembered as one of the past.

    Examples
    --------
    >>> AmongWindows(Score("domain_classifier", 0.5, 1.0, 0.7, 100, 100, 0.0), 0.0).deviation
    0.0
    """

    score: Score
    deviation: float


def among_windows(score: Score, past: FloatArray, alpha: float, overlap: int = 1) -> AmongWindows:
    """Return an area's limit given the deviations of windows of late.

    Parameters
    ----------
    score : Score
        Of `DomainClassifier` at alpha 0.05, with a value.
    past : (k,) float array
        Deviations of the k windows before, each against its own past, oldest first; at least 12 times `overlap`
        and `overlap` more, or nothing is said.
    alpha : float
        Probability of a false alarm, in (0, 1).
    overlap : int
        How many windows' rows each deviation is of, at least 1.

    Returns
    -------
    AmongWindows
        The limit is ``0.5 + s t e``: e is the area's standard error when nothing has changed, s is
        ``max(1, sqrt(mean(past**2)))`` without the latest `overlap` of them, which may be part of what rings now,
        and t the point that Student's law with ``f = k / overlap - 1`` degrees of freedom exceeds with
        probability alpha / 2; at most 1.

    Raises
    ------
    ValueError
        When alpha is outside (0, 1).

    Notes
    -----
    Null hypothesis: deviations are normal with mean 0 and one unknown variance, not below that of exchangeable
    rows, and independent of each other unless they share rows.
    Then ``deviation / s`` exceeds no value oftener than Student's law has it; alpha is halved for the two halves of
    the rows (see `DomainClassifier`), and deviations that share rows are counted as so many fewer.
    Seasons make every window differ from its past; then s is above 1, and only what stands out among them rings.
    False alarms: at or below alpha; deviations of one sign, as seasons have them, make s larger and alarms rarer.
    What rings raises s for the k windows after it.
    Cost: O(k).

    References
    ----------
    Student, "The probable error of a mean", Biometrika 6(1), 1908, doi:10.1093/biomet/6.1.1.

    Examples
    --------
    >>> told = Score("domain_classifier", 0.75, 1e-9, 0.55, 500, 500, 0.0)
    >>> calm, restless = np.full(25, 0.9), np.full(25, 3.0)
    >>> [round(among_windows(told, past, 1e-6).score.limit, 2) for past in (calm, restless)]
    [0.67, 1.0]
    >>> among_windows(told, calm[:12], 1e-6).score.reason
    'too_few_windows'
    """
    require_alpha(alpha)
    if score.value is None or score.limit is None:
        return AmongWindows(score, 0.0)
    error = (score.limit - _CHANCE) / -float(ndtri(_ONE_IN / _FOLDS))
    deviation = (score.value - _CHANCE) / error if error > 0 else 0.0
    known = past[:-overlap]
    freedom = known.size / overlap
    if freedom < FEWEST_WINDOWS:
        return AmongWindows(score._replace(p_value=None, limit=None, reason=TOO_FEW_WINDOWS), deviation)
    spread = max(1.0, sqrt(float(np.mean(known * known))))
    p_value = min(1.0, _FOLDS * float(stdtr(freedom, -deviation / spread)))
    limit = min(1.0, _CHANCE - float(stdtrit(freedom, alpha / _FOLDS)) * spread * error)
    return AmongWindows(score._replace(p_value=p_value, limit=limit), deviation)
