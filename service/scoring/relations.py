"""How the features of a slice go together, beside the reference: correlations and the main subspace."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from detectors.correlation import Correlation
from detectors.joint import JointScore, MomentsPair, SecondMoments
from detectors.pca import Pca
from service.messages import Column, Finding, Role, Verdict

if TYPE_CHECKING:
    from service.sketches.pane import PaneSketch

FEWEST_ROWS = 30
METHODS: Mapping[str, Correlation | Pca] = {"correlation": Correlation(), "pca": Pca()}
TOLERANCES = {"correlation": 0.1, "pca": 1.05}
"""A correlation that moved by less, or a twentieth more variance outside the main subspace, is too small to matter."""


def moments_of(
    sketch: PaneSketch, left_out: Collection[Column] = ()
) -> tuple[SecondMoments, Sequence[Column]]:
    """Second moments of a sketch's features, and which they are."""
    moments = sketch.moments
    kept = [i for i, c in enumerate(moments.columns) if c.role is Role.FEATURE and c not in left_out]
    grid = np.ix_(kept, kept)
    made = SecondMoments(
        moments.rows, moments.present[kept], moments.mean()[kept], moments.covariance()[grid]
    )
    return made, [moments.columns[i] for i in kept]


def relation_findings(
    reference: PaneSketch,
    blocks: Sequence[PaneSketch],
    current: PaneSketch,
    alpha: float,
    ringing: Collection[Column],
) -> tuple[Finding, ...]:
    """One finding for each method, about the feature it comes from.

    `ringing` columns changed by themselves, and what they had in common with others with them: they are left out.
    """
    then, columns = moments_of(reference, ringing)
    now, _ = moments_of(current, ringing)
    if len(columns) < 2 or min(then.rows, now.rows) < FEWEST_ROWS:
        return ()
    pair = MomentsPair(then, tuple(moments_of(block, ringing)[0] for block in blocks), now)
    each = alpha / len(TOLERANCES)
    return tuple(_finding(name, METHODS[name].score(pair, each), columns) for name in TOLERANCES)


def _finding(name: str, joint: JointScore, columns: Sequence[Column]) -> Finding:
    score = joint.score
    if score.value is None or score.limit is None:
        verdict, limit = Verdict.TOO_LITTLE_DATA, score.limit
    else:
        limit = max(score.limit, TOLERANCES[name])
        verdict = Verdict.DRIFT if score.value > limit else Verdict.OK
    blamed = columns[int(np.argmax(joint.shares))] if verdict is Verdict.DRIFT and any(joint.shares) else None
    return Finding(
        blamed,
        name,
        score.value,
        limit,
        score.p_value,
        score.n,
        score.m,
        score.resolution,
        verdict,
        score.reason,
    )
