"""Reads and writes monitors.yaml: all monitors of a file, or every mistake in it at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from detectors.sequential.catalogue import SELF_TAUGHT
from service.contract_file import read_contract
from service.errors import ConfigurationError
from service.monitor import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    AlertPolicy,
    Budget,
    FeatureKind,
    FeatureOverride,
    FeedbackPolicy,
    LabelPolicy,
    Monitor,
    Nonfinite,
    Severity,
    Task,
    TimestampUnit,
    WindowSpec,
    format_duration,
    key_of,
    to_document,
)
from service.monitor_yaml import Mistake, Place, read_yaml
from service.parsers import any_of, choice, duration, member, number, shown, truth, whole
from service.place_readers import Reader, names, one, part, several, values_of
from service.yaml_text import yaml_of

MAX_SEGMENTS = 20
MAX_WINDOWS = 8
MAX_METHODS = 50
MOST_FEEDBACK_A_DAY = 10_000
LONGEST_WINDOW_MS = 31 * DAY_MS
LONGEST_PANE_MS = 7 * DAY_MS
_ROUNDING = 1e-6


def parse_monitors(text: str, source: str) -> tuple[Monitor, ...]:
    """All monitors of the file in its order; raises ConfigurationError with one sentence for each mistake."""
    monitors, mistakes = read_monitors(text)
    if mistakes:
        raise ConfigurationError(*(f"{source}:{line}: {sentence}" for line, sentence in mistakes))
    return monitors


def read_monitors(text: str) -> tuple[tuple[Monitor, ...], tuple[Mistake, ...]]:
    """All monitors of the text, or the mistakes in the order of their lines: of a text with any there are none."""
    mistakes: list[Mistake] = []
    top = read_yaml(text, mistakes)
    monitors = () if top is None else _monitors(top)
    in_order = tuple(sorted(mistakes, key=lambda mistake: mistake.line))
    return () if in_order else monitors, in_order


def line_of(text: str, model: str, *keys: str) -> int:
    """The line on which a model's key stands in a text that can be read, or else the nearest key above it."""
    place = read_yaml(text, [])
    line = 1
    for step in ("models", model, *keys):
        below = {} if place is None or not place.is_mapping else place.lines()
        if step not in below:
            break
        line, place = below[step]
    return line


def dump_monitors(monitors: Sequence[Monitor]) -> str:
    """YAML that `parse_monitors` reads back as equal values, in the order of the models' names."""
    in_order = sorted(monitors, key=lambda monitor: monitor.model)
    models = {monitor.model: to_document(monitor) for monitor in in_order}
    return yaml_of({"models": models})


def _monitors(top: Place) -> tuple[Monitor, ...]:
    keys = top.fields(("models", "version"))
    if "version" in keys:
        keys["version"].read(choice("1"))
    bodies = keys["models"].members() if "models" in keys else {}
    if not bodies and not top.mistakes:
        top.wrong("has no models; write 'models:' and below it at least one model")
    return tuple(_monitor(model, body.named(f"model {shown(model)}")) for model, body in bodies.items())


def _monitor(model: str, body: Place) -> Monitor:
    keys = body.fields([*map(key_of, _MONITOR), "windows"])
    values = values_of(keys, _MONITOR)
    usual_pane_ms = None if "pane" in keys else Monitor(model).pane_ms
    pane_ms: int | None = values.get("pane_ms", usual_pane_ms)
    if "windows" in keys:
        values["windows"] = _windows(keys["windows"], pane_ms)
    elif pane_ms is not None:
        _check_usual_windows(keys.get("pane", body), pane_ms)
    return Monitor(model, **values)


# ---------------------------------------------------------------- windows
def _windows(place: Place, pane_ms: int | None) -> tuple[WindowSpec, ...]:
    windows: list[WindowSpec] = []
    for item in place.items(1, MAX_WINDOWS, "[5m, 1h]"):
        window = _window(item)
        if window in windows:
            item.wrong(f"repeats {window.name}; write each window once")
        elif window is not None:
            _check_grid(item, window, pane_ms)
            windows.append(window)
    return tuple(windows)


def _window(item: Place) -> WindowSpec | None:
    if not item.is_mapping:
        length_ms = _window_duration(item)
        return None if length_ms is None else WindowSpec.tumbling(length_ms)
    keys = item.fields(("length", "every"))
    values = values_of(keys, {"length_ms": _window_duration, "every_ms": _window_duration})
    if "length" not in keys:
        item.wrong("has no length; write one such as {length: 1h, every: 5m}")
    if "length" not in keys or len(values) < len(keys):
        return None
    window = WindowSpec(values["length_ms"], values.get("every_ms", values["length_ms"]))
    if window.every_ms > window.length_ms:
        item.wrong(f"is {window.name}, which would skip events; write an 'every' no longer than 'length'")
    return window


def _check_grid(item: Place, window: WindowSpec, pane_ms: int | None) -> None:
    if pane_ms is not None and not _is_on_grid(window, pane_ms):
        pane = format_duration(pane_ms)
        item.wrong(f"is {window.name}, which is not made of whole panes; write multiples of the pane, {pane}")


def _check_usual_windows(pane: Place, pane_ms: int) -> None:
    off_grid = [window.name for window in Monitor("").windows if not _is_on_grid(window, pane_ms)]
    if off_grid:
        length, names = format_duration(pane_ms), " and ".join(off_grid)
        pane.wrong(f"is {length}, which does not divide the default {names}; write windows, too")


def _is_on_grid(window: WindowSpec, pane_ms: int) -> bool:
    return window.length_ms % pane_ms == 0 and window.every_ms % pane_ms == 0


def _features(place: Place) -> dict[str, FeatureOverride]:
    read = part(FeatureOverride, _FEATURE)
    return {feature: read(below) for feature, below in place.members().items()}


def _feedback(place: Place) -> FeedbackPolicy:
    policy = part(FeedbackPolicy, _FEEDBACK)(place)
    together = sum(policy.shares.values())
    if abs(together - 1) > _ROUNDING:
        names = any_of(policy.shares).replace(" or ", " and ")
        place.wrong(f"has shares of {names} that sum to {together:g}; write all three, so that they sum to 1")
    return policy


# ---------------------------------------------------------------- what may be written, by attribute
_window_duration = one(duration(SECOND_MS, LONGEST_WINDOW_MS))

_BUDGET: dict[str, Reader[Any]] = {
    "false_pages": one(number(0.001, 1_000)),
    "per_ms": one(duration(HOUR_MS, 366 * DAY_MS)),
}

_ALERTS: dict[str, Reader[Any]] = {
    "for_windows": one(whole(1, 1_000)),
    "clear_windows": one(whole(1, 1_000)),
    "clear_ratio": one(number(0.01, 1)),
}

_LABELS: dict[str, Reader[Any]] = {
    "wait_ms": one(duration(MINUTE_MS, 366 * DAY_MS)),
    "sample": one(number(0.0001, 1)),
    "most_waiting": one(whole(1_000, 1_000_000_000)),
    "positive": Place.name,
    "detectors": several(one(choice(*SELF_TAUGHT)), 0, len(SELF_TAUGHT), "[adwin, page_hinkley]"),
}

_FEEDBACK: dict[str, Reader[Any]] = {
    "per_day": one(whole(0, MOST_FEEDBACK_A_DAY)),
    "uncertain": one(number(0, 1)),
    "surprising": one(number(0, 1)),
    "random": one(number(0, 1)),
}

_FEATURE: dict[str, Reader[Any]] = {
    "kind": one(choice(*get_args(FeatureKind))),
    "methods": names(1, MAX_METHODS),
    "tolerance": one(number(0, 1_000)),
    "ignore": one(truth),
    "severity": one(choice(*get_args(Severity))),
    "importance": one(number(0, 1_000)),
}

_MONITOR: dict[str, Reader[Any]] = {
    "task": one(member(Task)),
    "reference": Place.name,
    "pane_ms": one(duration(SECOND_MS, LONGEST_PANE_MS)),
    "allowed_lateness_ms": one(duration(0, 31 * DAY_MS)),
    "disorder_ms": one(duration(0, DAY_MS)),
    "max_future_skew_ms": one(duration(0, 31 * DAY_MS)),
    "idle_after_ms": one(duration(SECOND_MS, DAY_MS)),
    "silence_after_ms": one(duration(SECOND_MS, 366 * DAY_MS)),
    "budget": part(Budget, _BUDGET),
    "segments": names(0, MAX_SEGMENTS),
    "ts_unit": one(choice(*get_args(TimestampUnit))),
    "nonfinite": one(choice(*get_args(Nonfinite))),
    "methods": names(1, MAX_METHODS),
    "features": _features,
    "alerts": part(AlertPolicy, _ALERTS),
    "contract": read_contract,
    "labels": part(LabelPolicy, _LABELS),
    "feedback": _feedback,
}
