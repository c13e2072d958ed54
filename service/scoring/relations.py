"""How the features of a slice go together, beside the reference: correlations and the main subspace."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detectors.correlation import Correlation
from detectors.joint import JointScore, MomentsPair, SecondMoments
from detectors.pca import Pca
from service.messages import Column, Finding, Role, Verdict
from service.scoring.verdicts import finding_of

if TYPE_CHECKING:
    from service.sketches.pane import PaneSketch

FEWEST_ROWS = 30
CORRELATION = "correlation"
TESTS = 3
"""Correlations and the subspace here, and the classifier of sampled rows (`apart`): each has as much of the budget."""
FEWEST_BLOCKS = 8
"""The subspace needs to know how blocks vary; correlations have a law of their own."""
METHODS: Mapping[str, Correlation | Pca] = {CORRELATION: Correlation(), "pca": Pca()}
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


@dataclass(frozen=True, slots=True)
class Relations:
    """How the features of a reference go together: of all its rows, and of its consecutive blocks."""

    whole: SecondMoments
    blocks: tuple[SecondMoments, ...]
    columns: tuple[Column, ...]
    left_out: frozenset[Column]


def relations_of(
    reference: PaneSketch, blocks: Sequence[PaneSketch], left_out: frozenset[Column] = frozenset()
) -> Relations:
    """The relations of the features but for those that are left out."""
    whole, columns = moments_of(reference, left_out)
    parts = tuple(moments_of(block, left_out)[0] for block in blocks)
    return Relations(whole, parts, tuple(columns), left_out)


def relation_findings(usual: Relations, current: PaneSketch, alpha: float) -> tuple[Finding, ...]:
    """One finding for each method, about the feature it comes from.

    Columns that changed by themselves should be left out: what they had in common with others changes with them.
    """
    now, _ = moments_of(current, usual.left_out)
    if len(usual.columns) < 2 or min(usual.whole.rows, now.rows) < FEWEST_ROWS:
        return ()
    pair = MomentsPair(usual.whole, usual.blocks, now)
    names = [name for name in METHODS if name == CORRELATION or len(usual.blocks) >= FEWEST_BLOCKS]
    each = alpha / TESTS
    return tuple(_finding(name, METHODS[name].score(pair, each), usual.columns) for name in names)


def _finding(name: str, joint: JointScore, columns: Sequence[Column]) -> Finding:
    found = finding_of(None, joint.score, TOLERANCES[name])
    if found.verdict is not Verdict.DRIFT or not any(joint.shares):
        return found
    return found._replace(column=columns[int(np.argmax(joint.shares))])
