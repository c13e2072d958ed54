"""How many events a window holds, beside the windows before it: silence, and far too few or too many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detectors.volume import score_volume
from service.alerting.rules import VOLUME
from service.alerting.state import FoldState, join
from service.messages import Finding, SliceResult, Verdict, WindowKey

if TYPE_CHECKING:
    from service.monitor import Monitor

_HISTORY = 60
_MOST = 20_000
_FEWEST_WINDOWS = 3
_FACTOR = 2
"""Half or twice of what was ever seen of late: less is the daily round, whatever its significance."""


class VolumeTerms(NamedTuple):
    """How volumes are judged: with this false-alarm probability; `only_silence` of all traffic, or any unusual one."""

    monitor: Monitor
    alpha: float
    only_silence: bool = False


def volumes_of(
    state: FoldState, window: WindowKey, results: Sequence[SliceResult], terms: VolumeTerms
) -> dict[WindowKey, Finding]:
    """The volume of each slice, whatever its version, and of those that have gone quiet."""
    totals = _totals(state, window, results, terms.monitor)
    if terms.only_silence:
        totals = [total for total in totals if not total.key.segment]
    return {total.key: finding for total in totals if (finding := _volume(state, total, terms))}


def _totals(
    state: FoldState, window: WindowKey, results: Sequence[SliceResult], monitor: Monitor
) -> list[SliceResult]:
    """Events by segment, whatever the version: a new version that takes over is no silence.

    A segment that has gone quiet counts zero, unless the whole model has: then that is said once.
    """
    totals = {window: 0}
    for result in results:
        key = result.key._replace(version="")
        totals[key] = totals.get(key, 0) + result.inferences
    if totals[window]:
        for segment, kind in (name.split("\x1f") for name in state.volumes):
            if kind == window.window and is_watched(segment, monitor):
                totals.setdefault(window._replace(segment=segment), 0)
    return [SliceResult(key, inferences, 0, ()) for key, inferences in totals.items()]


def is_watched(segment: str, monitor: Monitor) -> bool:
    """Whether a monitor (still) asks for this segment."""
    return not segment or segment.partition("=")[0] in monitor.segments


def _volume(state: FoldState, total: SliceResult, terms: VolumeTerms) -> Finding | None:
    """How unusual the number of events is, beside the windows before."""
    name = join(total.key.segment, total.key.window)
    history = state.volumes.setdefault(name, [])
    if len(state.volumes) > _MOST:
        del state.volumes[name]
        return None
    if total.inferences == 0:
        finding = _silence(history, terms.alpha)
    elif terms.only_silence:
        finding = Finding(None, VOLUME, 0.0, 1.0, None, total.inferences, len(history), 0.0, Verdict.OK)
    else:
        finding = _unusual(history, total.inferences, terms.alpha)
    _remember(history, total.inferences)
    return finding


def _remember(history: list[int], events: int) -> None:
    """Append a window's events. A pause is one 0, however long: it never becomes the usual."""
    if events or (history and history[-1]):
        history.append(events)
        del history[:-_HISTORY]


def _whole(history: Sequence[int]) -> list[int]:
    """The windows with events before and behind them: traffic that begins or ends fills a part of its window."""
    return [
        events
        for before, events, behind in zip(history, history[1:], history[2:], strict=False)
        if before and events and behind
    ]


def _silence(history: Sequence[int], alpha: float) -> Finding:
    """No event at all. With at least `low` a window that has probability exp(-low): it rings above log(1/alpha)."""
    seen, whole = [events for events in history if events], _whole(history)
    if len(seen) < _FEWEST_WINDOWS or not whole:
        return Finding(None, VOLUME, None, None, None, 0, 0, 0.0, Verdict.TOO_LITTLE_DATA, "too_little_data")
    low, limit = float(min(whole)), -math.log(alpha)
    verdict = Verdict.DRIFT if low > limit else Verdict.OK
    return Finding(
        None, VOLUME, low, limit, math.exp(-min(low, 700.0)), 0, int(np.median(seen)), 0.0, verdict
    )


def _unusual(history: Sequence[int], events: int, alpha: float) -> Finding:
    seen = [count for count in history if count]
    score = score_volume(np.array(seen, np.int64), events, alpha)
    usual = int(np.median(seen)) if seen else 0
    if score.value is None or score.limit is None:
        return Finding(
            None, VOLUME, None, None, None, events, usual, 0.0, Verdict.TOO_LITTLE_DATA, score.reason
        )
    far = events * _FACTOR < min(_whole([*history, events]) or seen) or events > _FACTOR * max(seen)
    verdict = Verdict.DRIFT if score.value > score.limit and far else Verdict.OK
    return Finding(None, VOLUME, score.value, score.limit, score.p_value, events, usual, 0.0, verdict)
