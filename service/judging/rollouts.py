"""Versions that answer side by side: whether a newer one is worse than an older one, looked at after every window."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from math import log
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from service.comparison.losses import STRATUM_MS, Course, Loss, sums_of
from service.comparison.verdict import compare
from service.comparison.wording import sentence_of
from service.messages import Finding, Verdict

if TYPE_CHECKING:
    from service.comparison.verdict import Comparison
    from service.messages import WindowKey
    from service.performance.counting import Arrays, Counting

METHOD = "version_difference"
_MOST_HOURS = 720
_MOST_VERSIONS = 6
"""Of more versions side by side the newest are compared."""
_SURE = 1e-300


class Rollouts(msgspec.Struct, array_like=True):
    """Losses of the hours in which several versions had labels, and when each version had its first."""

    since_ms: dict[str, int] = {}
    hours: dict[str, dict[int, dict[str, list[float]]]] = {}


def took(
    rollouts: Rollouts, window: WindowKey, outcomes: Mapping[str, Arrays], counting: Counting
) -> Rollouts:
    """With the outcomes of one more window by version. Comparisons of more than a month begin anew."""
    since = dict.fromkeys(outcomes, window.start_ms) | rollouts.since_ms
    if len(outcomes) < 2:
        return Rollouts(since, rollouts.hours)
    hour = window.start_ms - window.start_ms % STRATUM_MS
    hours = {version: dict(known) for version, known in rollouts.hours.items()}
    for version, arrays in outcomes.items():
        course = hours.setdefault(version, {})
        before = course.get(hour, {})
        added = {loss.value: sums.tolist() for loss, sums in sums_of(counting, arrays).items()}
        course[hour] = before | {
            loss: [a + b for a, b in zip(before[loss], sums, strict=True)] if loss in before else sums
            for loss, sums in added.items()
        }
    if any(len(course) > _MOST_HOURS for course in hours.values()):
        return Rollouts(since, {})
    return Rollouts(since, hours)


def without_old(rollouts: Rollouts, versions: Collection[str]) -> Rollouts:
    """Of these versions only."""
    return Rollouts(
        {version: since for version, since in rollouts.since_ms.items() if version in versions},
        {version: hours for version, hours in rollouts.hours.items() if version in versions},
    )


def rollout_findings(rollouts: Rollouts, alpha: float) -> Mapping[str, Finding]:
    """Of each version that answers beside older ones, how it compares with the one that it does worst against.

    `alpha` is the probability that any of them is called worse, ever, and is not.
    """
    order = sorted(rollouts.hours, key=lambda version: (rollouts.since_ms.get(version, 0), version))
    pairs = list(combinations(order[-_MOST_VERSIONS:], 2))
    courses = {version: _course(rollouts.hours[version]) for version in order}
    found: dict[str, Finding] = {}
    for older, newer in pairs:
        if rollouts.since_ms.get(older) == rollouts.since_ms.get(newer):
            continue  # both were there from the start: neither is the new one
        one = compare(courses[newer], courses[older], alpha=alpha / len(pairs))
        finding = _finding(one, newer, older)
        if finding is not None and _value(finding) >= _value(found.get(newer)):
            found[newer] = finding
    return found


def _finding(one: Comparison, newer: str, older: str) -> Finding | None:
    if one.p_above is None:
        return None
    value, limit = -log(max(one.p_above, _SURE)), -log(one.alpha)
    verdict = Verdict.DRIFT if one.has_regressed else Verdict.OK
    said = sentence_of(one, newer, older)
    return Finding(None, METHOD, value, limit, one.p_above, one.rows, one.other_rows, 0.0, verdict, said)


def _value(finding: Finding | None) -> float:
    return -1.0 if finding is None or finding.value is None else finding.value


def _course(hours: Mapping[int, Mapping[str, list[float]]]) -> Course:
    return {
        hour: {Loss(name): np.array(sums) for name, sums in losses.items()} for hour, losses in hours.items()
    }
