"""Whether a classifier tells a window's rows from those before by how their features go together.

Each side's columns are made uniform by ranks first, and those that one side misses more often are left out, so that
nothing of the columns themselves is left to tell: what changed in one of them rings by its own evidence. Seasons change
relations, too: how well windows of late were told apart decides how well this one must be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detectors.among_windows import among_windows
from detectors.domain_classifier import DomainClassifier
from detectors.joint import BoolArray, SamplePair
from service.scoring.sampled_rows import SampledRows
from service.scoring.verdicts import finding_of
from service.sketches.moments import MAX_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detectors.score import Score
    from service.messages import Column, Finding
    from service.sketches.sample import FloatArray

APART = DomainClassifier.name
FEWEST_ROWS, MOST_COLUMNS = 50, MAX_COLUMNS
REMEMBERED_WINDOWS = 64
TOLERANCE = 0.6
"""An area under the ROC curve too small to matter; half is chance."""
_FEWEST_VALUES = 30
_MISSED_ALIKE = 3.0
"""Standard errors by which two sides' shares of missing cells may differ."""
_ALPHA = 0.05
_CHANCE, _ALIKE = 0.5, 0.5


class ToldApart(NamedTuple):
    """The classifier's score (with the limit at alpha 0.05), and what share of it each column has."""

    score: Score
    shares: Mapping[Column, float]

    @property
    def deviation(self) -> float:
        """Standard errors above chance."""
        return among_windows(self.score, np.empty(0), _ALPHA).deviation


class Apart(NamedTuple):
    """The finding, and its deviation from chance in standard errors, to be remembered."""

    finding: Finding
    deviation: float


def apart_of(
    before: SampledRows, now: SampledRows, past: FloatArray, alpha: float, sliding: int = 1
) -> Apart | None:
    """How well rows are told apart; `past` are the deviations of the windows before. None when there is too little.

    If `now` are rows of several windows, each of the past is taken to be of as many; `sliding` windows hold each row.
    """
    told = told_apart(before, now)
    if told is None:
        return None
    among = among_windows(told.score, past, alpha, sliding * len(np.unique(now.parts)))
    return Apart(finding_of(None, among.score, TOLERANCE), among.deviation)


def is_alike(earlier: SampledRows, now: SampledRows, found: Apart) -> bool:
    """Whether rows of another time are told from these no more than half as well as it takes to ring."""
    told, limit, value = told_apart(earlier, now), found.finding.limit, found.finding.value
    if told is None or limit is None or not value:
        return False
    at_limit = found.deviation * (limit - _CHANCE) / (value - _CHANCE)
    return told.deviation <= _ALIKE * at_limit


def told_apart(before: SampledRows, now: SampledRows) -> ToldApart | None:
    """The classifier on the ranks of the columns that both have alike; None with too few rows or columns."""
    if min(before.rows, now.rows) < FEWEST_ROWS:
        return None
    columns = [c for c, had in zip(now.columns, _had_alike(before, now), strict=True) if had]
    if len(columns) < 2:
        return None
    pair = SamplePair(before.of(columns).ranks(), now.of(columns).ranks())
    joint = DomainClassifier().score(pair, _ALPHA)
    return ToldApart(joint.score, dict(zip(columns, joint.shares, strict=True)))


def _had_alike(before: SampledRows, now: SampledRows) -> BoolArray:
    """(d,) whether both sides have enough values of a column, and miss it about equally often."""
    was, is_now = (np.isfinite(rows.values).sum(axis=1) for rows in (before, now))
    whole = (was + is_now) / (before.rows + now.rows)
    error = np.sqrt(whole * (1 - whole) * (1 / before.rows + 1 / now.rows))
    alike = np.abs(was / before.rows - is_now / now.rows) <= _MISSED_ALIKE * error
    return np.asarray(alike & (np.minimum(was, is_now) >= _FEWEST_VALUES))
