"""Changes too small to matter, in each method's own unit: below these nothing rings, however sure it is.

PSI 0.02 is a fifth of the field's "minor change"; the distances are those of a shift of about a tenth of a sigma.
"""

from __future__ import annotations

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


def tolerance_of(method: str, n: int, m: int, override: float | None) -> float:
    """The value below which a score of this method never rings."""
    if method == "chi_square":
        return CHI_SQUARE_EFFECT * n * m / max(1, n + m)
    return TOLERANCES.get(method, 0.0) if override is None else override
