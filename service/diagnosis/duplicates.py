"""Whether events are sent twice."""

from __future__ import annotations

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.phrasing import percent
from service.messages import Cause

_SIGMAS = 5.0
_TWICE = (0.45, 0.52)


def diagnose_duplicates(accepted: int, duplicates: int, usual_ratio: float) -> Diagnosis | None:
    """More repeats of events than usual; None when they are not.

    `usual_ratio` is the usual share of repeats among all events. Repeats come in bursts, so that their number is taken
    to vary ten times as much as independent ones would.
    """
    events = accepted + duplicates
    ratio = duplicates / events if events else 0.0
    noise = (10.0 * max(usual_ratio, 1.0 / max(events, 1)) / max(events, 1)) ** 0.5
    if ratio - usual_ratio <= _SIGMAS * noise:
        return None
    twice = _TWICE[0] <= ratio <= _TWICE[1]
    what = (
        "nearly every event is sent twice"
        if twice
        else f"{percent(ratio)} of the events are repeats of earlier ones"
    )
    sentence = (
        f"{what}, usual is {percent(usual_ratio)}: a producer or a replay sends again; no repeat is counted"
    )
    evidence = {
        "duplicate_ratio": round(ratio, 4),
        "duplicate_ratio_usual": round(usual_ratio, 4),
        "duplicates": float(duplicates),
    }
    return Diagnosis(Cause.PIPELINE, (), sentence, 0.9, evidence)
