"""What naive models would have said: the usual answer, that of the window before, that of this hour yesterday."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from detectors.performance.metric import Metric
from service.monitor import DAY_MS
from service.performance.standing import Labels

if TYPE_CHECKING:
    from service.messages import WindowKey
    from service.performance.standing import Standing

USUAL, LAST, SEASONAL = "usual", "last", "seasonal"
"""Usual is the most frequent class, or the mean, of all labels before."""
_MOST_SLOTS = 1_440


class Memory(msgspec.Struct, array_like=True):
    """Labels of the windows before, of all traffic: all of them, those of the last one, and by time of day the last."""

    all: Labels = Labels()
    last: Labels = Labels()
    of_day: dict[int, tuple[int, Labels]] = {}


def guesses(memory: Memory, window: WindowKey) -> Mapping[str, float]:
    """What each naive model says of a window, out of the windows before it; of those that know anything."""
    day, seasonal = memory.of_day.get(_slot(window), (0, Labels()))
    known = {USUAL: memory.all, LAST: memory.last}
    if day == window.start_ms // DAY_MS - 1:
        known[SEASONAL] = seasonal
    return {name: guess for name, labels in known.items() if (guess := labels.guess) is not None}


def remembered(memory: Memory, window: WindowKey, labels: Labels) -> Memory:
    """With the labels of one more window."""
    if labels.guess is None:
        return memory
    of_day = memory.of_day | {_slot(window): (window.start_ms // DAY_MS, labels)}
    return Memory(labels.plus(memory.all), labels, of_day if len(of_day) <= _MOST_SLOTS else {})


def naive_metrics(standing: Standing, guessed: Mapping[str, float]) -> Mapping[str, Metric]:
    """How good each naive model would have been, by its name."""
    if not standing.rows:
        return {}
    told = {}
    for name, guess in guessed.items():
        metric, value = standing.naive(guess)
        told[name] = Metric(metric, value, None, None, standing.rows, 0.0, metric == "accuracy")
    return told


def _slot(window: WindowKey) -> int:
    return window.start_ms % DAY_MS // (window.end_ms - window.start_ms)
