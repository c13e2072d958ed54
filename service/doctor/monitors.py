"""Monitors and references, judged: each one readable, on the grid that rows are counted on, and about real events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.configuration import ModelVersion
from service.contract.grids import grid_for
from service.doctor.check import Check, failure, not_checked, warning, well
from service.doctor.phrasing import lasting
from service.errors import ConfigurationError
from service.monitor import DAY_MS, Task
from service.monitor_file import parse_monitors
from service.performance.counting import BinaryCounting, classes_of, counting_of
from service.plurals import counted
from service.sketches.grids import Grid

if TYPE_CHECKING:
    from service.monitor import Monitor

OLD_MS = 365 * DAY_MS


@dataclass(frozen=True, slots=True)
class ReferenceSeen:
    """A stored reference; its grid is None where `damage` says why it cannot be read."""

    name: str
    rows: int
    created_ms: int
    grid: Grid | None = None
    damage: str = ""


@dataclass(frozen=True, slots=True)
class MonitorSeen:
    """The newest version of a model's monitor, its reference (None: it names none), and what its last events had.

    `segments` are those that late panes were counted for ('country=DE'); `events` whether there are such panes.
    """

    model: str
    document: str
    grid_id: str
    reference_name: str | None = None
    reference: ReferenceSeen | None = None
    segments: frozenset[str] = frozenset()
    events: bool = False
    labels: bool = False
    learned: bool = False


def monitor_checks(monitors: Sequence[MonitorSeen], now_ms: int) -> list[Check]:
    """Of each model its monitor, then its reference."""
    if not monitors:
        return [warning("monitors", "there are none", "write one and `driftbell apply -f monitors.yaml`")]
    return [check for one in monitors for check in _of_model(one, now_ms)]


def _of_model(seen: MonitorSeen, now_ms: int) -> list[Check]:
    monitor = monitor_of(seen)
    if isinstance(monitor, str):
        return [failure(f"monitor {seen.model}", f"it cannot be read: {monitor}", "apply a correct one"),
                _reference(seen, None, now_ms)]  # fmt: skip
    wrong = [*_learned(seen), *_segments(seen, monitor), *_positive(seen, monitor)]
    return [*(wrong or [well(f"monitor {seen.model}", "it can be read")]), _reference(seen, monitor, now_ms)]


def monitor_of(seen: MonitorSeen) -> Monitor | str:
    """The monitor, or why it cannot be read."""
    try:
        found = parse_monitors(seen.document, f"stored monitor {seen.model}")
    except ConfigurationError as why:
        return why.problems[0]
    return next((one for one in found if one.model == seen.model), "it is about another model")


def _learned(seen: MonitorSeen) -> list[Check]:
    if not seen.learned:
        return []
    said = "nobody wrote it: the model was met in the log, and is watched by defaults"
    return [warning(f"monitor {seen.model}", said, "`driftbell export` prints it; mend and apply it")]


def _segments(seen: MonitorSeen, monitor: Monitor) -> list[Check]:
    unknown = [
        name for name in monitor.segments if not any(one.startswith(f"{name}=") for one in seen.segments)
    ]
    if not seen.events or not unknown:
        return []
    said = f"no late event has {' or '.join(unknown)}, by which it is to be segmented"
    return [warning(f"monitor {seen.model}", said, "correct `segments`, or ask the producers for the field")]


def _positive(seen: MonitorSeen, monitor: Monitor) -> list[Check]:
    """A binary model whose labels have names that say nothing needs to be told which one its score speaks for."""
    grid = seen.reference.grid if seen.reference is not None else None
    if monitor.task is not Task.BINARY or grid is None or not seen.labels:
        return []
    version = ModelVersion(monitor, grid, reference_name=seen.reference_name)
    classes, counting = classes_of(version), counting_of(version)
    if not classes or not isinstance(counting, BinaryCounting):
        return []
    name, known = f"monitor {seen.model}", f"the reference's classes are {', '.join(classes[:5])}"
    if not any(counting.is_positive(one) for one in classes):
        said = f"nobody can say which class its score is the probability of; {known}"
        return [warning(name, said, "name one as `labels.positive`")]
    if monitor.labels.positive is None and counting.positive is not None:
        said = f"its score is taken to be the probability of {counting.positive}, the last by name; {known}"
        return [warning(name, said, "say so with `labels.positive`, or name the other one")]
    return []


def _reference(seen: MonitorSeen, monitor: Monitor | None, now_ms: int) -> Check:
    name, reference = f"reference of {seen.model}", seen.reference
    build = f"`driftbell reference build --model {seen.model}`, name it in the monitor and apply that"
    if seen.reference_name is None:
        return warning(name, "there is none: events are held against their own past only", build)
    if reference is None:
        return failure(name, f"there is no reference {seen.reference_name}", build)
    if reference.grid is None:
        return failure(name, f"{reference.name} cannot be read: {reference.damage}", build)
    return _grid(name, seen, monitor, reference.grid) or _age(name, seen.model, reference, now_ms)


def _grid(name: str, seen: MonitorSeen, monitor: Monitor | None, grid: Grid) -> Check | None:
    if monitor is None:
        return not_checked(name, "whether it fits the monitor cannot be known while that cannot be read")
    if grid_for(monitor, grid).id == seen.grid_id:
        return None
    said = f"{seen.reference_name} was stored anew since the monitor was applied: rows are counted on its old bins"
    return warning(name, said, "`driftbell apply` the monitor again")


def _age(name: str, model: str, reference: ReferenceSeen, now_ms: int) -> Check:
    age_ms = max(now_ms - reference.created_ms, 0)
    said = f"{reference.name}, {counted(reference.rows, 'row')}, stored {lasting(age_ms)} ago"
    if age_ms <= OLD_MS:
        return well(name, said)
    advice = (
        f"if the model was trained again, build it anew; else `driftbell reference accept --model {model}`"
    )
    return warning(name, said, advice)
