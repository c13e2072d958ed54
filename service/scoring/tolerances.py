"""Changes too small to matter, in each method's own unit: below these nothing rings, however sure it is.

PSI 0.02 is a fifth of the field's "minor change"; the distances are those of a shift of about a tenth of a sigma.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detectors.column_scores import ColumnScores
    from detectors.pair import FloatArray

TOLERANCES = {
    "psi": 0.02,
    "js_distance": 0.05,
    "hellinger": 0.05,
    "tv": 0.03,
    "l_infinity": 0.02,
    "ks": 0.03,
    "wasserstein": 0.08,
}
CHI_SQUARE_EFFECT = 0.02
"""Chi-square grows with the sample sizes, so its tolerance is this effect times n m / (n + m)."""

RATE_TOLERANCE = 0.002
"""For missing, unseen and out-of-range values: two rows in a thousand more than in the reference."""


def tolerances_of(scores: ColumnScores, overrides: Sequence[float | None]) -> FloatArray:
    """(C,) the values below which the scores of the first C columns never ring."""
    if scores.method == "chi_square":
        n, m = scores.n, scores.m
        return np.asarray(CHI_SQUARE_EFFECT * n * m / np.maximum(1, n + m))
    usual = TOLERANCES.get(scores.method, 0.0)
    return np.array([usual if one is None else one for one in overrides[: len(scores.n)]])
