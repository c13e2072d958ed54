"""Whether labels come for predictions like the rest, or for some kinds of them more than for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, sqrt
from typing import NamedTuple

from service.messages import Finding, Verdict

METHOD = "label_bias"
TOLERANCE = 0.1
"""So large a share of the labelled predictions may be of another kind than predictions are as a whole."""
FEWEST = 50
_NO_CLASS = 0


class Kind(NamedTuple):
    """Predictions that said much the same, and how many of them have a label and have none.

    `decision` is a class by its number, 0 is none; `score` the tenth of [0, 1] that it lies in, from 1 on; `value` the
    tenth of all numbers predicted, from 0 on.
    """

    decision: int
    score: int | None
    value: int | None
    labelled: int
    unlabelled: int


def label_bias(kinds: Sequence[Kind], names: Mapping[int, str], alpha: float) -> Finding | None:
    """How far labelled predictions lie apart from all, as the total variation between them; None of too few.

    That is the share of the unlabelled times how far these are from the labelled. Null hypothesis: a prediction gets
    its label whatever it said. That distance then has a mean of at most `sqrt(k h) / 2` over k kinds, h = 1 / labelled
    + 1 / unlabelled, and exceeds it by `sqrt(h log(1 / alpha) / 2)` with a probability of at most alpha (McDiarmid, "On
    the method of bounded differences", 1989).
    """
    n, m = sum(kind.labelled for kind in kinds), sum(kind.unlabelled for kind in kinds)
    if min(n, m) < FEWEST:
        return None
    excess = {kind: kind.labelled / n - kind.unlabelled / m for kind in kinds}
    part, h = m / (n + m), 1 / n + 1 / m
    value = part * sum(abs(e) for e in excess.values()) / 2
    limit = TOLERANCE + part * (sqrt(len(kinds) * h) / 2 + sqrt(h * log(1 / alpha) / 2))
    most = max(excess, key=lambda kind: abs(excess[kind]))
    said = f"{_words(most, names)}: {most.labelled / n:.0%} of the labelled, {most.unlabelled / m:.0%} of the others"
    verdict = Verdict.DRIFT if value > limit else Verdict.OK
    return Finding(None, METHOD, value, limit, None, n, m, 0.0, verdict, said)


def _words(kind: Kind, names: Mapping[int, str]) -> str:
    said = [] if kind.decision == _NO_CLASS else [f"'{names.get(kind.decision, kind.decision)}'"]
    if kind.score is not None:
        low = min(max(kind.score - 1, 0), 9) / 10
        said.append(f"score {low:g} to {low + 0.1:g}")
    if kind.value is not None:
        said.append(f"the {kind.value + 1}. tenth of the numbers predicted")
    return " with ".join(said) or "no prediction"
