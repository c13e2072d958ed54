"""The sequential detectors that a person named, on the error rates of ripe windows in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from detectors.sequential.catalogue import SELF_TAUGHT
from service.messages import Finding, Verdict

if TYPE_CHECKING:
    from service.performance.standing import Standing


def sequence_findings(
    states: dict[str, bytes], place: str, standing: Standing, names: Sequence[str], usual: float | None
) -> Sequence[Finding]:
    """Each detector takes the window as one value, the share of wrong rows, with the rows as its weight.

    `states` by place and name are changed. After a drift a detector begins anew, so that it rings in one window. Some
    see falls, too: a model that is wrong less often than `usual` rings nowhere.
    """
    if not standing.rows:
        return ()
    found = (_finding(states, place, standing, name) for name in names)
    is_better = usual is not None and standing.wrong / standing.rows < usual
    return [one._replace(verdict=Verdict.OK) if is_better else one for one in found if one is not None]


def _finding(states: dict[str, bytes], place: str, standing: Standing, name: str) -> Finding | None:
    detector, at = SELF_TAUGHT[name](), f"{place}\x1f{name}"
    before = detector.from_bytes(states[at]) if at in states else detector.begin()
    after, step = detector.update(before, standing.wrong / standing.rows, float(standing.rows))
    states[at] = detector.to_bytes(after)
    if step.statistic is None:
        return None
    verdict = Verdict.DRIFT if step.drift else Verdict.OK
    n = int(step.n)
    return Finding(None, name, step.statistic, step.limit, None, standing.rows, n, 0.0, verdict)
