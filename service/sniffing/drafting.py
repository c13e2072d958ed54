"""A first monitor for a model that was found in a topic, as YAML that says what was chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import yaml

from service.monitor import Budget, FeatureOverride, Monitor, Task, WindowSpec, format_duration, to_document
from service.monitor_file import LONGEST_PANE_MS
from service.sniffing.found import FieldKind, PredictionForm

if TYPE_CHECKING:
    from service.sniffing.found import FieldFound, ModelFound

MOST_SEGMENTS = 3
"""Each segment is watched beside the whole, out of the same budget."""
_MOST_IGNORED = 100
_MOST_VALUES = 10


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose; None leaves it to what was found."""

    task: Task | None = None
    reference: str | None = None
    pane_ms: int | None = None
    windows: tuple[WindowSpec, ...] | None = None
    allowed_lateness_ms: int | None = None
    disorder_ms: int | None = None
    budget: Budget | None = None
    segments: tuple[str, ...] | None = None
    ignored: tuple[str, ...] | None = None


def draft(found: ModelFound, choices: Choices) -> Monitor:
    """The monitor that follows from what was found and chosen."""
    monitor = Monitor(
        found.model,
        choices.task or found.task,
        choices.reference,
        _pane_of(choices, found),
        choices.windows or found.rhythm.windows,
        budget=choices.budget or Budget(),
        segments=likely_segments(found) if choices.segments is None else choices.segments,
        features=_ignored(likely_ids(found) if choices.ignored is None else choices.ignored),
    )
    if choices.allowed_lateness_ms is not None:
        monitor = replace(monitor, allowed_lateness_ms=choices.allowed_lateness_ms)
    if choices.disorder_ms is not None:
        monitor = replace(monitor, disorder_ms=choices.disorder_ms)
    return _with_labels(monitor, found)


def _pane_of(choices: Choices, found: ModelFound) -> int:
    """As chosen; else as found, or shorter where the windows that were chosen ask for it."""
    if choices.pane_ms is not None:
        return choices.pane_ms
    shortest = min((one.every_ms for one in choices.windows or ()), default=LONGEST_PANE_MS)
    return min(found.rhythm.pane_ms, shortest)


def likely_segments(found: ModelFound) -> tuple[str, ...]:
    """Those with the fewest values."""
    few = [
        one
        for one in (*found.features, *found.tags)
        if one.is_segment and (one.distinct or 0) <= _MOST_VALUES
    ]
    few.sort(key=lambda one: (one.distinct or 0, one.name))
    return tuple(dict.fromkeys(one.name for one in few))[:MOST_SEGMENTS]


def likely_ids(found: ModelFound) -> tuple[str, ...]:
    """Features that tell rows apart and say nothing of them."""
    return tuple(one.name for one in found.features if one.kind is FieldKind.ID)[:_MOST_IGNORED]


def _ignored(names: Iterable[str]) -> dict[str, FeatureOverride]:
    return {name: FeatureOverride(ignore=True) for name in names}


def _with_labels(monitor: Monitor, found: ModelFound) -> Monitor:
    """Name the class that a score is the probability of, where two words of the labels tell it."""
    has_score = found.predictions.get(PredictionForm.SCORE, 0) > 0
    positive = next((one for one in found.labels.classes if one.lower() in _POSITIVE), None)
    if monitor.task is not Task.BINARY or not has_score or positive is None:
        return monitor
    return replace(monitor, labels=replace(monitor.labels, positive=positive))


_POSITIVE = frozenset({"1", "true", "yes", "y", "positive"})


# ---------------------------------------------------------------- YAML
def draft_yaml(monitor: Monitor, topic: str) -> str:
    """The monitor below a line that says where it comes from; what a newcomer will look for is there though usual."""
    document: dict[str, object] = {
        "task": monitor.task.value,
        "pane": format_duration(monitor.pane_ms),
        "windows": [_window(one) for one in monitor.windows],
        "allowed_lateness": format_duration(monitor.allowed_lateness_ms),
        "budget": {
            "false_pages": _plain(monitor.budget.false_pages),
            "per": format_duration(monitor.budget.per_ms),
        },
    }
    document |= {key: value for key, value in to_document(monitor).items() if key not in document}
    body = yaml.safe_dump(
        {"models": {monitor.model: document}}, sort_keys=False, allow_unicode=True, width=1_000
    )
    return f"# Drafted from the topic {topic}; every key may be changed.\n{body}"


def _plain(number: float) -> int | float:
    return int(number) if number == int(number) else number


def _window(spec: WindowSpec) -> object:
    if spec.length_ms == spec.every_ms:
        return spec.name
    return {"length": format_duration(spec.length_ms), "every": format_duration(spec.every_ms)}


def advice_on(found: ModelFound, monitor: Monitor) -> tuple[str, ...]:
    """Sentences on what was taken and why, for who reads the draft."""
    said = [
        f"task {monitor.task.value}: {found.task_why}" if monitor.task is found.task else "",
        found.rhythm.why,
        _named("left out, since they tell rows apart", [n for n, one in monitor.features.items() if one.ignore]),
        _named("watched by segment", monitor.segments),
        "" if monitor.reference else "without a reference only silence and volume ring; learn one of the first traffic",
        _empty(found.features),
    ]  # fmt: skip
    return tuple(sentence for sentence in said if sentence)


def _named(what: str, names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"{what}: {listed}" if listed else ""


def _empty(features: Iterable[FieldFound]) -> str:
    return _named("never filled", (one.name for one in features if one.missing_ratio >= 1.0))
