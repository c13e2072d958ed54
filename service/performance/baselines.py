"""What naive models would have said: the usual answer, that of the window before, that of this hour yesterday."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from detectors.performance.metric import Metric
from service.monitor import DAY_MS, MINUTE_MS
from service.performance.standing import Labels

if TYPE_CHECKING:
    from service.messages import WindowKey
    from service.performance.standing import Standing

USUAL, LAST, SEASONAL = "usual", "last", "seasonal"
"""Usual is the most frequent class, or the mean, of all labels before."""


class Memory(msgspec.Struct, array_like=True):
    """Labels of the windows before, of all traffic: all of them and those of the last one; and by time of day what one
    would have said on the day on which it was seen last.
    """

    all: Labels = Labels()
    last: Labels = Labels()
    of_day: dict[int, tuple[int, float]] = {}


def guesses(memory: Memory, window: WindowKey) -> Mapping[str, float]:
    """What each naive model says of a window, out of the windows before it; of those that know anything."""
    known = {USUAL: memory.all.guess, LAST: memory.last.guess}
    day, seasonal = memory.of_day.get(_slot(window), (0, None))
    if day == window.start_ms // DAY_MS - 1:
        known[SEASONAL] = seasonal
    return {name: guess for name, guess in known.items() if guess is not None}


def remembered(memory: Memory, window: WindowKey, labels: Labels) -> Memory:
    """With the labels of one more window."""
    guess = labels.guess
    if guess is None:
        return memory
    of_day = memory.of_day | {_slot(window): (window.start_ms // DAY_MS, guess)}
    return Memory(labels.plus(memory.all), labels, of_day)


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
    """Its time of day; of windows within one minute the last one speaks for it."""
    return window.start_ms % DAY_MS // max(MINUTE_MS, window.end_ms - window.start_ms)
